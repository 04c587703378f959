"""TensorBoard's curves of one training: SB3's own losses, each term's mean, and what the judge says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import Logger, configure

from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.train.checkpoints import TermSums
from eureka_loop.train.training_episodes import TrainingEpisodes

POINTS = 100  # a training, at most


class Curves:
    """Writes event files into a folder.

    Args:
        steps: of the whole training.

    Attributes:
        logger: for SB3 to record its losses in.
    """

    def __init__(self, folder: Path, steps: int, episodes: TrainingEpisodes) -> None:
        self.logger: Logger = configure(str(folder), ["tensorboard"])
        self._episodes = episodes
        self._every = max(1, steps // POINTS)
        self._next = self._every
        self._sums: TermSums | None = None

    def snapshot(self) -> dict[str, Any]:
        """What the next point will be made of."""
        pending = dict(self.logger.name_to_value)
        return {"next": self._next, "sums": self._sums and self._sums.snapshot(), "pending": pending}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self._next = snapshot["next"]
        self._sums = TermSums.of(snapshot["sums"]) if snapshot["sums"] else None
        for name, value in snapshot["pending"].items():
            self.logger.record(name, value)

    def add(self, terms: Terms) -> None:
        if self._sums is None:
            self._sums = TermSums(terms.names)
        self._sums.add(terms.values)

    def due(self, step: int) -> bool:
        return step >= self._next

    def write(self, step: int, steps_per_s: float) -> None:
        """One point of every curve: means since the point before."""
        self._next = step + self._every
        for name, stats in (self._sums.stats() if self._sums else {}).items():
            self.logger.record(f"terms/{name}", stats.mean)
        for name, value in self._episodes.recent().items():
            self.logger.record(f"episodes/{name}", value)
        self.logger.record("time/steps_per_s", steps_per_s)
        self._sums = None
        self.logger.dump(step)

    def close(self) -> None:
        self.logger.close()
