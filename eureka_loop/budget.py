"""The time a run may take. Money and tokens are the designer's ledger's."""

from __future__ import annotations

import time
from collections.abc import Iterable

from eureka_loop.errors import BudgetSpent
from eureka_loop.store import Event


class Deadline:
    """Ends a run before it has worked for longer than `hours`, time before an interruption counted in.

    Args:
        hours: None: never.
        worked: seconds already spent, from `time_worked`.
    """

    def __init__(self, hours: float | None, worked: float = 0.0) -> None:
        self._hours = hours
        self._end = None if hours is None else time.monotonic() + hours * 3600 - worked

    def check(self) -> None:
        """
        Raises:
            BudgetSpent: the time is up.
        """
        if self._end is not None and time.monotonic() >= self._end:
            raise BudgetSpent(f"--max-hours {self._hours} is reached")


def time_worked(events: Iterable[Event]) -> float:
    """Seconds that a run has worked, over all its lives, from its events."""
    worked, last = 0.0, None
    for event in events:
        if last is not None and event["event"] != "resumed":
            worked += event["time"] - last
        last = event["time"]
    return worked
