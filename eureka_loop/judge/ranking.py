"""Whether a number orders episodes as fitness does: Kendall's tau, and how sure one may be of it.

Episodes of one policy are alike, so policies are what is drawn anew: each counts once, however many episodes
there are of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.judge.statistics import Interval, percentile_interval
from eureka_loop.records import Array

REPEATS = 1_000
ROUNDING = 1e-12  # relative: means of equal rewards differ by less, with how many there are


def discounted_value(rewards: Array, discount: float) -> float:
    """An episode's discounted return from each of its steps on, mean over the steps.

    That is what a policy's value function is on average over the states it visits. The return from the start
    alone sees the first 1 / (1 - discount) steps, and the rest of a long episode hardly at all.

    Args:
        rewards: (T,) in order of time.
    """
    # A reward counts, discounted, once for every step from which it lies ahead, its own among them.
    counts = np.cumsum(discount ** np.arange(len(rewards)))
    return float(rewards @ counts) / len(rewards)


class Ranking:
    """Episodes of known fitness, to hold other numbers of theirs against.

    All that doesn't depend on these is computed once: policies are drawn, and pairs of episodes compared by
    fitness. Since policies are what is drawn, pairs are added up by policy first.

    Args:
        fitness: (E,).
        policies: whose episode each is.
        level: of intervals.

    Attributes:
        policies: how many there are.
    """

    def __init__(
        self, fitness: Array, policies: Sequence[str], *, rng: np.random.Generator, level: float = 0.95
    ) -> None:
        _, whose, sizes = np.unique(policies, return_inverse=True, return_counts=True)
        self.policies, self._level = len(sizes), level
        self._shares = (whose == np.arange(len(sizes))[:, None]) / sizes[:, None]  # (P, E)
        drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1.0 / len(sizes)), size=REPEATS)
        self._drawn = np.concatenate([np.ones((1, len(sizes))), drawn])  # first as they are: (1 + B, P)
        self._signs = _signs(fitness)
        self._spread = self._over_pairs(self._signs**2, self._drawn)

    def tau(self, values: Array) -> float | None:
        """Kendall's tau-b of values (E,) and fitness over pairs of episodes: 1 in one order, -1 reversed.

        None where all values, or all of fitness, are equal.
        """
        found = self._taus(values, self._drawn[:1])
        return None if found is None else float(found[0])

    def interval(self, values: Array) -> Interval | None:
        """The same with a percentile bootstrap over policies."""
        found = self._taus(values, self._drawn)
        return None if found is None else percentile_interval(float(found[0]), found[1:], self._level)

    def _taus(self, values: Array, drawn: Array) -> Array | None:
        """Of each draw (D, P); 0 where it leaves nothing to compare."""
        signs = _signs(values)
        if not (signs.any() and self._signs.any()):
            return None
        scale = np.sqrt(self._over_pairs(signs**2, drawn) * self._spread[: len(drawn)])
        return np.asarray(self._over_pairs(signs * self._signs, drawn) / np.where(scale > 0.0, scale, np.inf))

    def _over_pairs(self, signs: Array, drawn: Array) -> Array:
        """Sums of (E, E), every policy counted as often as it was drawn."""
        by_policy = self._shares @ signs @ self._shares.T
        return np.asarray(((drawn @ by_policy) * drawn).sum(axis=1))


def _signs(values: Array) -> Array:
    """(E, E): which of two is greater; neither where they differ by rounding alone."""
    gaps, size = values[:, None] - values, np.abs(values)
    return np.asarray(np.sign(gaps) * (np.abs(gaps) > ROUNDING * np.maximum(size[:, None], size)))
