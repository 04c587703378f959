"""Statistics of one training: judged episodes, reward terms, checkpoints, TensorBoard curves, speed."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from stable_baselines3.common.logger import Logger, configure

from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.statistics import pearson
from eureka_loop.records import Array, Job
from eureka_loop.results import Checkpoint, JudgedEpisode, TermStats, Trained
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.simulate.step_buffer import EpisodeCollector, Transitions

SPACING = 100  # steps; of shorter episodes a sample is judged, on average one in so many steps
RECENT = 10  # judged episodes behind "fitness so far"
CURVE_POINTS = 100  # of a training, at most
TERM = "term "  # prefix of terms among an episode's columns; no parameter has a blank


@dataclass(frozen=True, slots=True)
class TrainingEpisode:
    """A judged episode of training; `terms` are means over its steps."""

    fitness: float
    success: float | None
    length: int
    terms: Mapping[str, float]


class TermSums:
    """Running sums, minima and maxima of each term; no row is kept.

    Attributes:
        totals: (4, K): sums of term and of |term|, minima, maxima.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self.rows = tuple(names), 0
        self.totals = np.repeat([[0.0], [0.0], [np.inf], [-np.inf]], len(names), axis=1)

    def add(self, values: Array) -> None:
        """Include the terms of some rows, (K, N)."""
        total, size, low, high = self.totals
        self.rows += values.shape[1]
        total += values.sum(axis=1)
        size += np.abs(values).sum(axis=1)
        np.minimum(low, values.min(axis=1), out=low)
        np.maximum(high, values.max(axis=1), out=high)

    def stats(self) -> dict[str, TermStats]:
        """One `TermStats` a term, of at least one row."""
        total, size, low, high = self.totals
        size = np.where([is_diagnostic(name) for name in self._names], 0.0, size)
        share = size / max(float(size.sum()), np.finfo(np.float64).tiny)
        rows = zip(self._names, total / self.rows, low, high, share, strict=True)
        return {name: TermStats(*map(float, numbers)) for name, *numbers in rows}


class TrainingMetrics:
    """Checkpoints and curves of one training, and its result.

    A checkpoint ends with the rollout in which its last step falls, so there are fewer than asked for where
    a rollout is longer than the stage between two of them. Its number and length of episodes count all; its
    fitness and success are of those judged.

    Attributes:
        logger: for SB3's losses; written with the next point of the curves.
        checkpoints: so far.
    """

    def __init__(self, job: Job, judge: TaskJudge, n_envs: int, folder: Path) -> None:
        self.logger: Logger = configure(str(folder), ["tensorboard"])
        self.checkpoints: list[Checkpoint] = []
        self._job, self._judge = job, judge
        self._collector = EpisodeCollector(n_envs)
        self._judged: list[TrainingEpisode] = []
        self._steps = 0  # of all finished episodes
        self._terms: tuple[str, ...] = ()
        self._sums: TermSums | None = None
        self._ends = [job.steps * (i + 1) // job.checkpoints for i in range(job.checkpoints)]
        self._every = self._next_point = max(1, job.steps // CURVE_POINTS)
        self._begin_stage()

    def add(self, transitions: Transitions, terms: Terms) -> None:
        """Include rewarded rows; judge the episodes that they finish.

        Raises:
            RewardFailure: fitness or success failed.
        """
        columns = {name: transitions.columns[name] for name in self._judge.program_names}
        columns |= {TERM + name: values for name, values in terms.named().items()}
        for episode in self._collector.add(replace(transitions, columns=columns)):
            due = self._steps >= SPACING * len(self._judged)  # its own length must not count
            length = len(next(iter(episode.values())))
            self._steps += length
            self._lengths.append(length)
            if due:
                fitness, success = self._judge.measure(episode)
                means = {name: float(episode[TERM + name].mean()) for name in terms.names}
                self._judged.append(TrainingEpisode(fitness, success, length, means))
        if self._sums is None:
            self._terms, self._sums = terms.names, TermSums(terms.names)
        self._sums.add(terms.values)
        for name, mean in zip(terms.names, terms.values.mean(axis=1).tolist(), strict=True):
            self.logger.record_mean(f"terms/{name}", mean)

    def due(self, step: int) -> bool:
        """Whether `end_rollout` at this step has anything to write."""
        return step >= self._next_point or bool(self._ends and step >= self._ends[0])

    def end_rollout(self, step: int, steps_per_s: float, action_noise: float | None = None) -> None:
        """Write a point of the curves, means since the point before, and a checkpoint where they are due."""
        if step >= self._next_point:
            self._next_point = step + self._every
            for name, value in _means(self._judged[-RECENT:]).items():
                self.logger.record(f"episodes/{name}", value)
            self.logger.record("time/steps_per_s", steps_per_s)
            self.logger.dump(step)
        if self._ends and step >= self._ends[0]:
            self._ends = [end for end in self._ends if end > step]
            means, lengths = _means(self._judged[self._first :]), self._lengths
            length = sum(lengths) / len(lengths) if lengths else None
            terms = self._sums.stats() if self._sums else {}
            fitness, success = means.get("fitness"), means.get("success")
            finished = (len(lengths), fitness, success, length)
            self.checkpoints.append(Checkpoint(step, *finished, terms, action_noise))
            self._begin_stage()

    def progress(self, step: int, steps_per_s: float) -> dict[str, float]:
        """One line of progress: step, speed, fitness so far."""
        recent = _means(self._judged[-RECENT:])
        fitness = {"fitness": recent["fitness"]} if recent else {}
        return {"step": float(step), "steps_per_s": steps_per_s, **fitness}

    def trained(self, steps: int, episodes: tuple[JudgedEpisode, ...], seconds: float) -> Trained:
        """The result: the final policy's judged episodes, with the statistics of its training."""
        fitness = np.array([each.fitness for each in self._judged])
        means = {name: np.array([each.terms[name] for each in self._judged]) for name in self._terms}
        correlations = {name: pearson(values, fitness) for name, values in means.items()}
        candidate, seed = self._job.candidate, self._job.seed
        return Trained(candidate, seed, steps, episodes, tuple(self.checkpoints), correlations, seconds)

    def _begin_stage(self) -> None:
        """Statistics from one checkpoint to the next."""
        self._sums = None
        self._lengths: list[int] = []  # of all episodes
        self._first = len(self._judged)


def share_of_bounds(std: Array, low: Array, high: Array) -> float | None:
    """The mean standard deviation of actions, (A,), as a share of their bounds; None without bounds."""
    size = np.maximum(np.abs(low), np.abs(high))
    return float((std / size).mean()) if np.isfinite(size).all() and size.all() else None


def _means(episodes: Sequence[TrainingEpisode]) -> dict[str, float]:
    """Mean fitness, success and length; no success where there is none, nothing without episodes."""
    values = {name: [getattr(each, name) for each in episodes] for name in ("fitness", "success", "length")}
    known = {name: [value for value in each if value is not None] for name, each in values.items()}
    return {name: math.fsum(each) / len(each) for name, each in known.items() if each}


class Pace:
    """Clock of a training.

    Attributes:
        seconds, speed: duration, and steps of one learner per second, at the last `tick`.
    """

    REPORT_EVERY = 0.5  # seconds
    SPEED_OVER = 20  # reports; enough for SAC's start to be forgotten and PPO's updates to be averaged

    def __init__(self) -> None:
        self.seconds, self.speed = 0.0, 0.0
        self._started = time.perf_counter()
        self._marks = deque([(0.0, 0)], maxlen=self.SPEED_OVER)

    def tick(self, step: int) -> bool:
        """Whether it is time for a report, which then counts as made."""
        self.seconds = time.perf_counter() - self._started
        since, before = self._marks[0]
        self.speed = (step - before) / max(self.seconds - since, 1e-9)
        if self.seconds < self._marks[-1][0] + self.REPORT_EVERY:
            return False
        self._marks.append((self.seconds, step))
        return True
