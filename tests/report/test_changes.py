"""How one program differs from another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from eureka_loop import files
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.report.changes import changes_view, unified

if TYPE_CHECKING:
    from .conftest import Script


def test_against_the_parent(script: Script, shown: Callable[..., str]) -> None:
    run = script.whole()
    screen = shown(changes_view(run, run.candidate("g1-00"), "parent"), width=120)
    assert screen.startswith("g0-01 → g1-00\n\n--- g0-01\n+++ g1-00\n@@ -1,8 +1,8 @@\n-def compute_reward(")
    assert "\n+def compute_reward(forward_velocity, torso_upright, action, *, speed=1.5, " in screen
    assert '\n         "speed": speed * forward_velocity,\n' in screen


@pytest.mark.parametrize(("against", "name"), [("human", "human"), ("g0-00", "g0-00"), ("sparse", "sparse")])
def test_against_others(script: Script, shown: Callable[..., str], against: str, name: str) -> None:
    run = script.whole()
    assert shown(changes_view(run, run.candidate("g1-00"), against)).startswith(f"{name} → g1-00\n")


def test_the_hand_written_reward_needs_no_report(script: Script, shown: Callable[..., str]) -> None:
    script.search()
    screen = shown(changes_view(script.run, script.run.candidate("g1-00"), "human"))
    assert '-    """Run forward fast, waste no torque."""' in screen


def test_lines_are_coloured(script: Script) -> None:
    lines = unified("a\nb\n", "a\nc\n", "x", "y")
    assert [(line.plain, str(line.style)) for line in lines[3:]] == [
        (" a", ""),
        ("-b", "red"),
        ("+c", "green"),
    ]


def test_equal_programs_are_said_to_be_equal(script: Script, shown: Callable[..., str]) -> None:
    run = script.whole()
    assert "no difference" in shown(changes_view(run, run.candidate("g1-00"), "g1-00"))


def test_without_a_parent(script: Script) -> None:
    run = script.whole()
    with pytest.raises(BadInput, match="g0-00 has no parent"):
        changes_view(run, run.candidate("g0-00"), "parent")


def test_without_a_hand_written_reward(script: Script) -> None:
    script.search()
    path = script.run.task_folder / "task.json"
    files.write_json(path, replace(script.run.task(), human=None))
    with pytest.raises(BadInput, match="'halfcheetah-run' has no hand-written reward"):
        changes_view(script.run, script.run.candidate("g1-00"), "human")


def test_an_unknown_other(script: Script) -> None:
    run = script.whole()
    with pytest.raises(UnknownName, match="did you mean 'parent'"):
        changes_view(run, run.candidate("g1-00"), "parents")
