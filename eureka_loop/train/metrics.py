"""Statistics of one training: judged episodes, reward terms, checkpoints, TensorBoard curves, speed."""

from __future__ import annotations

import math
import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import Logger, configure

from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.statistics import pearson
from eureka_loop.records import Array, Job
from eureka_loop.results import Checkpoint, TermStats
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.simulate.episodes import Episode, EpisodeCollector
from eureka_loop.simulate.step_buffer import Transitions

SPACING = 100  # steps; where episodes are shorter on average, only every second, third, ... is judged
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


class TrainingEpisodes:
    """Collects whole episodes across rollouts and judges them.

    Where episodes are short, a sample of them is judged, about one in a hundred steps: every k-th, with k
    from the mean length so far, so that long ones are not preferred. Number and length count all of them.
    """

    def __init__(self, judge: TaskJudge, n_envs: int) -> None:
        self.judged: list[TrainingEpisode] = []
        self._judge = judge
        self._collector = EpisodeCollector(n_envs)
        self._finished = self._steps = self._skipped = 0  # of the whole training
        self._lengths: list[int] = []  # of the stage
        self._first = 0  # of the stage, among the judged

    def add(self, transitions: Transitions, terms: Terms) -> None:
        """Include rows with their terms; judge the episodes that they finish.

        Raises:
            RewardFailure: fitness or success failed.
        """
        columns = {name: transitions.columns[name] for name in self._judge.program_names}
        columns |= {TERM + name: values for name, values in terms.named().items()}
        for episode in self._collector.add(replace(transitions, columns=columns)):
            self._finish(episode)

    def recent(self) -> dict[str, float]:
        """Means over the last few judged episodes: fitness, success, length; empty before the first."""
        last = self.judged[-RECENT:]
        means = {
            "fitness": _mean([episode.fitness for episode in last]),
            "success": _mean([episode.success for episode in last]),
            "length": _mean([episode.length for episode in last]),
        }
        return {name: mean for name, mean in means.items() if mean is not None}

    def checkpoint(self, step: int, terms: Mapping[str, TermStats]) -> Checkpoint:
        """A checkpoint with means over the episodes finished since the one before; None without any."""
        judged = self.judged[self._first :]
        lengths, self._lengths, self._first = self._lengths, [], len(self.judged)
        fitness, success = ([getattr(each, name) for each in judged] for name in ("fitness", "success"))
        return Checkpoint(step, len(lengths), _mean(fitness), _mean(success), _mean(lengths), terms)

    def correlations(self, terms: Sequence[str]) -> dict[str, float | None]:
        """Term → Pearson correlation of its episode mean with fitness, over all judged episodes."""
        fitness = np.array([episode.fitness for episode in self.judged])
        means = {name: np.array([episode.terms[name] for episode in self.judged]) for name in terms}
        return {name: pearson(values, fitness) for name, values in means.items()}

    def snapshot(self) -> dict[str, Any]:
        """Everything seen, unfinished episodes included."""
        counts = [self._finished, self._steps, self._skipped, self._first]
        rest = {"lengths": self._lengths, "open": self._collector.snapshot()}
        return {"judged": self.judged, "counts": counts, **rest}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.judged, self._lengths = snapshot["judged"], snapshot["lengths"]
        self._finished, self._steps, self._skipped, self._first = snapshot["counts"]
        self._collector.restore(snapshot["open"])

    def _finish(self, episode: Episode) -> None:
        usual = self._steps / self._finished if self._finished else episode.length
        self._finished += 1
        self._steps += episode.length
        self._lengths.append(episode.length)
        self._skipped += 1
        if self.judged and self._skipped < math.ceil(SPACING / usual):
            return
        self._skipped = 0
        fitness, success = self._judge.measure(episode.columns)
        named = {name: column for name, column in episode.columns.items() if name.startswith(TERM)}
        means = {name.removeprefix(TERM): float(column.mean()) for name, column in named.items()}
        self.judged.append(TrainingEpisode(fitness, success, episode.length, means))


class TermSums:
    """Running sums, minima and maxima of each term; no row is kept."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._rows = tuple(names), 0
        self._sum, self._size = np.zeros(len(names)), np.zeros(len(names))  # of term, of |term|
        self._low, self._high = np.full(len(names), np.inf), np.full(len(names), -np.inf)

    def add(self, values: Array) -> None:
        """Include the terms of some rows, (K, N)."""
        self._rows += values.shape[1]
        self._sum += values.sum(axis=1)
        self._size += np.abs(values).sum(axis=1)
        np.minimum(self._low, values.min(axis=1), out=self._low)
        np.maximum(self._high, values.max(axis=1), out=self._high)

    def stats(self) -> dict[str, TermStats]:
        """One `TermStats` a term; empty without rows."""
        if not self._rows:
            return {}
        size = np.where([is_diagnostic(name) for name in self._names], 0.0, self._size)
        share = size / max(float(size.sum()), np.finfo(np.float64).tiny)
        rows = zip(self._names, self._sum / self._rows, self._low, self._high, share, strict=True)
        return {name: TermStats(*map(float, numbers)) for name, *numbers in rows}

    def snapshot(self) -> list[Any]:
        return [self._names, self._rows, self._sum, self._size, self._low, self._high]

    @classmethod
    def of(cls, snapshot: Sequence[Any]) -> TermSums:
        sums = cls(snapshot[0])
        sums._rows, sums._sum, sums._size, sums._low, sums._high = snapshot[1:]
        return sums


class TrainingMetrics:
    """Checkpoints, curves and correlations of one training.

    A checkpoint ends with the rollout in which its last step falls, so there are fewer than asked for where
    a rollout is longer than the stage between two of them.

    Attributes:
        logger: for SB3's losses; written with the next point of the curves.
        checkpoints: so far.
    """

    def __init__(self, job: Job, judge: TaskJudge, n_envs: int, folder: Path) -> None:
        self.episodes = TrainingEpisodes(judge, n_envs)
        self.checkpoints: list[Checkpoint] = []
        self.logger: Logger = configure(str(folder), ["tensorboard"])
        self._folder = folder
        self._ends = [job.steps * (i + 1) // job.checkpoints for i in range(job.checkpoints)]
        self._every = max(1, job.steps // CURVE_POINTS)
        self._next_point = self._every
        self._terms: tuple[str, ...] = ()
        self._since_checkpoint, self._since_point = TermSums(()), TermSums(())

    @property
    def correlations(self) -> dict[str, float | None]:
        """Term → correlation of its episode mean with fitness; None where undefined."""
        return self.episodes.correlations(self._terms)

    def add(self, transitions: Transitions, terms: Terms) -> None:
        """Include rewarded rows.

        Raises:
            RewardFailure: fitness or success failed.
        """
        self.episodes.add(transitions, terms)
        if not self._terms:
            self._terms = terms.names
            self._since_checkpoint, self._since_point = TermSums(terms.names), TermSums(terms.names)
        self._since_checkpoint.add(terms.values)
        self._since_point.add(terms.values)

    def due(self, step: int) -> bool:
        """Whether `end_rollout` at this step has anything to write."""
        return step >= self._next_point or bool(self._ends and step >= self._ends[0])

    def end_rollout(self, step: int, steps_per_s: float) -> None:
        """Write a point of the curves and a checkpoint where they are due."""
        if step >= self._next_point:
            self._write_point(step, steps_per_s)
        if self._ends and step >= self._ends[0]:
            self._ends = [end for end in self._ends if end > step]
            self.checkpoints.append(self.episodes.checkpoint(step, self._since_checkpoint.stats()))
            self._since_checkpoint = TermSums(self._terms)

    def progress(self, step: int, steps_per_s: float) -> dict[str, float]:
        """One line of progress: step, speed, fitness so far."""
        recent = self.episodes.recent()
        fitness = {"fitness": recent["fitness"]} if recent else {}
        return {"step": float(step), "steps_per_s": steps_per_s, **fitness}

    def snapshot(self) -> dict[str, Any]:
        return {
            "episodes": self.episodes.snapshot(),
            "checkpoints": self.checkpoints,
            "ends": self._ends,
            "next_point": self._next_point,
            "terms": self._terms,
            "sums": [self._since_checkpoint.snapshot(), self._since_point.snapshot()],
            "losses": dict(self.logger.name_to_value),
        }

    def restore(self, snapshot: Mapping[str, Any], before: Path) -> None:
        """Continue from a snapshot; the curves and progress in the folder `before` are copied."""
        for pattern in ("events.out.tfevents.*", "progress.jsonl"):
            for path in before.glob(pattern):
                shutil.copy2(path, self._folder)
        self.episodes.restore(snapshot["episodes"])
        self.checkpoints, self._ends = snapshot["checkpoints"], snapshot["ends"]
        self._next_point, self._terms = snapshot["next_point"], tuple(snapshot["terms"])
        self._since_checkpoint, self._since_point = map(TermSums.of, snapshot["sums"])
        for name, value in snapshot["losses"].items():
            self.logger.record(name, value)

    def close(self) -> None:
        self.logger.close()

    def _write_point(self, step: int, steps_per_s: float) -> None:
        """One point of every curve: means since the point before."""
        self._next_point = step + self._every
        for name, stats in self._since_point.stats().items():
            self.logger.record(f"terms/{name}", stats.mean)
        for name, value in self.episodes.recent().items():
            self.logger.record(f"episodes/{name}", value)
        self.logger.record("time/steps_per_s", steps_per_s)
        self._since_point = TermSums(self._terms)
        self.logger.dump(step)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


class Pace:
    """Clock of a training: speed over the last reports, and when the next report is due.

    Args:
        step: at which it starts, in steps of one learner.
        seconds: that the training took until then.
    """

    REPORT_EVERY = 0.5  # seconds
    SPEED_OVER = 20  # reports; enough for SAC's start to be forgotten and PPO's updates to be averaged

    def __init__(self, step: int = 0, seconds: float = 0.0) -> None:
        self._before, self._started = seconds, time.perf_counter()
        self._stopped: float | None = None
        self._marks = deque([(self._started, step)], maxlen=self.SPEED_OVER)

    @property
    def seconds(self) -> float:
        """Duration so far, or until `stop`."""
        return self._before + self._now() - self._started

    def speed(self, step: int) -> float:
        """Steps of one learner per second."""
        since, before = self._marks[0]
        return (step - before) / max(self._now() - since, 1e-9)

    def due(self, step: int) -> bool:
        """Whether it is time for a report, which then counts as made."""
        now = time.perf_counter()
        if now < self._marks[-1][0] + self.REPORT_EVERY:
            return False
        self._marks.append((now, step))
        return True

    def stop(self) -> None:
        self._stopped = time.perf_counter()

    def _now(self) -> float:
        return time.perf_counter() if self._stopped is None else self._stopped
