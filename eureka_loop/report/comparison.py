"""Rewards compared on seeds that no search has seen: verdicts, intervals and the human-normalised score.

The end of a run, `eureka inspect` and `eureka compare` all go by `compare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eureka_loop import numbers
from eureka_loop.judge.statistics import (
    Interval,
    bootstrap_interval,
    human_normalised,
    iqm,
    percentile_interval,
    permutation_p,
    probability_of_improvement,
    resampled,
    runs_to_decide,
)
from eureka_loop.records import Array
from eureka_loop.report.run_data import RunData
from eureka_loop.report.text import LABELS
from eureka_loop.results import Evaluated
from eureka_loop.store import REFERENCES

Verdict = Literal["better", "worse", "can't tell"]
REPEATS = 10_000  # bootstrap draws
LEVEL = 0.05  # how often equal rewards may get a verdict
LEAST = 4  # seeds a side: three that separate completely do so by chance in 10% of cases


@dataclass(frozen=True, slots=True)
class RewardResult:
    """One reward's trainings on report seeds.

    Attributes:
        label: "winner", "hand-written", "sparse", or a file's name.
        interval: interquartile mean of the seeds' fitness (below 4 seeds that is the mean), with its
            95% bootstrap interval; None where no training finished.
    """

    label: str
    evaluated: Evaluated
    interval: Interval | None

    @property
    def id(self) -> str:
        return self.evaluated.candidate.id

    @property
    def fitness(self) -> Array:
        """(seeds,): one number for each finished training."""
        return np.array([result.fitness for result in self.evaluated.trained])

    @property
    def success_rates(self) -> Array:
        """(seeds,) in [0, 1]; empty where the task has no success."""
        rates = [result.success for result in self.evaluated.trained]
        return np.array([rate for rate in rates if rate is not None])

    @property
    def success(self) -> float | None:
        """Mean success rate over seeds; None where the task has no success."""
        rates = self.success_rates
        return float(rates.mean()) if rates.size else None

    @property
    def status(self) -> str:
        """Why there is no number, where no training finished."""
        return "failed" if self.evaluated.failures else "not trained"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first reward against one other.

    Attributes:
        interval: first − other.
        improvement: probability that a training with the first reward beats one with the other.
        reason: why no verdict can be given; "" where the numbers say it.
        p: how often equal rewards would differ at least as much (permutation test).
        needed: seeds a side that would find such a difference four times out of five; None where that is over
            a hundred, or can't be estimated.
    """

    reference: RewardResult
    interval: Interval
    improvement: Interval
    verdict: Verdict
    reason: str
    p: float
    needed: int | None = None

    @property
    def explanation(self) -> str:
        """The numbers behind the verdict; where there is none, how many seeds would decide it."""
        value, low, high = numbers.column([self.interval.value, self.interval.low, self.interval.high])
        chance = "under 0.1%" if self.p < 0.001 else f"{numbers.compact(100 * self.p, 2)}%"
        seen = (
            f"probability of improvement {self.improvement.value:.2f} [{self.improvement.low:.2f}, "
            f"{self.improvement.high:.2f}]. Fitness differs by {value} [{low}, {high}]; equal rewards differ "
            f"as much in {chance} of cases."
        )
        if self.verdict != "can't tell":
            return seen
        if self.reason:
            return f"{seen} {sentence(self.reason)}."
        if self.needed is None:
            return f"{seen} To find a difference so small, more than 100 seeds a side would be needed."
        return (
            f"{seen} If the true difference is the one seen, {self.needed} seeds a side would find it four "
            "times out of five."
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """Scale of human-normalised scores: interquartile means of fitness.

    Attributes:
        reference: label of the hand-written side: "hand-written", or "the env's own" in its place.
    """

    human: float
    sparse: float
    reference: str

    def score(self, fitness: float) -> float | None:
        return human_normalised(fitness, self.human, self.sparse)

    @property
    def explanation(self) -> str:
        """Which scores the two references have by definition."""
        if self.human > self.sparse:
            return f"0: sparse, 1: {self.reference}."
        return (
            f"0: sparse, -1: {self.reference}. The {self.reference} reward did worse here than the sparse "
            "one: the score says how far above sparse a reward is, in units of the gap between the two, and "
            f"nothing about matching the {self.reference} one."
        )


@dataclass(frozen=True, slots=True)
class Undefined:
    """There is no such scale, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Results of all rewards, and the first one against each other one.

    Attributes:
        unfinished: progress of a report that lacks trainings ("7 of 15 trainings"); "" at its end. Until
            then there are neither differences nor a scale: the seeds to come may turn them round.
    """

    results: tuple[RewardResult, ...]
    differences: tuple[Difference, ...]
    scale: Scale | Undefined
    unfinished: str = ""

    def normalised(self, result: RewardResult) -> float | None:
        """A reward's human-normalised score; None without a scale or where not all trainings finished."""
        if isinstance(self.scale, Undefined) or result.interval is None or result.evaluated.failures:
            return None
        return self.scale.score(result.interval.value)

    def verdict(self, reference: RewardResult | None) -> tuple[Verdict, str]:
        """The verdict on the first reward against another, and the numbers behind it."""
        if self.unfinished:
            return "can't tell", f"{self.unfinished} done"
        for each in self.differences:
            if reference is not None and each.reference.id == reference.id:
                return each.verdict, each.explanation
        for side in (self.results[0], reference):
            if side is not None and not side.fitness.size:
                failed = f"no training of the {side.label} reward finished"
                return "can't tell", f"{failed}: it failed, which is no score"
        return "can't tell", "there is nothing to compare with"


def compared(found: RunData) -> Comparison:
    """A run's report, as far as it has come."""
    return compare(found.reports, *found.reported)


def compare(
    reports: tuple[Evaluated, ...], done: int = 0, wanted: int = 0, labels: Mapping[str, str] = LABELS
) -> Comparison:
    """Compare the first reward with each of the rest.

    Args:
        reports: the winner, then the references, with their results on report seeds.
        done, wanted: number of trainings; there is no verdict before all are done.
        labels: id → label in reports; a reward without one is the winner.
    """
    results = tuple(_result(each, labels) for each in reports)
    if done < wanted:
        unfinished = f"{done} of {numbers.plural(wanted, 'training')}"
        return Comparison(results, (), Undefined(f"{unfinished} done"), unfinished)
    known = {each.id: each for each in results}
    return Comparison(
        results,
        tuple(
            _difference(results[0], other)
            for other in results[1:]
            if results[0].id not in REFERENCES and results[0].fitness.size and other.fitness.size
        ),
        scale(known.get("human", known.get("native")), known.get("sparse")),
    )


def difference_interval(ours: Array, theirs: Array, rng: np.random.Generator) -> Interval:
    """Difference of interquartile means with its percentile bootstrap interval; each side is resampled.

    Args:
        ours: (n,) one number for each seed.
        theirs: (m,) likewise.
    """
    draws = iqm(resampled(ours, REPEATS, rng)) - iqm(resampled(theirs, REPEATS, rng))
    return percentile_interval(float(iqm(ours) - iqm(theirs)), draws)


def sentence(text: str) -> str:
    """The text with an upper-case first letter."""
    return text[:1].upper() + text[1:]


def _result(evaluated: Evaluated, labels: Mapping[str, str]) -> RewardResult:
    label = labels.get(evaluated.candidate.id, "winner")
    fitness = np.array([result.fitness for result in evaluated.trained])
    interval = bootstrap_interval([fitness], rng=_rng(), repeats=REPEATS) if fitness.size else None
    return RewardResult(label, evaluated, interval)


def _difference(ours: RewardResult, theirs: RewardResult) -> Difference:
    x, y = ours.fitness, theirs.fitness
    interval, p = difference_interval(x, y, _rng()), permutation_p(x, y, rng=_rng())
    reason = _why_not(ours, theirs)
    return Difference(
        reference=theirs,
        interval=interval,
        improvement=probability_of_improvement(x, y),
        verdict="can't tell" if reason else _verdict(interval, p),
        reason=reason,
        p=p,
        needed=runs_to_decide(x, y, interval) if min(x.size, y.size) > 1 else None,
    )


def _verdict(interval: Interval, p: float) -> Verdict:
    if p > LEVEL:
        return "can't tell"
    if interval.low > 0:
        return "better"
    return "worse" if interval.high < 0 else "can't tell"


def _why_not(ours: RewardResult, theirs: RewardResult) -> str:
    """Why no verdict can be given; "" where one can."""
    for side in (ours, theirs):
        if failed := len(side.evaluated.failures):
            return f"{numbers.plural(failed, 'training')} of the {side.label} reward failed"
    enough = min(ours.fitness.size, theirs.fitness.size) >= LEAST
    return "" if enough else f"at least {LEAST} seeds a side are needed for any verdict"


def scale(human: RewardResult | None, sparse: RewardResult | None) -> Scale | Undefined:
    """From sparse to hand-written, where both are there and can be told apart."""
    if human is None or sparse is None:
        return Undefined(f"there is no {'hand-written' if human is None else 'sparse'} reward beside it")
    for side in (human, sparse):
        if failed := len(side.evaluated.failures):
            return Undefined(f"{numbers.plural(failed, 'training')} of the {side.label} reward failed")
        if not side.fitness.size:
            return Undefined(f"the {side.label} reward was not trained")
    x, y = human.fitness, sparse.fitness
    found = Scale(float(iqm(x)), float(iqm(y)), human.label)
    gap = difference_interval(x, y, _rng())  # of one training each it has no width, and so holds no 0
    if min(x.size, y.size) < 2 or found.score(0.0) is None or gap.low <= 0.0 <= gap.high:
        return Undefined(f"the {human.label} and the sparse reward can't be told apart")
    return found


def _rng() -> np.random.Generator:
    """The same draws every time: a report made twice says the same."""
    return np.random.default_rng(0)
