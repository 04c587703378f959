"""The time a run may take, counted over all its processes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from eureka_loop import store
from eureka_loop.errors import BudgetSpent
from eureka_loop.execute import budget
from eureka_loop.execute.budget import run_within, time_worked
from eureka_loop.search.planning import speed_of


def test_work_ends_at_the_limit_with_marks_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "BEAT", 0.01)
    beats: list[str] = []
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        run_within(asyncio.sleep(3600), 1.0, 3599.9, mark=beats.append)
    assert 2 <= len(beats) <= 11
    assert {*beats} == {"working"}
    assert run_within(asyncio.sleep(0, "done"), None, mark=lambda _: 1 / 0) == "done", "no mark at the end"


def test_a_wait_for_a_person_spends_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TICK", 0.02)
    marks: list[str] = []
    quiet = iter([False, True, False, *[True] * 20, *[False] * 9999])
    began = time.monotonic()
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        run_within(asyncio.sleep(3600), 1.0, 3599.8, mark=marks.append, idle=lambda: next(quiet))
    assert time.monotonic() - began > 0.5
    assert marks == ["idle", "working"], "a moment between two stages is none"


def test_idle_time_of_every_process_is_left_out() -> None:
    times = [("asked", 0.0), ("idle", 5.0), ("written", 900.0), ("working", 901.0), ("trained", 911.0)]
    times += [("idle", 912.0), ("stopped", 2000.0), ("resumed", 3000.0), ("asked", 3004.0)]
    assert time_worked({"event": kind, "time": time} for kind, time in times) == 5 + 11 + 4


def test_time_before_the_start_is_no_work() -> None:
    """A measure is drafted, a person asked, then drafted again; see `search.drafting`."""
    times = [("spent", 0.0), ("spent", 5.0), ("spent", 600.0), ("started", 900.0), ("spent", 910.0)]
    assert time_worked({"event": kind, "time": time} for kind, time in times) == 10


def test_a_wait_that_ends_with_a_kill_counts_and_the_time_until_it_goes_on_does_not() -> None:
    begun = [("generation", 1000.0), *(("working", 1000.0 + 30 * n) for n in range(1, 100))]
    times = [*begun, ("resumed", 90_000.0), ("trained", 90_005.0)]
    assert time_worked({"event": kind, "time": time} for kind, time in times) == 99 * 30 + 5


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_a_clock_that_is_set_neither_spends_nor_refunds_time(
    jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"time": 1e9, "monotonic": 50.0}
    for clock in now:
        monkeypatch.setattr(store.time, clock, lambda clock=clock: now[clock])
    with store.Run.create(tmp_path, "t") as run:
        run.event("started", steps=720)
        run.event("training", id="g0-00", seed=0)
        for moved in (0.0, jump, 0.0):
            now |= {"time": now["time"] + 10.0 + moved, "monotonic": now["monotonic"] + 10.0}
            run.event("working")
        now |= {"time": now["time"] + 500.0, "monotonic": 3.0}  # restarted
        run.event("resumed")
        now |= {"time": now["time"] + 4.0 - jump, "monotonic": 7.0}
        run.event("training", id="g0-00", seed=0)
        now |= {"time": now["time"] + 6.0, "monotonic": 13.0}
        run.event("trained", id="g0-00", seed=0)
        assert time_worked(run.events()) == 40.0
        assert speed_of(run.events()) == pytest.approx(720 / 36)
