"""Scores of several searches of each of several tasks, with the search as the unit of replication.

Trainings of a search's winner tell how good that winner is; only other searches tell how good the next winner
will be. A bootstrap draws, within each task (the stratum): searches, and for each search drawn the trainings
of its winner. The hand-written and the sparse reward belong to no search: their trainings are drawn one by
one, from those of all searches together. All statistics are the same for both, an interquartile mean within
each search's trainings and one over the searches, so that equal rewards come out equal.

Source: Agarwal et al. 2021 (see `statistics`) for strata and interquartile mean; for both levels, Saravanan,
Berman and Sober, "Application of the hierarchical bootstrap to multi-level data in neuroscience", Neurons,
Behavior, Data Analysis and Theory 3, 2020: with few searches, drawing those alone is too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.statistics import Interval, iqm, percentile_interval, resampled
from eureka_loop.records import Array

REPEATS = 10_000


@dataclass(frozen=True, slots=True)
class Draws:
    """One task: the observed values in the first row, then bootstrap draws.

    Attributes:
        winners: (1 + B, searches) fitness of each drawn search.
        human: (1 + B,); NaN where there is no such reward.
        sparse: (1 + B,) likewise.
    """

    winners: Array
    human: Array
    sparse: Array

    @property
    def fitness(self) -> Array:
        """(1 + B,): interquartile mean over searches."""
        return iqm(self.winners)

    @property
    def scores(self) -> Array:
        """(1 + B, searches): (winner − sparse) / |hand-written − sparse|; not finite without a gap."""
        gap = np.abs(self.human - self.sparse)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.winners - self.sparse[:, None]) / gap[:, None])

    @property
    def at_least_human(self) -> Array:
        """(1 + B,): whether the searches' interquartile mean is at or above the hand-written reward's."""
        winners = self.fitness  # equal trainings in another cohort differ in the last digits
        return (winners >= self.human) | np.isclose(winners, self.human, rtol=1e-9, atol=1e-12)


def draw(
    winners: Sequence[Array],
    human: Sequence[Array],
    sparse: Sequence[Array],
    rng: np.random.Generator,
    repeats: int = REPEATS,
) -> Draws:
    """Searches drawn with replacement, with their trainings; the references' trainings likewise.

    Args:
        winners: trainings of each search's winner on report seeds, one array (trainings,) a search.
        human: those of the hand-written reward beside it; empty where there is none.
        sparse: likewise of the sparse one.
    """
    chosen = rng.integers(len(winners), size=(repeats, len(winners)))
    drawn = np.empty(chosen.shape)
    for index, trainings in enumerate(winners):
        drawn[chosen == index] = iqm(resampled(trainings, int(np.count_nonzero(chosen == index)), rng))
    observed = [iqm(each) for each in winners]
    references = (_reference(each, rng, repeats) for each in (human, sparse))
    return Draws(np.vstack([observed, drawn]), *references)


def over_tasks(found: Sequence[Draws]) -> Array:
    """(1 + B,): the interquartile mean of the scores of all searches of all tasks."""
    return iqm(np.concatenate([each.scores for each in found], axis=1))


def share_of_tasks(found: Sequence[Draws]) -> Array:
    """(1 + B,): share of tasks with winners at or above the hand-written reward."""
    return np.asarray(np.mean([each.at_least_human for each in found], axis=0))


def interval(values: Array) -> Interval:
    """The observed value with the percentiles of its draws, (1 + B,); undefined draws are left out."""
    return percentile_interval(float(values[0]), values[1:][np.isfinite(values[1:])])


def _reference(searches: Sequence[Array], rng: np.random.Generator, repeats: int) -> Array:
    """(1 + B,): as many trainings for every search as it had, each drawn from those of all searches."""
    if not searches:
        return np.full(1 + repeats, np.nan)
    pooled = np.concatenate(searches)
    drawn = [pooled[rng.integers(pooled.size, size=(repeats, each.size))] for each in searches]
    rows = [np.append(iqm(each), iqm(draws)) for each, draws in zip(searches, drawn, strict=True)]
    return iqm(np.stack(rows, axis=1))
