"""The winner beside the references, on seeds that the search never saw, and how sure one may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eureka_loop.judge.power import runs_to_decide
from eureka_loop.judge.statistics import (
    HumanNormalised,
    Interval,
    bootstrap_interval,
    human_normalised,
    iqm,
    percentile_interval,
    permutation_p,
    probability_of_improvement,
    resampled,
)
from eureka_loop.records import Array
from eureka_loop.report import text
from eureka_loop.report.facts import Facts
from eureka_loop.report.words import LABELS
from eureka_loop.results import Evaluated
from eureka_loop.store import REFERENCES

Verdict = Literal["better", "worse", "can't tell"]
REPEATS = 10_000  # bootstrap draws
LEVEL = 0.05  # how often equal rewards may be told apart


@dataclass(frozen=True, slots=True)
class Standing:
    """One reward's results on report seeds.

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
        """(seeds,): one number a finished training."""
        return np.array([result.fitness for result in self.evaluated.trained])

    @property
    def success(self) -> float | None:
        """Mean success rate over seeds; None where the task has no success."""
        rates = [result.success for result in self.evaluated.trained if result.success is not None]
        return math.fsum(rates) / len(rates) if rates else None


@dataclass(frozen=True, slots=True)
class Difference:
    """The winner against one reference.

    Attributes:
        interval: winner − reference.
        improvement: how likely a run with the winner's reward beats one with the reference's.
        reason: why a verdict can't be given; "" where the interval says it.
        p: how often equal rewards would differ at least as much (permutation test).
        needed: seeds a side that would find such a difference four times out of five; None where that is over
            a hundred, or can't be estimated.
        single: whether it is that of one training each: its interval has no width, and one side wins all.
    """

    reference: Standing
    interval: Interval
    improvement: Interval
    verdict: Verdict
    reason: str
    p: float
    needed: int | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """What a human-normalised score is measured on: interquartile means of fitness.

    Attributes:
        reference: what the hand-written side is called: "hand-written", or "the env's own" in its place.
    """

    human: float
    sparse: float
    reference: str

    def score(self, fitness: float) -> HumanNormalised | None:
        return human_normalised(fitness, self.human, self.sparse)


@dataclass(frozen=True, slots=True)
class Undefined:
    """There is no such scale, and why, to follow "undefined:"."""

    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it: standings (the winner first), differences, the human-normalised score.

    Attributes:
        scale: of that score.
        unfinished: how far a report is that still lacks trainings ("7 of 15 trainings"); "" at its end. Until
            then there are neither differences nor a score: the seeds to come may turn them round.
    """

    standings: tuple[Standing, ...]
    differences: tuple[Difference, ...]
    normalised: HumanNormalised | None
    scale: Scale | Undefined
    unfinished: str = ""


def compared(found: Facts) -> Comparison:
    """A run's report, as far as it has come."""
    done, wanted = found.reported
    unfinished = f"{done} of {text.plural(wanted, 'training')}" if done < wanted else ""
    return compare(found.reports, unfinished=unfinished)


def compare(
    reports: tuple[Evaluated, ...], *, unfinished: str = "", labels: Mapping[str, str] = LABELS
) -> Comparison:
    """Compare the first with the rest.

    Args:
        reports: the winner, then the references, with their results on report seeds.
        unfinished: see `Comparison`.
        labels: id → what it is called; whoever has no label is the winner.
    """
    standings = tuple(_standing(each, labels) for each in reports)
    if unfinished:
        return Comparison(standings, (), None, Undefined(f"{unfinished} done"), unfinished)
    differences = tuple(
        _difference(standings[0], other)
        for other in standings[1:]
        if standings[0].id not in REFERENCES and standings[0].fitness.size and other.fitness.size
    )
    scale = _scale(standings)
    return Comparison(standings, differences, _normalised(standings, scale), scale)


def _standing(evaluated: Evaluated, labels: Mapping[str, str]) -> Standing:
    label = labels.get(evaluated.candidate.id, "winner")
    fitness = np.array([result.fitness for result in evaluated.trained])
    interval = bootstrap_interval([fitness], rng=_rng(), repeats=REPEATS) if fitness.size else None
    return Standing(label, evaluated, interval)


def _difference(ours: Standing, theirs: Standing) -> Difference:
    x, y = ours.fitness, theirs.fitness
    interval = difference_interval(x, y, _rng())
    reason, p = _why_not(ours, theirs), permutation_p(x, y, rng=_rng())
    return Difference(
        reference=theirs,
        interval=interval,
        improvement=probability_of_improvement(x, y),
        verdict="can't tell" if reason else _verdict(interval, p),
        reason=reason,
        p=p,
        needed=runs_to_decide(x, y, interval) if min(x.size, y.size) > 1 else None,
        single=x.size == y.size == 1,
    )


def difference_interval(
    ours: Array, theirs: Array, rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """Difference of interquartile means with its percentile bootstrap interval; each side is drawn anew.

    Args:
        ours: (n,) one number a seed.
        theirs: (m,) likewise.
    """
    draws = iqm(resampled(ours, REPEATS, rng)) - iqm(resampled(theirs, REPEATS, rng))
    return percentile_interval(float(iqm(ours) - iqm(theirs)), draws, level)


def _verdict(interval: Interval, p: float) -> Verdict:
    if p > LEVEL:
        return "can't tell"
    if interval.low > 0:
        return "better"
    return "worse" if interval.high < 0 else "can't tell"


def _why_not(ours: Standing, theirs: Standing) -> str:
    """What stands in the way of a verdict; "" where nothing does."""
    for side in (ours, theirs):
        if side.evaluated.failures:
            failed = text.plural(len(side.evaluated.failures), "training")
            return f"{failed} of the {side.label} reward failed"
    n, m = ours.fitness.size, theirs.fitness.size
    by_chance = 2 / math.comb(n + m, n)
    if by_chance > LEVEL:
        return _too_few(n, m, by_chance)
    return ""


def _too_few(n: int, m: int, by_chance: float) -> str:
    if n == m == 1:
        return "one seed each says nothing: of equal rewards, too, one comes out ahead"
    seeds = f"{n} seeds each" if n == m else f"{n} and {m} seeds"
    return f"{seeds} are too few: equal rewards separate completely in {by_chance:.0%} of such runs"


def _normalised(standings: tuple[Standing, ...], scale: Scale | Undefined) -> HumanNormalised | None:
    """The winner's; None where there is no scale, or not all of its trainings finished."""
    if isinstance(scale, Undefined) or standings[0].id in REFERENCES:
        return None
    return normalised(standings[0], scale)


def normalised(standing: Standing, scale: Scale) -> HumanNormalised | None:
    """Any reward's; None where not all of its trainings finished: those that did say too much of it."""
    if standing.interval is None or standing.evaluated.failures:
        return None
    return scale.score(float(iqm(standing.fitness)))


def _scale(standings: tuple[Standing, ...]) -> Scale | Undefined:
    """From sparse to hand-written, where both are there and can be told apart."""
    known = {each.id: each for each in standings}
    human, sparse = known.get("human", known.get("native")), known.get("sparse")
    if human is None or sparse is None:
        return Undefined(f"there is no {'hand-written' if human is None else 'sparse'} reward beside it")
    for side in (human, sparse):
        if failed := side.evaluated.failures:
            return Undefined(f"{text.plural(len(failed), 'training')} of the {side.label} reward failed")
        if not side.fitness.size:
            return Undefined(f"the {side.label} reward was not trained")
    found = Scale(float(iqm(human.fitness)), float(iqm(sparse.fitness)), human.label)
    if found.score(0.0) is None or not told_apart(human.fitness, sparse.fitness):
        return Undefined(
            f"the {human.label} and the sparse reward can't be told apart; dividing by their gap would only "
            "enlarge noise"
        )
    return found


def told_apart(human: Array, sparse: Array) -> bool:
    """Whether the hand-written and the sparse reward's fitness differ by more than chance: else no scale.

    Args:
        human: (n,) one number a training.
        sparse: (m,) likewise.
    """
    if min(human.size, sparse.size) < 2:
        return False  # an interval of no width holds no 0 either
    gap = difference_interval(human, sparse, _rng())
    return not gap.low <= 0.0 <= gap.high


def _rng() -> np.random.Generator:
    """The same draws every time: a report made twice says the same."""
    return np.random.default_rng(0)
