"""The time a run may take. Money and tokens are the designer's ledger's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from eureka_loop.errors import BudgetSpent
from eureka_loop.run_folder import Event

BEAT = 30.0  # s


class Deadline:
    """Ends a run before it has worked for longer than `hours`, time before an interruption counted in.

    Args:
        hours: None: never.
        worked: seconds already spent, from `time_worked`.
        beat: leaves an event, every 30 s: so much at most isn't counted of a life that is killed.
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
        """To be called a few times a second while the run waits for anything.

        Raises:
            BudgetSpent: the time is up.
        """
        now = self._clock()
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            self._beat()
        if self._end is not None and now >= self._end:
            raise BudgetSpent(f"--max-hours {self._hours:g} is reached; resume with more")


def time_worked(events: Iterable[Event]) -> float:
    """Seconds that a run has worked, over all its lives, from its events."""
    worked, last = 0.0, None
    for event in events:
        if last is not None and event["event"] != "resumed":
            worked += event["time"] - last
        last = event["time"]
    return worked
