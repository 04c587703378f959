"""The time a run may take. Money and tokens are limited where a model is called."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from eureka_loop.errors import BudgetSpent
from eureka_loop.store import Event

BEAT = 30.0  # s between two marks
T = TypeVar("T")


def run_within(
    work: Coroutine[Any, Any, T],
    hours: float | None,
    worked: float = 0.0,
    *,
    beat: Callable[[], None] = lambda: None,
) -> T:
    """Run a coroutine to its end in an event loop of its own.

    Args:
        worked: seconds already spent, from `time_worked`.
        beat: leaves an event, every 30 s: the most that isn't counted of a process that is killed.

    Raises:
        BudgetSpent: so many hours are up; the work is cancelled.
    """

    async def limited() -> T:
        task = start(work)
        end = time.monotonic() + (math.inf if hours is None else hours * 3600 - worked)
        while not task.done():
            left = end - time.monotonic()
            if left <= 0.0:
                raise BudgetSpent(f"--max-hours {hours:g} is reached; resume with more")
            await asyncio.wait({task}, timeout=min(BEAT, left))
            if not task.done():
                beat()
        return task.result()

    return asyncio.run(limited())


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task with an exception that needn't be retrieved: another one may end the event loop first."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def time_worked(events: Iterable[Event]) -> float:
    """Seconds that a run has worked, over all its processes, from its events."""
    return sum(seconds for _, seconds in durations(events))


def durations(events: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Every event with the seconds since the one before, 0 where a process began with it.

    By the monotonic clock, which no change of the system's time moves; older versions recorded none.
    """
    last: Event | None = None
    for event in events:
        clock = "clock" if last is not None and "clock" in event and "clock" in last else "time"
        passed = 0.0 if last is None or event["event"] == "resumed" else event[clock] - last[clock]
        yield event, max(0.0, passed)
        last = event
