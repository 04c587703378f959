"""What goes on beside learning: ends it when it diverges, cuts checkpoints, reports."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from eureka_loop.train.checkpoints import Checkpoints
from eureka_loop.train.curves import Curves
from eureka_loop.train.training_episodes import TrainingEpisodes

Report = Callable[[Mapping[str, float]], None]

REPORT_EVERY = 0.5  # seconds
BEAT_EVERY = 30.0  # seconds, once there is nothing new to tell
SPEED_OVER = 20  # reports; long enough for SAC's start to be forgotten and PPO's updates to be averaged


class Diverged(Exception):
    """Training produced numbers that are not finite."""


class Supervision(BaseCallback):
    """SB3's callback for one training.

    Args:
        settle: rewards everything pending, so that a checkpoint holds every row up to its step.
        report: told step, steps per second and fitness so far, about twice a second.

    Raises:
        Diverged: out of `learn`.
    """

    def __init__(
        self,
        episodes: TrainingEpisodes,
        checkpoints: Checkpoints,
        curves: Curves,
        settle: Callable[[], None],
        report: Report,
    ) -> None:
        super().__init__()
        self._episodes, self._checkpoints, self._curves = episodes, checkpoints, curves
        self._settle, self._report = settle, report
        self._marks: deque[tuple[float, int]] = deque(maxlen=SPEED_OVER)  # (time, step) at reports
        self.seconds = 0.0

    def _on_training_start(self) -> None:
        self._started = time.perf_counter()
        self._next_report = self._started + REPORT_EVERY
        self._marks.append((self._started, 0))

    def _on_step(self) -> bool:
        if not (finite(self.locals["actions"]) and finite(self.locals["new_obs"])):
            raise Diverged(f"actions or observations are not finite at step {self.num_timesteps}")
        now = time.perf_counter()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY
            self._report(self._progress())
        return True

    def _on_rollout_end(self) -> None:
        checkpoint, point = self._checkpoints.due(self.num_timesteps), self._curves.due(self.num_timesteps)
        if checkpoint or point:
            self._settle()
        if point:
            self._curves.write(self.num_timesteps, self._steps_per_s())
        if checkpoint:
            self._checkpoints.take(self.num_timesteps)

    def _on_training_end(self) -> None:
        self.seconds = time.perf_counter() - self._started
        self._last = self._progress()
        self._report(self._last)

    def beat(self) -> None:
        """While the policy is judged: its last line of progress from time to time, as a sign of life."""
        now = time.perf_counter()
        if now >= self._next_report + BEAT_EVERY:
            self._next_report = now
            self._report(self._last)

    def _progress(self) -> dict[str, float]:
        progress = {"step": float(self.num_timesteps), "steps_per_s": self._steps_per_s()}
        self._marks.append((time.perf_counter(), self.num_timesteps))
        return {**progress, **{name: x for name, x in self._episodes.recent().items() if name == "fitness"}}

    def _steps_per_s(self) -> float:
        since, step = self._marks[0]
        return (self.num_timesteps - step) / max(time.perf_counter() - since, 1e-9)


def finite(value: Any) -> bool:
    """Whether all numbers of an array, or a dict of arrays, are finite."""
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    return bool(np.isfinite(value).all())


def finite_parameters(module: torch.nn.Module) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in module.parameters())
