"""For all tests: the longest files first, so that no worker is left with one at the end; a run to look at."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files, provenance
from eureka_loop.config import RunConfig, as_table
from eureka_loop.execute.local import end_idle
from eureka_loop.records import Candidate, Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.store import Run

LONGEST = ("end_to_end", "train", "test_bombs")  # folders, files


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl-C, and so would every program that the tests start.

    Results are marked with a key of the tests' own.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="eureka-tests-")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files, in the order above; the others stay as they were. See `make test` for the workers."""
    items.sort(key=lambda item: _place(item.path))


def _place(path: Path) -> int:
    return next((n for n, name in enumerate(LONGEST) if name in (*path.parts, path.stem)), len(LONGEST))


@pytest.fixture(autouse=True, scope="module")
def leftovers_end() -> Iterator[None]:
    """End idle workers and the tasks of interrupted event loops, which later files' tests would meet.

    A task that is collected logs its traceback, which parses source: CPython 3.11 fails where that happens
    within another call of `ast.parse` (SystemError: AST constructor recursion depth mismatch).
    """
    yield
    end_idle()
    gc.collect()


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


@pytest.fixture
def a_run() -> Callable[..., Run]:
    """Makes a run as a search leaves it, with one candidate, g1-02, which has won; nothing is trained."""

    def make(folder: Path, task: Task, program: str, *, finished: bool = True) -> Run:
        folder.mkdir(parents=True)
        files.write_text(folder / "run.toml", tomli_w.dumps(as_table(RunConfig(task=task.name))))
        run = Run(folder)
        files.write_json(run.task_folder / "task.json", task)
        run.write_candidate(Candidate("g1-02", 1, program, "llm"))
        provenance.mark(folder, provenance.RUN)
        if finished:
            run.event("finished", winner="g1-02")
        return run

    return make
