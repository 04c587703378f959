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

from eureka_loop.judge.statistics import Interval, iqm, percentile_interval, rate_interval, resampled
from eureka_loop.records import Array

REPEATS = 10_000


@dataclass(frozen=True, slots=True)
class Replicates:
    """One task's trainings on report seeds, one array (trainings,) a search, none of them empty.

    Attributes:
        human: of the hand-written reward beside each search's winner; () where there is none.
        sparse: likewise of the sparse one.
    """

    winners: tuple[Array, ...]
    human: tuple[Array, ...] = ()
    sparse: tuple[Array, ...] = ()


@dataclass(frozen=True, slots=True)
class Draws:
    """Bootstrap draws of one task.

    Attributes:
        winners: (B, searches) fitness of each drawn search.
        human: (B,); NaN where there is no such reward.
        sparse: (B,) likewise.
    """

    winners: Array
    human: Array
    sparse: Array


def seen(task: Replicates) -> Draws:
    """The observed values, as a single draw."""
    groups = (task.winners, task.human, task.sparse)
    winners, human, sparse = (np.array([[float(iqm(x)) for x in group] or [np.nan]]) for group in groups)
    return Draws(winners, iqm(human), iqm(sparse))


def draw(task: Replicates, rng: np.random.Generator, repeats: int = REPEATS) -> Draws:
    """Searches drawn with replacement, with their trainings; the references' trainings likewise."""
    chosen = rng.integers(len(task.winners), size=(repeats, len(task.winners)))
    winners = np.empty(chosen.shape)
    for index, trainings in enumerate(task.winners):
        winners[chosen == index] = iqm(resampled(trainings, int(np.count_nonzero(chosen == index)), rng))
    human, sparse = (_pooled_draws(each, rng, repeats) for each in (task.human, task.sparse))
    return Draws(winners, human, sparse)


def scores(found: Draws) -> Array:
    """(B, searches): (winner − sparse) / |hand-written − sparse|; infinite or NaN where these are equal."""
    gap = np.abs(found.human - found.sparse)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((found.winners - found.sparse[:, None]) / gap[:, None])


def fitness(found: Draws) -> Array:
    """(B,): interquartile mean over searches."""
    return iqm(found.winners)


def at_least_human(found: Draws) -> Array:
    """(B,): 1 where the searches' interquartile mean is at or above the hand-written reward's, else 0."""
    winners = fitness(found)  # equal trainings in another cohort differ in the last digits
    equal = np.isclose(winners, found.human, rtol=1e-9, atol=1e-12)
    return np.asarray((winners >= found.human) | equal, dtype=np.float64)


def over_tasks(found: Sequence[Draws]) -> Array:
    """(B,): the interquartile mean of the scores of all searches of all tasks."""
    return iqm(np.concatenate([scores(each) for each in found], axis=1))


def share_of_tasks(found: Sequence[Draws]) -> Array:
    """(B,): share of tasks with winners at or above the hand-written reward."""
    return np.asarray(np.mean([at_least_human(each) for each in found], axis=0))


def interval(value: Array, draws: Array, level: float = 0.95) -> Interval:
    """The observed value, (1,), with the percentiles of its draws, (B,); undefined draws are left out."""
    return percentile_interval(float(value[0]), draws[np.isfinite(draws)], level)


def rates(searches: Sequence[Array]) -> Interval:
    """The mean over searches of the mean rate in [0, 1] of each one's trainings; a search is one draw."""
    return rate_interval(np.array([each.mean() for each in searches]))


def _pooled_draws(searches: Sequence[Array], rng: np.random.Generator, repeats: int) -> Array:
    """(B,): as many trainings for every search as it had, each drawn from those of all searches together."""
    if not searches:
        return np.full(repeats, np.nan)
    pooled = np.concatenate(searches)
    drawn = [pooled[rng.integers(pooled.size, size=(repeats, each.size))] for each in searches]
    return iqm(np.stack([iqm(each) for each in drawn], axis=1))
