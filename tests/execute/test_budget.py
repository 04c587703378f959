"""The time a run may take, counted over all its processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.budget import BEAT, Deadline, time_worked
from eureka_loop.store import Run


class Clock:
    now = 1000.0

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


def test_a_process_killed_in_a_long_wait_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens for an hour but marks; then a kill -9, and a day later the run goes on."""
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
    assert len(list(run.events())) < 125
