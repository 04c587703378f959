"""Jobs that wait for a worker, while others may still come."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from eureka_loop import files
from eureka_loop.errors import DesignerError
from eureka_loop.execute.batches import Batch, batches
from eureka_loop.execute.machine import Share
from eureka_loop.records import Job, Later

PATIENCE = 0.5  # of what a batch takes: so long a free worker waits for company, where that saves time
FIRST_PATIENCE = 5.0  # s; before any batch has ended


class Line:
    """Who is next.

    A cohort of four takes little longer than a training alone. So where more are being written, a free worker
    waits until its share of them is there, but not for long: half of what a batch takes is about what one
    batch more would cost.

    Args:
        supply: job folders; `Later` where the next isn't there yet.
        share: workers, and learners in each.
        clock: seconds from any start.
    """

    def __init__(
        self,
        supply: Iterable[Path | Later],
        share: Share,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._supply, self._share, self._clock = iter(supply), share, clock
        self._loose: list[Path] = []  # in no batch yet
        self._batches: deque[Batch] = deque()
        self._coming = 0
        self._open = True
        self._problem: DesignerError | None = None
        self._since: float | None = None  # when a worker began to wait for company
        self._seconds: list[float] = []  # that each batch took

    @property
    def empty(self) -> bool:
        """Whether nothing waits, and nothing will come."""
        return not (self._open or self._loose or self._batches)

    def look(self) -> None:
        """Take in what has come."""
        while self._open:
            each = self._following()
            if isinstance(each, Path):
                self._loose.append(each)
            else:
                self._coming = each.coming
                return

    def next(self, free: int) -> Batch | None:
        """What a worker does now; None where nothing is there, or had better wait for others.

        Args:
            free: workers without work.
        """
        if free and not self._batches and self._loose and self._ripe(free):
            workers = max(1, len(self._loose) // self._each(free)) if self._coming else free
            self._batches.extend(batches(self._loose, replace(self._share, workers=workers)))
            self._loose, self._since = [], None
        return self._batches.popleft() if free and self._batches else None

    def again(self, unfinished: Sequence[Batch]) -> None:
        """Put first what a worker left undone."""
        self._batches.extendleft(reversed(unfinished))

    def took(self, seconds: float) -> None:
        """A batch has ended."""
        self._seconds.append(seconds)

    def close(self) -> None:
        """To be called when all is done.

        Raises:
            DesignerError: that is why nothing more came.
        """
        if self._problem is not None:
            raise self._problem

    def _following(self) -> Path | Later:
        try:
            return next(self._supply)
        except StopIteration:
            self._open = False
        except DesignerError as problem:  # what has come is worth its training all the same
            self._open, self._problem = False, problem
        return Later()

    def _ripe(self, free: int) -> bool:
        """Whether those that are there shall begin."""
        if not self._coming or len(self._loose) >= self._each(free) or not _together(self._loose[0]):
            return True
        now = self._clock()
        self._since = now if self._since is None else self._since
        patience = PATIENCE * fmean(self._seconds) if self._seconds else FIRST_PATIENCE
        return now - self._since >= patience

    def _each(self, free: int) -> int:
        """A free worker's share, those counted in that are coming; rounded up."""
        return -(-(len(self._loose) + self._coming) // free)


def _together(folder: Path) -> bool:
    """Whether its training is one of those that are done many at once."""
    return files.read_json(folder / "job.json", Job).trainer == "population"
