"""The time a run may take, counted over all its lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.budget import BEAT, Deadline, time_worked
from eureka_loop.store import Run


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_time_worked_before_counts() -> None:
    clock = Clock()
    deadline = Deadline(1.0, worked=3000.0, clock=clock)
    clock.now += 599.0
    deadline.check()
    clock.now += 2.0
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        deadline.check()


@pytest.mark.parametrize("hours", [None, 1.0])
def test_a_long_wait_leaves_marks(hours: float | None) -> None:
    clock, beats = Clock(), list[float]()
    deadline = Deadline(hours, clock=clock, beat=lambda: beats.append(clock.now))
    for _ in range(1000):
        clock.now += 0.2
        deadline.check()
    assert len(beats) == 6  # 200 s
    assert beats[0] == pytest.approx(1000.0 + BEAT, abs=0.3)


def test_a_life_that_was_killed_in_a_long_wait_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing happens for an hour but marks; then a kill -9."""
    clock = Clock()
    monkeypatch.setattr("eureka_loop.run_folder.time.time", clock)
    run = Run.create(tmp_path, "t")
    deadline = Deadline(None, clock=clock, beat=lambda: run.event("working"))
    run.event("generation")
    for _ in range(3600):
        clock.now += 1.0
        deadline.check()
    clock.now += 86_400.0
    run.event("resumed")
    assert 3600.0 - BEAT <= time_worked(run.events()) <= 3600.0
