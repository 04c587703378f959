"""docs/contract.md says what the gate does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_loop.reward import allowed
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.functions import SHAPING, SIGMOIDS

PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
Check = Callable[..., list[str]]


@pytest.mark.parametrize("source", PROGRAMS, ids=list(ENTRY_POINTS.values()))
def test_the_pages_programs_pass(source: str, problems: Check) -> None:
    kind = next(kind for kind, entry in ENTRY_POINTS.items() if f"def {entry}(" in source)
    assert problems(source, kind=kind) == []


def test_the_pages_numpy_functions_are_allowed() -> None:
    listed = PAGE.partition("**numpy**")[2].partition("Arrays have")[0]
    prose = "np followed by element along an axis products shapes made anew the types comparisons and logical functions"
    words = set(re.findall(r"[a-z_0-9.]+[a-z_0-9]", listed)) - set(prose.split())
    assert words <= {*allowed.NUMPY, *allowed.NUMPY_VALUES}


def test_the_page_names_every_shaping_function_and_sigmoid() -> None:
    assert all(f"`{name}(" in PAGE for name in SHAPING)
    assert all(name in PAGE for name in SIGMOIDS)


def test_the_page_names_every_method_and_attribute() -> None:
    listed = set(re.findall(r"\w+", PAGE.partition("Arrays have")[2].partition("**math**")[0]))
    assert {*allowed.METHODS, *allowed.CONTAINER_METHODS, *allowed.ATTRIBUTES} <= listed
