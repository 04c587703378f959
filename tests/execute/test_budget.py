"""The time a run may take, counted over all its processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent
from eureka_loop.execute import budget
from eureka_loop.execute.budget import BEAT, run_within, time_worked
from eureka_loop.store import Run


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def test_time_counts_also_in_a_wait_that_ends_with_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing happens for almost an hour but marks; then a kill -9, and a day later the run goes on."""
    clock = Clock()
    monkeypatch.setattr("eureka_loop.store.time.time", clock)
    monkeypatch.setattr(budget, "TICK", 0.0)
    run = Run.create(tmp_path, "t")
    run.event("generation")
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        run_within(asyncio.sleep(3600), 1.0, 600.0, beat=lambda: run.event("working"), clock=clock)
    clock.now += 86_400.0
    run.event("resumed")
    assert 3000.0 - BEAT <= time_worked(run.events()) <= 3001.0
    assert len(list(run.events())) <= 2 + 3000 / BEAT
