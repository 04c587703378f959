"""What training looked like, stretch by stretch: the numbers that feedback is written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eureka_loop.records import Array
from eureka_loop.results import Checkpoint, TermStats
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.train.training_episodes import TrainingEpisodes


class TermSums:
    """Sums over the rows of a stretch, one entry a term: no row is kept."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._rows = 0
        self._sum = np.zeros(len(names))
        self._size = np.zeros(len(names))  # of |term|
        self._low = np.full(len(names), np.inf)
        self._high = np.full(len(names), -np.inf)

    def add(self, values: Array) -> None:
        """Take in the terms of some rows, (K, N)."""
        self._rows += values.shape[1]
        self._sum += values.sum(axis=1)
        self._size += np.abs(values).sum(axis=1)
        np.minimum(self._low, values.min(axis=1), out=self._low)
        np.maximum(self._high, values.max(axis=1), out=self._high)

    def snapshot(self) -> list[Any]:
        return [self._names, self._rows, self._sum, self._size, self._low, self._high]

    @classmethod
    def of(cls, snapshot: Sequence[Any]) -> TermSums:
        sums = cls(tuple(snapshot[0]))
        sums._rows, sums._sum, sums._size, sums._low, sums._high = snapshot[1:]
        return sums

    def stats(self) -> dict[str, TermStats]:
        """One `TermStats` a term; empty where there were no rows."""
        if not self._rows:
            return {}
        summed = np.array([not is_diagnostic(name) for name in self._names])
        size = np.where(summed, self._size, 0.0)
        share = size / max(float(size.sum()), np.finfo(np.float64).tiny)
        rows = zip(self._names, self._sum / self._rows, self._low, self._high, share, strict=True)
        return {name: TermStats(*map(float, numbers)) for name, *numbers in rows}


class Checkpoints:
    """Cuts training into stretches and keeps each one's statistics.

    A stretch ends with the rollout in which its last step falls, so that there are fewer stretches than asked
    for where a rollout is longer than a stretch.

    Args:
        steps: of the whole training.
        count: stretches wanted.
    """

    def __init__(self, steps: int, count: int, episodes: TrainingEpisodes) -> None:
        self.episodes = episodes
        self.taken: list[Checkpoint] = []
        self._ends = [steps * (i + 1) // count for i in range(count)]
        self._sums: TermSums | None = None

    def snapshot(self) -> dict[str, Any]:
        """What was taken, and the stretch under way; not the episodes."""
        return {"taken": self.taken, "sums": self._sums and self._sums.snapshot()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.taken = snapshot["taken"]
        self._sums = TermSums.of(snapshot["sums"]) if snapshot["sums"] else None
        if self.taken:
            self._ends = [end for end in self._ends if end > self.taken[-1].step]

    def add(self, terms: Terms) -> None:
        if self._sums is None:
            self._sums = TermSums(terms.names)
        self._sums.add(terms.values)

    def due(self, step: int) -> bool:
        """Whether a stretch ends at or before this step."""
        return bool(self._ends) and step >= self._ends[0]

    def take(self, step: int) -> Checkpoint:
        """End the stretch here and begin the next."""
        self._ends = [end for end in self._ends if end > step]
        seen = self.episodes.take()
        terms = self._sums.stats() if self._sums else {}
        self._sums = None
        checkpoint = Checkpoint(step, seen.finished, seen.fitness, seen.success, seen.length, terms)
        self.taken.append(checkpoint)
        return checkpoint
