"""Robust means, intervals and tests for scores of a few independent runs, as plain functions.

All intervals are of 95%.

Source: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021
(the `rliable` library), sections 4.1 to 4.3; for the human-normalised score Ma et al., "Eureka: Human-Level
Reward Design via Coding Large Language Models", ICLR 2024, section 4.2.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from eureka_loop.records import Array

Z = NormalDist().inv_cdf(0.975)  # half the width of a normal interval, in standard errors
ROUNDING = 1e-12  # relative: differences below it are none


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95% interval; a bootstrap's has no width and no meaning with one run."""

    value: float
    low: float
    high: float


def iqm(scores: Array) -> Array:
    """Interquartile mean over the last axis of (..., n): the mean without the lowest and the highest quarter.

    The quarters are rounded down, as in `scipy.stats.trim_mean(scores, 0.25)`, which the source uses.
    """
    ordered = np.sort(scores, axis=-1)
    n = ordered.shape[-1]
    cut = n // 4
    return np.asarray(ordered[..., cut : n - cut].mean(axis=-1))


def resampled(scores: Array, repeats: int, rng: np.random.Generator) -> Array:
    """Draws with replacement from the runs (n, ...): (repeats, n, ...)."""
    return np.asarray(scores[rng.integers(len(scores), size=(repeats, len(scores)))])


def percentile_interval(values: Array) -> Interval:
    """An observed value with the percentiles of its draws, (1 + B,); undefined draws are left out."""
    low, high = np.percentile(values[1:][np.isfinite(values[1:])], [2.5, 97.5])
    return Interval(float(values[0]), float(low), float(high))


def bootstrap_interval(scores: Array, *, rng: np.random.Generator, repeats: int = 10_000) -> Interval:
    """Interquartile mean of independent runs (n,), with its percentile bootstrap interval."""
    return percentile_interval(np.append(iqm(scores), iqm(resampled(scores, repeats, rng))))


def probability_of_improvement(ours: Array, theirs: Array) -> Interval:
    """Probability that a random run of ours (n,) beats a random run of theirs (m,); a tie counts half.

    P(X > Y) by the Mann-Whitney U statistic, as in the source, section 4.3. The interval is Newcombe's
    ("Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2", Statistics
    in Medicine 25, 2006, method 5): where one side wins every pair, that of a bootstrap would have no width.
    """
    wins = float(0.5 + 0.5 * np.sign(ours[:, None] - theirs).mean())
    chance = np.linspace(0.0, 1.0, 100_001)
    pairs = chance / (1 + chance) + (1 - chance) / (2 - chance)
    variance = chance * (1 - chance) * (1 + ((ours.size + theirs.size) / 2 - 1) * pairs)
    held = chance[np.abs(wins - chance) <= Z * np.sqrt(variance / (ours.size * theirs.size))]
    return Interval(wins, float(held[0]), float(held[-1]))


def rate_interval(rates: Array) -> Interval:
    """The mean of some runs' rates (n,) in [0, 1], with Wilson's score interval, each run as one draw.

    A bootstrap of ten runs that all succeed is [1, 1]. This one is too wide where runs are alike, and not too
    narrow where some trainings take off and others don't. Source: Wilson, "Probable inference, the law of
    succession, and statistical inference", Journal of the American Statistical Association 22, 1927.
    """
    n, rate = rates.size, float(rates.mean())
    middle = (rate + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Interval(rate, min(rate, middle - half), max(rate, middle + half))


def permutation_p(ours: Array, theirs: Array, *, rng: np.random.Generator, repeats: int = 10_000) -> float:
    """Probability of a difference of means at least as large, of either sign, between equal rewards.

    A permutation test keeps its level with any number of runs, where a bootstrap is too sure with a handful
    (Fisher, "The Design of Experiments", 1935). Exact where there are at most `repeats` splits of the runs
    (n,) and (m,), else by random ones.
    """
    pooled, n = np.concatenate([ours, theirs]), ours.size
    if math.comb(pooled.size, n) <= repeats:
        chosen = np.array(list(itertools.combinations(range(pooled.size), n)))
        observed = 0
    else:
        chosen = rng.permuted(np.tile(np.arange(pooled.size), (repeats, 1)), axis=1)[:, :n]
        observed = 1  # the split that was observed is one of them
    sums = pooled[chosen].sum(axis=1)
    differences = np.abs(sums / n - (pooled.sum() - sums) / (pooled.size - n))
    least = abs(ours.mean() - theirs.mean()) - ROUNDING * np.abs(pooled).max()
    return float((np.count_nonzero(differences >= least) + observed) / (len(chosen) + observed))


def runs_to_decide(ours: Array, theirs: Array, difference: Interval, *, most: int = 100) -> int | None:
    """Runs a side with which a difference as large as the observed one is found four times out of five.

    A verdict needs an interval of the difference without 0, and a permutation test. Both standard errors
    shrink with the root of the number of runs; each has to come down to the difference divided by the sum of
    two normal quantiles (Cohen, "Statistical Power Analysis", 1988, chapter 2).

    Args:
        ours, theirs: one number a run, at least two.
        difference: of their interquartile means.

    Returns:
        At least 4: with fewer nothing is ever decided. None where it is more than `most`.
    """
    of_means = math.sqrt(float(ours.var(ddof=1)) / ours.size + float(theirs.var(ddof=1)) / theirs.size)
    of_iqms = (difference.high - difference.low) / (2 * Z)
    reach, needed = Z + NormalDist().inv_cdf(0.8), 4.0
    for error, seen in ((of_means, float(ours.mean() - theirs.mean())), (of_iqms, difference.value)):
        runs = min(ours.size, theirs.size) * (reach * error / seen) ** 2 if seen else math.inf
        needed = max(needed, runs)
    return math.ceil(needed) if needed <= most else None


def human_normalised(method: float, human: float, sparse: float) -> float | None:
    """(method − sparse) / |human − sparse|: 0 is the sparse reward's score, 1 the hand-written one's.

    Where the hand-written reward is the worse one its own score is −1: more fitness is still a higher score.
    None below a gap of 1%, which would multiply the noise of seeds a hundredfold.
    """
    gap = abs(human - sparse)
    return None if gap <= 0.01 * max(abs(human), abs(sparse)) else (method - sparse) / gap


def clipped(score: float) -> float:
    """A human-normalised score in [0, 3], as in the source, so that one easy task can't carry a mean."""
    return min(max(score, 0.0), 3.0)


def pearson(x: Array, y: Array) -> float | None:
    """Correlation in [-1, 1]; None under three pairs, or where either is constant up to rounding."""
    if len(x) < 3 or any(np.ptp(each) <= ROUNDING * np.abs(each).max() for each in (x, y)):
        return None
    return float(np.corrcoef(x, y)[0, 1])
