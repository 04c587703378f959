"""How many runs a difference needs before it shows."""

from __future__ import annotations

import math
from statistics import NormalDist

from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array

POWER = 0.8  # chance of a verdict that the number of runs is to give


def runs_to_decide(
    ours: Array, theirs: Array, difference: Interval, *, power: float = POWER, most: int = 100
) -> int | None:
    """Runs a side with which a difference as large as the one seen would be found with that probability.

    A verdict needs two things: an interval of the difference without 0, and a permutation test. Both
    standard errors shrink with the root of the number of runs; each has to come down to the difference
    divided by the sum of two normal quantiles (Cohen, "Statistical Power Analysis", 1988, chapter 2). It is
    an estimate, and takes the difference seen for the true one, which it seldom is.

    Args:
        ours: (n,) one number a run, n >= 2.
        theirs: (m,) likewise.
        difference: of their interquartile means, with its interval.
        most: above it the answer is None.

    Returns:
        At least 4: with fewer nothing is ever decided. None where it is more than `most`.
    """
    normal = NormalDist()
    two_sided = normal.inv_cdf((1 + difference.level) / 2)
    reach = two_sided + normal.inv_cdf(power)
    of_means = math.sqrt(float(ours.var(ddof=1)) / ours.size + float(theirs.var(ddof=1)) / theirs.size)
    of_iqms = (difference.high - difference.low) / (2 * two_sided)
    runs = min(ours.size, theirs.size)
    needed = max(
        _needed(runs, reach * of_means, float(ours.mean() - theirs.mean())),
        _needed(runs, reach * of_iqms, difference.value),
        4.0,
    )
    return math.ceil(needed) if needed <= most else None


def _needed(runs: int, error: float, seen: float) -> float:
    """Runs a side at which an error that is now so large has become as small as the difference."""
    return runs * (error / seen) ** 2 if seen else math.inf
