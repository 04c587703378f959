"""The time a run may take. Money and tokens are limited where a model is called."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from eureka_loop.errors import BudgetSpent
from eureka_loop.store import Event

BEAT = 30.0  # s between two marks
TICK = 0.5  # s between two looks at whether work goes on
T = TypeVar("T")


def run_within(
    work: Coroutine[Any, Any, T],
    hours: float | None,
    worked: float = 0.0,
    *,
    mark: Callable[[str], None] = lambda _: None,
    idle: Callable[[], bool] = lambda: False,
) -> T:
    """Run a coroutine to its end in an event loop of its own.

    Args:
        worked: seconds already spent, from `time_worked`.
        mark: leaves an event: "working" every 30 s, the most that isn't counted of a process that is killed,
            and where idle time ends; "idle" where it begins.
        idle: whether nothing is done but to wait for a person, which isn't counted.

    Raises:
        BudgetSpent: so many hours are up; the work is cancelled.
    """

    async def limited() -> T:
        task, left = start(work), math.inf if hours is None else hours * 3600 - worked
        now = marked = time.monotonic()
        quiet = resting = False
        while not task.done():
            if left <= 0.0:
                raise BudgetSpent(f"--max-hours {hours:g} is reached; resume with more")
            await asyncio.wait({task}, timeout=min(BEAT, TICK, left))
            now, last = time.monotonic(), now
            left -= 0.0 if resting else now - last
            before, quiet = quiet, idle()
            rests = quiet and before  # twice: between two stages nothing goes on for a moment
            if not task.done() and (rests != resting or (not rests and now - marked >= BEAT)):
                mark("idle" if rests else "working")
                marked = now
            resting = rests
        return task.result()

    return asyncio.run(limited())


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task with an exception that needn't be retrieved: another one may end the event loop first."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


class WorkClock:
    """Seconds that a run works, event by event: none where a process begins, or only a person is waited for.

    Nothing counts before "started": calls that draft a measure are recorded there, and a person is asked.
    By the monotonic clock, which no change of the system's time moves; older versions recorded none.
    """

    def __init__(self) -> None:
        self._last: Event | None = None
        self.idle = False

    def passed(self, event: Event) -> float:
        """Since the event before."""
        last, kind, seconds = self._last, event["event"], 0.0
        if last is None and kind == "spent":
            return seconds
        if last is not None and not self.idle and kind != "resumed":
            clock = "clock" if "clock" in event and "clock" in last else "time"
            seconds = max(0.0, float(event[clock] - last[clock]))
        self._last, self.idle = event, kind == "idle" or (self.idle and kind not in ("working", "resumed"))
        return seconds


def time_worked(events: Iterable[Event]) -> float:
    """Seconds that a run has worked, over all its processes, from its events."""
    return sum(map(WorkClock().passed, events))
