"""The time a run may take, counted over all its processes."""

from __future__ import annotations

import asyncio

import pytest

from eureka_loop.errors import BudgetSpent
from eureka_loop.execute import budget
from eureka_loop.execute.budget import run_within, time_worked


def test_work_ends_at_the_limit_with_marks_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "BEAT", 0.01)
    beats: list[None] = []
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        run_within(asyncio.sleep(3600), 1.0, 3599.9, beat=lambda: beats.append(None))
    assert 2 <= len(beats) <= 11
    assert run_within(asyncio.sleep(0, "done"), None, beat=lambda: 1 / 0) == "done", "no mark at the end"


def test_a_wait_that_ends_with_a_kill_counts_and_the_time_until_it_goes_on_does_not() -> None:
    begun = [("generation", 1000.0), *(("working", 1000.0 + 30 * n) for n in range(1, 100))]
    times = [*begun, ("resumed", 90_000.0), ("trained", 90_005.0)]
    assert time_worked({"event": kind, "time": time} for kind, time in times) == 99 * 30 + 5
