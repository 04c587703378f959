"""The time a run may take. Money and tokens are limited where a model is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from eureka_loop import numbers
from eureka_loop.errors import BudgetSpent
from eureka_loop.run_folder import Event

BEAT = 30.0  # s between two marks
T = TypeVar("T")


class Deadline:
    """Ends a run before it has worked for longer than `hours`, time before an interruption counted in.

    Args:
        hours: None: no limit.
        worked: seconds already spent, from `time_worked`.
        beat: leaves an event, every 30 s: the most that isn't counted of a process that is killed.
        clock: seconds from any start.
    """

    def __init__(
        self,
        hours: float | None,
        worked: float = 0.0,
        *,
        beat: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hours, self._beat, self._clock = hours, beat, clock
        self._end = None if hours is None else clock() + hours * 3600 - worked
        self._next_beat = clock() + BEAT

    def check(self) -> None:
        """
        Raises:
            BudgetSpent: the time is up.
        """
        now = self._clock()
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            self._beat()
        if self._end is not None and now >= self._end:
            raise BudgetSpent(f"--max-hours {numbers.compact(self._hours, 9)} is reached; resume with more")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in an event loop of its own.

        Raises:
            BudgetSpent: the time is up; the work is cancelled.
        """

        async def limited() -> T:
            task = asyncio.ensure_future(work)
            while not task.done():
                self.check()
                await asyncio.wait({task}, timeout=0.2)
            return task.result()

        return asyncio.run(limited())


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task with an exception that needn't be retrieved: another one may end the event loop first."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def time_worked(events: Iterable[Event]) -> float:
    """Seconds that a run has worked, over all its processes, from its events."""
    worked, last = 0.0, None
    for event in events:
        if last is not None and event["event"] != "resumed":
            worked += event["time"] - last
        last = event["time"]
    return worked
