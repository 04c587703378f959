"""For all tests: the longest files first, so that no worker is left with one of them at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_loop.execute.processes import end_spare

LONGEST = ("end_to_end", "train", "test_bombs")  # folders, files


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl-C, and so would every program that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files, in the order above; the others stay as they were. See `make test` for the workers."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    return next((n for n, name in enumerate(LONGEST) if name in (*path.parts, path.stem)), len(LONGEST))


@pytest.fixture(autouse=True, scope="module")
def nobodys_workers_end() -> Iterator[None]:
    """Else a later file's tests find processes that they did not start."""
    yield
    end_spare()
