"""How sure one may be: robust means, intervals, and scores beside the hand-written reward's.

Scores come as *strata*: one array of independent runs a stratum (a task, as in the source, or whatever else
is fixed by design). A bootstrap draws anew within each stratum, so that every one keeps its weight in runs.

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

from eureka_loop.numbers import compact
from eureka_loop.records import Array

Statistic = Callable[[Array], Array]  # (..., n) → (...): reduces the last axis
Strata = Sequence[Array]  # one (runs,) array of scores a stratum


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its percentile interval; of no width, and no meaning, with one run a stratum."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{compact(self.value)} [{compact(self.low)}, {compact(self.high)}]"


@dataclass(frozen=True, slots=True)
class HumanNormalised:
    """(method − sparse) / |human − sparse|: 0 is the sparse reward's score.

    Attributes:
        clipped: in [0, 3], as in the source, so that one easy task can't carry a mean.
        human: the hand-written reward's own score: 1, or −1 where it did worse than the sparse one. The scale
            keeps its direction (more fitness is a higher score), but 1 is nobody's score then.
    """

    raw: float
    clipped: float
    human: Literal[1, -1] = 1


def iqm(scores: Array) -> Array:
    """Interquartile mean over the last axis: the mean without the lowest and the highest quarter.

    The quarters are rounded down, as in `scipy.stats.trim_mean(scores, 0.25)`, which the source uses.

    Args:
        scores: (..., n), n ≥ 1.
    """
    ordered = np.sort(scores, axis=-1)
    n = ordered.shape[-1]
    cut = n // 4
    return np.asarray(ordered[..., cut : n - cut].mean(axis=-1))


def mean(scores: Array) -> Array:
    """The mean over the last axis, as a `Statistic`."""
    return np.asarray(scores.mean(axis=-1))


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
    """How likely a random run of ours beats a random run of theirs; a tie counts half.

    P(X > Y) by the Mann-Whitney U statistic, as in the source, section 4.3. 0.5 says nothing either way.

    Where one side wins every pair, a bootstrap's interval has no width at all. This one doesn't collapse: it
    holds every probability that the wins seen don't speak against (Newcombe, "Confidence intervals for an
    effect size measure based on the Mann-Whitney statistic. Part 2", Statistics in Medicine 25, 2006,
    method 5).

    Args:
        ours: (n,) one number a run.
        theirs: (m,) likewise.
    """
    wins = float(0.5 + 0.5 * np.sign(ours[:, None] - theirs).mean())
    n, m, z = ours.size, theirs.size, NormalDist().inv_cdf((1 + level) / 2)

    def speaks_against(chance: float) -> bool:
        pairs = chance / (1 + chance) + (1 - chance) / (2 - chance)
        variance = chance * (1 - chance) * (1 + ((n + m) / 2 - 1) * pairs) / (n * m)
        return abs(wins - chance) > z * math.sqrt(variance)

    return Interval(wins, _border(0.0, wins, speaks_against), _border(1.0, wins, speaks_against), level)


def rate_interval(rates: Array, *, level: float = 0.95) -> Interval:
    """The mean of some runs' shares, with an interval that doesn't collapse where all are alike.

    A bootstrap of ten runs that all succeed says [1, 1]: it has seen nothing else. This is the score interval
    (Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22, 1927) with each run as one draw, however many episodes its share is of. A
    share varies between runs at most as a coin's does, so that this is too wide where runs are alike, and not
    too narrow where some trainings take off and others don't. Estimating how alike they are from a handful
    (a design effect) isn't: see the coverage in `tests/judge/test_rates.py`.

    Args:
        rates: (n,) in [0, 1], one a run.
    """
    n, rate, z = rates.size, float(rates.mean()), NormalDist().inv_cdf((1 + level) / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(rate, min(rate, middle - half), max(rate, middle + half), level)


def _border(out: float, inside: float, is_out: Callable[[float], bool]) -> float:
    """Where a predicate that holds at `out` ceases to hold, on the way to `inside`; bisected to 1e-12."""
    for _ in range(40):
        middle = (out + inside) / 2
        out, inside = (middle, inside) if is_out(middle) else (out, middle)
    return inside


def permutation_p(ours: Array, theirs: Array, *, rng: np.random.Generator, repeats: int = 10_000) -> float:
    """How often equal rewards would show a difference of means at least as large, of either sign.

    The bootstrap is too sure of itself with a handful of runs; a permutation test keeps its level with any
    number (Fisher, "The Design of Experiments", 1935). Exact where there are at most `repeats` splits of the
    runs, else by random ones.

    Args:
        ours: (n,) one number a run.
        theirs: (m,) likewise.
    """
    pooled, n = np.concatenate([ours, theirs]), ours.size
    if math.comb(pooled.size, n) <= repeats:
        chosen = np.array(list(itertools.combinations(range(pooled.size), n)))
        extra = 0
    else:
        chosen = rng.permuted(np.tile(np.arange(pooled.size), (repeats, 1)), axis=1)[:, :n]
        extra = 1  # the split that was seen is one of them
    sums = pooled[chosen].sum(axis=1)
    differences = np.abs(sums / n - (pooled.sum() - sums) / (pooled.size - n))
    seen = abs(ours.mean() - theirs.mean())
    as_large = np.count_nonzero(differences >= seen * (1 - 1e-12))
    return float((as_large + extra) / (len(chosen) + extra))


def human_normalised(
    method: float, human: float, sparse: float, *, guard: float = 0.01
) -> HumanNormalised | None:
    """The method's score on the scale from sparse (0) to hand-written (1, or −1 where that is the worse one).

    Args:
        guard: least gap between human and sparse, relative to the larger of the two; below it a seed's noise
            would be multiplied a hundredfold.

    Returns:
        None where human ≈ sparse: the scale has no length.
    """
    gap = abs(human - sparse)
    if gap <= guard * max(abs(human), abs(sparse)):
        return None
    raw = (method - sparse) / gap
    return HumanNormalised(raw, float(np.clip(raw, 0.0, 3.0)), 1 if human > sparse else -1)


def pearson(x: Array, y: Array) -> float | None:
    """Correlation in [-1, 1]; None under three pairs, or where either is constant."""
    if len(x) < 3 or _constant(x) or _constant(y):
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1.0, 1.0))


def _constant(x: Array) -> bool:
    """Up to rounding: the mean of equal numbers may differ from them in its last digit."""
    return bool(np.ptp(x) <= 1e-12 * np.abs(x).max())


def resampled(scores: Array, repeats: int, rng: np.random.Generator) -> Array:
    """(repeats, runs): each row drawn from the scores with replacement."""
    scores = np.asarray(scores, dtype=np.float64)
    return np.asarray(scores[rng.integers(scores.size, size=(repeats, scores.size))])


def percentile_interval(value: float, draws: Array, level: float = 0.95) -> Interval:
    """A value seen, with the percentiles of what it came to when drawn anew, (B,)."""
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(draws, [tail, 100.0 - tail])
    return Interval(value, float(low), float(high), level)
