"""Whether two numbers order episodes alike: Kendall's tau, and how sure one may be of it.

Episodes of one policy are alike, so policies are what is drawn anew: each counts once, however many episodes
there are of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array

REPEATS = 1_000


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


def kendall(
    values: Array, fitness: Array, policies: Sequence[str], *, rng: np.random.Generator, level: float = 0.95
) -> Interval | None:
    """Kendall's tau-b of values and fitness over pairs of episodes: 1 in the same order, -1 reversed.

    Its interval is a percentile bootstrap over policies. None where all values, or all of fitness, are equal.

    Args:
        values: (E,) one number an episode.
        fitness: (E,) likewise.
        policies: whose episode each is.
    """
    _, whose, sizes = np.unique(policies, return_inverse=True, return_counts=True)
    own = 1.0 / sizes[whose]
    if np.ptp(values) == 0.0 or np.ptp(fitness) == 0.0:
        return None
    drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1.0 / len(sizes)), size=REPEATS)
    taus = _tau(values, fitness, drawn[:, whose] * own)
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(taus, [tail, 100.0 - tail])
    return Interval(float(_tau(values, fitness, own[None])[0]), float(low), float(high), level)


def _tau(x: Array, y: Array, weights: Array) -> Array:
    """(B,) tau-b with episodes weighted by (B, E); 0 where a draw leaves nothing to compare."""
    by_x, by_y = np.sign(x[:, None] - x), np.sign(y[:, None] - y)

    def over_pairs(signs: Array) -> Array:
        return np.asarray(((weights @ signs) * weights).sum(axis=1))

    scale = np.sqrt(over_pairs(by_x * by_x) * over_pairs(by_y * by_y))
    return np.asarray(over_pairs(by_x * by_y) / np.where(scale > 0.0, scale, np.inf))
