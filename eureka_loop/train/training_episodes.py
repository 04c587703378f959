"""The episodes of training, judged as they finish: how fitness moves, and which terms move with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.statistics import pearson
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.simulate.episodes import Episode, EpisodeCollector
from eureka_loop.simulate.step_buffer import Transitions

SPACING = 100  # steps; where episodes are shorter on average, only every second, third, ... is judged
RECENT = 10  # judged episodes behind "fitness so far"
TERM = "term "  # before a term's name among an episode's columns; no parameter has a blank


@dataclass(frozen=True, slots=True)
class JudgedEpisode:
    """One episode's score, and each term's mean over its steps."""

    fitness: float
    success: float | None
    length: int
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The episodes that finished in a stretch of training; means are None where there are none to take."""

    finished: int
    length: float | None
    fitness: float | None
    success: float | None


class TrainingEpisodes:
    """Collects whole episodes across rollouts and judges them.

    Where episodes are short, a sample of them is judged, about one a hundred steps: every k-th, with k from
    the mean length of those before, so that long ones are not preferred. Number and length count them all.
    """

    def __init__(self, judge: ProgramJudge, n_envs: int) -> None:
        self.judged: list[JudgedEpisode] = []
        self._judge = judge
        self._collector = EpisodeCollector(n_envs)
        self._finished = self._steps = self._skipped = 0  # of the whole training
        self._lengths: list[int] = []  # of the stretch
        self._first = 0  # of the stretch, among the judged
        self._names: tuple[str, ...] = ()  # of the terms

    def snapshot(self) -> dict[str, Any]:
        """All that was seen, episodes under way included."""
        counts = [self._finished, self._steps, self._skipped, self._first]
        stretch = {"lengths": self._lengths, "names": self._names}
        return {"judged": self.judged, "counts": counts, **stretch, "open": self._collector.snapshot()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.judged, self._lengths = snapshot["judged"], snapshot["lengths"]
        self._finished, self._steps, self._skipped, self._first = snapshot["counts"]
        self._names = tuple(snapshot["names"])
        self._collector.restore(snapshot["open"])

    def add(self, transitions: Transitions, terms: Terms) -> None:
        """Take in rows with their terms; judge what they finish.

        Raises:
            RewardFailure: fitness or success failed.
        """
        self._names = terms.names
        columns = {name: transitions.columns[name] for name in self._judge.names}
        columns |= {TERM + name: values for name, values in terms.named().items()}
        for episode in self._collector.add(replace(transitions, columns=columns)):
            self._finish(episode)

    def recent(self) -> dict[str, float]:
        """Means over the last few judged episodes: fitness, success, length; empty before the first."""
        last = self.judged[-RECENT:]
        means = {
            "fitness": _mean([episode.fitness for episode in last]),
            "success": _mean([episode.success for episode in last if episode.success is not None]),
            "length": _mean([episode.length for episode in last]),
        }
        return {name: mean for name, mean in means.items() if mean is not None}

    def take(self) -> Stretch:
        """What finished since the call before."""
        judged = self.judged[self._first :]
        lengths, self._lengths, self._first = self._lengths, [], len(self.judged)
        return Stretch(
            finished=len(lengths),
            length=_mean(lengths),
            fitness=_mean([episode.fitness for episode in judged]),
            success=_mean([episode.success for episode in judged if episode.success is not None]),
        )

    def correlations(self) -> dict[str, float | None]:
        """Term → Pearson correlation of its episode mean with fitness, over all judged episodes."""
        fitness = np.array([episode.fitness for episode in self.judged])
        means = {name: np.array([episode.terms[name] for episode in self.judged]) for name in self._names}
        return {name: pearson(values, fitness) for name, values in means.items()}

    def _finish(self, episode: Episode) -> None:
        usual = self._steps / self._finished if self._finished else episode.length
        self._finished += 1
        self._steps += episode.length
        self._lengths.append(episode.length)
        self._skipped += 1
        if self.judged and self._skipped < math.ceil(SPACING / usual):
            return
        self._skipped = 0
        self.judged.append(self._score(episode))

    def _score(self, episode: Episode) -> JudgedEpisode:
        fitness, success = self._judge.measure(episode.columns)
        means = {
            name.removeprefix(TERM): float(values.mean())
            for name, values in episode.columns.items()
            if name.startswith(TERM)
        }
        return JudgedEpisode(fitness, success, episode.length, means)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
