"""Scores of several searches of each of several tasks, with the search as the unit of replication.

Only other searches show how good the next winner will be. A bootstrap draws, within each task (the stratum):
searches, and for each search drawn the trainings of its winner. Trainings of the hand-written and the sparse
reward are drawn one by one, from those of all searches together. Both get an interquartile mean within each
search's trainings and one over the searches, so that equal rewards come out equal.

Source: Agarwal et al. 2021 (see `statistics`) for strata and interquartile mean; for both levels, Saravanan,
Berman and Sober, "Application of the hierarchical bootstrap to multi-level data in neuroscience", Neurons,
Behavior, Data Analysis and Theory 3, 2020: with few searches, drawing those alone is too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.statistics import iqm, resampled
from eureka_loop.records import Array


@dataclass(frozen=True, slots=True)
class Draws:
    """One task: the observed values in the first row, then bootstrap draws."""

    winners: Array  # (1 + B, searches) fitness of each drawn search
    human: Array  # (1 + B,); NaN where there is no such reward
    sparse: Array  # (1 + B,) likewise

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
    repeats: int = 10_000,
) -> Draws:
    """Searches drawn with replacement, with their trainings; the references' trainings likewise.

    Args:
        winners: trainings of each search's winner on report seeds, one array (trainings,) a search.
        human, sparse: those of the references beside it; empty where there are none.
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


def _reference(searches: Sequence[Array], rng: np.random.Generator, repeats: int) -> Array:
    """(1 + B,): as many trainings for every search as it had, each drawn from those of all searches."""
    if not searches:
        return np.full(1 + repeats, np.nan)
    pooled = np.concatenate(searches)
    drawn = [pooled[rng.integers(pooled.size, size=(repeats, each.size))] for each in searches]
    rows = [np.append(iqm(each), iqm(draws)) for each, draws in zip(searches, drawn, strict=True)]
    return iqm(np.stack(rows, axis=1))
