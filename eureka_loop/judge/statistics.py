"""Robust means, intervals and tests for scores of a few independent runs, as plain functions.

Scores come as *strata*: one array of independent runs a stratum (a task, as in the source). A bootstrap draws
within each stratum, so that every stratum keeps its weight in runs.

Source: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021
(the `rliable` library), sections 4.1 to 4.3; for the human-normalised score Ma et al., "Eureka: Human-Level
Reward Design via Coding Large Language Models", ICLR 2024, section 4.2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from eureka_loop.records import Array

Statistic = Callable[[Array], Array]  # (..., n) → (...): reduces the last axis
Strata = Sequence[Array]  # one (runs,) array of scores a stratum


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its percentile interval; with one run a stratum it has no width and no meaning."""

    value: float
    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class HumanNormalised:
    """(method − sparse) / |human − sparse|: 0 is the sparse reward's score.

    Attributes:
        clipped: in [0, 3], as in the source, so that one easy task can't carry a mean.
        human: score of the hand-written reward: 1, or −1 where it did worse than the sparse one. Then more
            fitness is still a higher score, but no reward scored 1.
    """

    raw: float
    clipped: float
    human: Literal[1, -1] = 1


def iqm(scores: Array) -> Array:
    """Interquartile mean over the last axis of (..., n): the mean without the lowest and the highest quarter.

    The quarters are rounded down, as in `scipy.stats.trim_mean(scores, 0.25)`, which the source uses.
    """
    ordered = np.sort(scores, axis=-1)
    n = ordered.shape[-1]
    cut = n // 4
    return np.asarray(ordered[..., cut : n - cut].mean(axis=-1))


def resampled(scores: Array, repeats: int, rng: np.random.Generator) -> Array:
    """(repeats, runs): each row drawn from the scores with replacement."""
    scores = np.asarray(scores, dtype=np.float64)
    return np.asarray(scores[rng.integers(scores.size, size=(repeats, scores.size))])


def percentile_interval(value: float, draws: Array, level: float = 0.95) -> Interval:
    """An observed value with the percentiles of its bootstrap draws, (B,)."""
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(draws, [tail, 100.0 - tail])
    return Interval(value, float(low), float(high), level)


def bootstrap_interval(
    strata: Strata,
    statistic: Statistic = iqm,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    repeats: int = 10_000,
) -> Interval:
    """A statistic of all scores together, with its stratified percentile bootstrap interval.

    Args:
        strata: at least one array, each with at least one score.
    """
    pooled = np.concatenate([np.asarray(scores, dtype=np.float64) for scores in strata])
    draws = np.concatenate([resampled(scores, repeats, rng) for scores in strata], axis=1)  # (repeats, n)
    return percentile_interval(float(statistic(pooled)), statistic(draws), level)


def probability_of_improvement(ours: Array, theirs: Array, *, level: float = 0.95) -> Interval:
    """Probability that a random run of ours (n,) beats a random run of theirs (m,); a tie counts half.

    P(X > Y) by the Mann-Whitney U statistic, as in the source, section 4.3; 0.5 favours neither side. The
    interval is Newcombe's ("Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2", Statistics in Medicine 25, 2006, method 5): where one side wins every pair, that of a
    bootstrap would have no width.
    """
    wins = float(0.5 + 0.5 * np.sign(ours[:, None] - theirs).mean())
    n, m, z = ours.size, theirs.size, NormalDist().inv_cdf((1 + level) / 2)

    def rejected(chance: float) -> bool:
        pairs = chance / (1 + chance) + (1 - chance) / (2 - chance)
        variance = chance * (1 - chance) * (1 + ((n + m) / 2 - 1) * pairs) / (n * m)
        return abs(wins - chance) > z * math.sqrt(variance)

    def bound(outside: float) -> float:
        inside = wins
        for _ in range(40):  # bisection to 1e-12
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if rejected(middle) else (outside, middle)
        return inside

    return Interval(wins, bound(0.0), bound(1.0), level)


def rate_interval(rates: Array, *, level: float = 0.95) -> Interval:
    """The mean of some runs' rates (n,) in [0, 1], with Wilson's score interval, each run as one draw.

    A bootstrap of ten runs that all succeed is [1, 1]. A rate varies between runs at most as a coin's does,
    so this is too wide where runs are alike, and not too narrow where some trainings take off and others
    don't (coverage: `tests/judge/test_statistics.py`).

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22, 1927.
    """
    n, rate, z = rates.size, float(rates.mean()), NormalDist().inv_cdf((1 + level) / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(rate, min(rate, middle - half), max(rate, middle + half), level)


def permutation_p(ours: Array, theirs: Array, *, rng: np.random.Generator, repeats: int = 10_000) -> float:
    """Probability of a difference of means at least as large, of either sign, between equal rewards.

    A permutation test keeps its level with any number of runs, where a bootstrap is too sure with a handful
    (Fisher, "The Design of Experiments", 1935). Exact where there are at most `repeats` splits of the runs,
    else by random ones.

    Args:
        ours: (n,) one number a run.
        theirs: (m,) likewise.
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
    as_large = np.count_nonzero(differences >= abs(ours.mean() - theirs.mean()) * (1 - 1e-12))
    return float((as_large + observed) / (len(chosen) + observed))


def runs_to_decide(
    ours: Array, theirs: Array, difference: Interval, *, power: float = 0.8, most: int = 100
) -> int | None:
    """Runs a side with which a difference as large as the observed one is found with probability `power`.

    A verdict needs an interval of the difference without 0, and a permutation test. Both standard errors
    shrink with the root of the number of runs; each has to come down to the difference divided by the sum of
    two normal quantiles (Cohen, "Statistical Power Analysis", 1988, chapter 2). An estimate: it takes the
    observed difference for the true one.

    Args:
        ours: (n,) one number a run, n >= 2.
        theirs: (m,) likewise.
        difference: of their interquartile means, with its interval.

    Returns:
        At least 4: with fewer nothing is ever decided. None where it is more than `most`.
    """
    two_sided = NormalDist().inv_cdf((1 + difference.level) / 2)
    reach = two_sided + NormalDist().inv_cdf(power)
    of_means = math.sqrt(float(ours.var(ddof=1)) / ours.size + float(theirs.var(ddof=1)) / theirs.size)
    of_iqms = (difference.high - difference.low) / (2 * two_sided)
    needed = 4.0
    for error, seen in ((of_means, float(ours.mean() - theirs.mean())), (of_iqms, difference.value)):
        runs = min(ours.size, theirs.size) * (reach * error / seen) ** 2 if seen else math.inf
        needed = max(needed, runs)
    return math.ceil(needed) if needed <= most else None


def human_normalised(
    method: float, human: float, sparse: float, *, guard: float = 0.01
) -> HumanNormalised | None:
    """The method's score on the scale from sparse (0) to hand-written (1, or −1 where that is the worse one).

    Args:
        guard: least gap between human and sparse, relative to the larger of the two; below it the noise of
            seeds would be multiplied a hundredfold.

    Returns:
        None where human ≈ sparse: the scale has no length.
    """
    gap = abs(human - sparse)
    if gap <= guard * max(abs(human), abs(sparse)):
        return None
    raw = (method - sparse) / gap
    return HumanNormalised(raw, float(np.clip(raw, 0.0, 3.0)), 1 if human > sparse else -1)


def pearson(x: Array, y: Array) -> float | None:
    """Correlation in [-1, 1]; None under three pairs, or where either is constant up to rounding."""
    if len(x) < 3 or any(np.ptp(each) <= 1e-12 * np.abs(each).max() for each in (x, y)):
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1.0, 1.0))
