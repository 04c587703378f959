"""docs/contract.md states what the gate and the dry run do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.reward import allowed
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.functions import SHAPING, SIGMOIDS
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from tests.reward.conftest import problems_of

PAGE = (Path(__file__).parents[2] / "docs" / "contract.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TABLES = PAGE.partition("## When")[2].partition("`python benchmarks")[0]
ANSWERS = re.findall(r"^\| (`.*?`)(?:, `.*?`)* \| (.*) \|$", TABLES, re.MULTILINE)
SHAPES = {"speed": (), "obs": (6,), "torso_pos": (3,), "torso_linvel": (3,), "action": (8,)}
OBSERVABLES = tuple(Observable(name, shape, unit="m/s" * ("vel" in name)) for name, shape in SHAPES.items())
VOCABULARY = Vocabulary("any", OBSERVABLES)


@pytest.mark.parametrize("source", PROGRAMS, ids=list(ENTRY_POINTS.values()))
def test_the_pages_programs_pass(source: str) -> None:
    kind = next(kind for kind, entry in ENTRY_POINTS.items() if f"def {entry}(" in source)
    assert problems_of(source, kind=kind) == []


def written(code: str) -> str:
    """A piece of code of the page's tables as a program."""
    head = (
        "def compute_reward(speed, torso_pos, action):\n    x = speed\n    terms = {'a': x}\n    total = x\n"
    )
    if code.startswith("def "):
        return f"{code.replace('...', 'obs').rstrip(':')}:\n    return {{'a': obs[:, 0]}}\n"
    if code.startswith(("if ", "for ")):
        return f"{head}    {code.rstrip(':')}:\n        x = 1.0\n    return {{'a': x}}\n"
    if code.startswith(("return ", "{")):
        return f"{head}    return {code.removeprefix('return ').replace('...', 'x')}\n"
    return f"{head}    {code if '*=' in code else f'x = {code}'}\n    return {{'a': x}}\n"


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (code.strip("`"), answer)
        for code, answer in ANSWERS
        if "likewise" not in answer and "each with" not in answer
    ],
)
def test_the_pages_answers_are_those_of_gate_and_dry_run(
    fork_server: ForkServer, code: str, answer: str
) -> None:
    random = np.random.default_rng(0)
    probe = {name: random.normal(size=(64, *shape)) for name, shape in SHAPES.items()}
    try:
        try_out(fork_server, check(written(code), VOCABULARY), probe, SHAPES)
        lines = []
    except (Refused, RewardFailure) as refused:
        lines = [line.partition(": ")[2] for line in str(refused).splitlines()]
    assert answer in lines


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
