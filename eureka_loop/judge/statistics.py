"""Robust means, intervals and tests for scores of a few independent runs, as plain functions.

All intervals are of 95%.

Source: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021
(the `rliable` library), sections 4.1 to 4.3; for the human-normalised score Ma et al., "Eureka: Human-Level
Reward Design via Coding Large Language Models", ICLR 2024, section 4.2.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from eureka_loop.records import Array

Z = NormalDist().inv_cdf(0.975)  # half the width of a normal interval, in standard errors
ROUNDING = 1e-12  # relative: differences below it are none
LEVEL = 0.05  # how often equal rewards may get a verdict
LEAST = 4  # seeds a side: three that separate completely do so by chance in 10% of cases
BY_CHANCE = 3.0  # n r² that a correlation r of n pairs must exceed to count; 1 is its mean by chance


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


class PermutationTest:
    """Test of the difference between two rewards' means over the same training seeds.

    The statistic is the difference divided by its standard error, which is smaller where both trainings of a
    seed are correlated beyond chance. The null distribution deals the numbers out anew, to rewards and seeds
    alike (with up to five seeds in all ways): exact where a seed's trainings are independent, conservative
    where they are correlated, as measured by `benchmarks/honesty.py`.

    Source: Fisher, "The Design of Experiments", 1935; Janssen, "Studentized permutation tests for non-i.i.d.
    hypotheses and the generalized Behrens-Fisher problem", Statistics & Probability Letters 36, 1997.

    Attributes:
        difference: of the means.
        error: its standard error.
        runs: of each side.
    """

    def __init__(
        self, ours: Array, theirs: Array, *, rng: np.random.Generator, repeats: int = 10_000
    ) -> None:
        n, every = ours.size, range(2 * ours.size)
        self.runs = n
        if n <= 5:
            firsts = ((0, *others) for others in itertools.combinations(every[1:], n - 1))
            seconds = ((first, itertools.permutations(sorted({*every} - {*first}))) for first in firsts)
            deals = np.array([(*first, *second) for first, all_of in seconds for second in all_of])
        else:
            others = rng.permuted(np.tile(np.array(every), (repeats, 1)), axis=1)
            deals = np.concatenate([[every], others])  # the observed one is the first here, too
        both = np.concatenate([ours, theirs])
        # (2, deals, 2, n): a number is the first of these plus the shift times the second
        sides = np.stack([both[deals], -1.0 * (deals < n)]).reshape(2, -1, 2, n)
        means = sides.mean(axis=-1)
        residuals = sides - means[..., None]
        self._differences = means[..., 0] - means[..., 1]
        self._moments = np.einsum("ibsn,jbtn->ijbst", residuals, residuals) / (n * (n - 1))
        self._chance, self._rounding = BY_CHANCE / n, max(ROUNDING * float(np.abs(both).max()), 1e-150)
        self.difference, self.error = (float(each[0]) for each in self._shifted(0.0))

    def p(self, shift: float = 0.0) -> float:
        """Probability of a difference as far from `shift`, on either side, where the true one is `shift`."""
        differences, errors = self._shifted(shift)
        least = (abs(differences[0]) - self._rounding) / errors[0]
        return float(np.mean(np.abs(differences) >= least * errors))

    def p_within(self, margin: float) -> float:
        """Probability of a difference as small where the true one is as large as the margin.

        Two one-sided tests: Schuirmann, "A comparison of the two one-sided tests procedure and the power
        approach for assessing the equivalence of average bioavailability", Journal of Pharmacokinetics and
        Biopharmaceutics 15, 1987.
        """
        if abs(self.difference) >= margin:
            return 1.0
        return max(self.p(margin), self.p(-margin)) / 2

    def interval(self) -> Interval:
        """The differences that the test doesn't refute, from four seeds on: with fewer it refutes none."""
        ends = []
        for unit in (-self.error, self.error):
            inside, outside = 0.0, 4.0
            while self.p(self.difference + outside * unit) > 0.05:
                inside, outside = outside, 2 * outside
            for _ in range(10):
                middle = (inside + outside) / 2
                refuted = self.p(self.difference + middle * unit) <= 0.05
                inside, outside = (inside, middle) if refuted else (middle, outside)
            ends.append(self.difference + inside * unit)
        if self.p() > 0.05:  # a tie at 0, which bisection stops short of
            ends = [min(0.0, ends[0]), max(0.0, ends[1])]
        return Interval(self.difference, *ends)

    def _shifted(self, shift: float) -> tuple[Array, Array]:
        """Difference of the means and its standard error in every deal of numbers less the shift."""
        powers = np.array([1.0, shift])
        moments = np.tensordot(np.outer(powers, powers), self._moments)
        variances, shared = moments[:, 0, 0] + moments[:, 1, 1], moments[:, 0, 1]
        chance = self._chance * moments[:, 0, 0] * moments[:, 1, 1] / np.where(shared > 0, shared, np.inf)
        squares = variances - 2 * np.maximum(0.0, shared - chance)
        return powers @ self._differences, np.sqrt(np.maximum(squares, self._rounding**2))


def paired(
    ours: Mapping[int, float], theirs: Mapping[int, float], *, repeats: int = 10_000
) -> PermutationTest | None:
    """Test on the seeds that both were trained with; None where they are fewer than any verdict needs.

    Args:
        ours, theirs: training seed → fitness.
    """
    both = [(value, theirs[seed]) for seed, value in ours.items() if seed in theirs]
    if len(both) < LEAST:
        return None
    return PermutationTest(*np.array(both).T, rng=np.random.default_rng(0), repeats=repeats)


def runs_to_decide(difference: float, error: float, runs: int, *, most: int = 100) -> int | None:
    """Runs a side with which a difference as large as the observed one is found four times out of five.

    A standard error shrinks with the root of the number of runs; it has to come down to the difference
    divided by the sum of two normal quantiles (Cohen, "Statistical Power Analysis", 1988, chapter 2).

    Returns:
        At least 4: with fewer nothing is ever decided. None where it is more than `most`.
    """
    reach = Z + NormalDist().inv_cdf(0.8)
    needed = max(4.0, runs * (reach * error / difference) ** 2) if difference else math.inf
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
