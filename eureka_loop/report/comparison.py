"""Rewards compared on seeds that no search has seen: verdicts, intervals and the human-normalised score.

The end of a run, `eureka inspect` and `eureka compare` all go by `compare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
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
from eureka_loop.report.text import LABELS
from eureka_loop.results import Evaluated, Trained
from eureka_loop.store import REFERENCES

Verdict = Literal["better", "worse", "can't tell"]
REPEATS = 10_000  # bootstrap draws
LEVEL = 0.05  # how often equal rewards may get a verdict
LEAST = 4  # seeds a side: three that separate completely do so by chance in 10% of cases


@dataclass(frozen=True, slots=True)
class RewardResult:
    """One reward's trainings on report seeds, with its label: "winner", "hand-written", a file's name."""

    label: str
    evaluated: Evaluated

    @property
    def id(self) -> str:
        return self.evaluated.candidate.id

    @property
    def fitness(self) -> Array:
        """(seeds,): one number for each finished training."""
        return np.array([result.fitness for result in self.evaluated.trained])

    @property
    def interval(self) -> Interval | None:
        """Interquartile mean over seeds (below 4 seeds the mean), with its 95% bootstrap interval."""
        return (
            bootstrap_interval(self.fitness, rng=np.random.default_rng(0), repeats=REPEATS)
            if self.fitness.size
            else None
        )

    @property
    def success_rates(self) -> Array:
        """(seeds,) in [0, 1]; empty where the task has no success."""
        return np.array([each.success for each in self.evaluated.trained if each.success is not None])

    @property
    def success(self) -> float | None:
        """Mean success rate over seeds; None where the task has no success."""
        return float(self.success_rates.mean()) if self.success_rates.size else None

    @property
    def status(self) -> str:
        """The reason for having no number, where no training finished."""
        return "failed" if self.evaluated.failures else "not trained"

    @property
    def failed(self) -> str:
        """ "2 trainings of the sparse reward failed"; "" where none did."""
        failures = numbers.plural(len(self.evaluated.failures), "training")
        return f"{failures} of the {self.label} reward failed" if self.evaluated.failures else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first reward against one other.

    Attributes:
        explanation: the numbers behind the verdict; without a verdict, the reason, or how many seeds would
            decide it.
    """

    reference: RewardResult
    verdict: Verdict
    explanation: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Scale of human-normalised scores: interquartile means of fitness.

    Attributes:
        reference: label of the hand-written side: "hand-written", or "the env's own" in its place.
    """

    human: float
    sparse: float
    reference: str

    @property
    def explanation(self) -> str:
        """The scores that the two references have by definition."""
        if self.human > self.sparse:
            return f"0: sparse, 1: {self.reference}."
        return (
            f"0: sparse, -1: {self.reference}. The {self.reference} reward did worse here than the sparse "
            "one: the score states only how far above sparse a reward is, in units of their difference."
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Results of all rewards, and the first one against each other one.

    Attributes:
        floors: judged policies that learn nothing, by name; on the same episodes.
        scale: of human-normalised scores; or, as text, the reason why there is none.
        unfinished: progress of a report that lacks trainings ("7 of 15 trainings"); "" at its end. Until
            then there are neither verdicts nor a scale: the missing seeds may reverse them.
    """

    results: tuple[RewardResult, ...]
    differences: tuple[Difference, ...]
    scale: Scale | str
    unfinished: str = ""
    floors: Mapping[str, Trained] = field(default_factory=dict)

    @property
    def below_floor(self) -> str:
        """A sentence where the first reward's policies can't be told from the best floor; else ""."""
        first, found = next(iter(self.results), None), highest(self.floors)
        if first is None or found is None or first.interval is None or first.interval.low > found[1]:
            return ""
        how = "is worse than" if first.interval.high < found[1] else "can't be told from"
        return f"The {first.label} {how} {found[0]}, fitness {numbers.number(found[1])}."

    def normalised(self, result: RewardResult) -> float | None:
        """A reward's human-normalised score; None without a scale or where not all trainings finished."""
        if isinstance(self.scale, str) or not result.fitness.size or result.failed:
            return None
        return human_normalised(float(iqm(result.fitness)), self.scale.human, self.scale.sparse)


def compare(
    reports: tuple[Evaluated, ...],
    done: int = 0,
    wanted: int = 0,
    labels: Mapping[str, str] = LABELS,
    floors: Mapping[str, Trained] = MappingProxyType({}),
) -> Comparison:
    """Compare the first reward with each of the rest; references alone are not compared.

    Args:
        reports: the winner, then the references, with their results on report seeds.
        done, wanted: number of trainings; there is no verdict before all are done.
        labels: id → label in reports; a reward without one is the winner.
        floors: judged policies that learn nothing, by name.
    """
    results = tuple(RewardResult(labels.get(each.candidate.id, "winner"), each) for each in reports)
    unfinished = f"{done} of {numbers.plural(wanted, 'training')}" if done < wanted else ""
    pairs = [(results[0], other) for other in results[1:] if results[0].id not in REFERENCES]
    if unfinished:
        why = f"{unfinished} done"
        differences = tuple(Difference(other, "can't tell", why) for _, other in pairs)
        return Comparison(results, differences, why, unfinished, floors)
    known = {each.id: each for each in results}
    found = scale(known.get("human", known.get("native")), known.get("sparse"), floors)
    return Comparison(results, tuple(_difference(*pair) for pair in pairs), found, floors=floors)


def highest(floors: Mapping[str, Trained]) -> tuple[str, float] | None:
    """Name and fitness of the best policy that learns nothing."""
    return max(
        ((name, each.fitness) for name, each in floors.items()), key=lambda each: each[1], default=None
    )


def difference_interval(ours: Array, theirs: Array, rng: np.random.Generator) -> Interval:
    """Difference of interquartile means with its percentile bootstrap interval; each side is resampled.

    Args:
        ours: (n,) one number for each seed.
        theirs: (m,) likewise.
    """
    draws = iqm(resampled(ours, REPEATS, rng)) - iqm(resampled(theirs, REPEATS, rng))
    return percentile_interval(np.append(iqm(ours) - iqm(theirs), draws))


def sentence(text: str) -> str:
    """The text with an upper-case first letter."""
    return text[:1].upper() + text[1:]


def scale(
    human: RewardResult | None,
    sparse: RewardResult | None,
    floors: Mapping[str, Trained] = MappingProxyType({}),
) -> Scale | str:
    """From sparse to hand-written; or the reason why it is undefined."""
    if human is None or sparse is None:
        return f"there is no {'hand-written' if human is None else 'sparse'} reward beside it"
    for side in (human, sparse):
        if side.failed or not side.fitness.size:
            return side.failed or f"the {side.label} reward was not trained"
    x, y = human.fitness, sparse.fitness
    found = Scale(float(iqm(x)), float(iqm(y)), human.label)
    if (floor := highest(floors)) and max(found.human, found.sparse) <= floor[1]:
        return f"neither the {human.label} nor the sparse reward does better than {floor[0]}"
    gap = difference_interval(
        x, y, np.random.default_rng(0)
    )  # of one training each it has no width, and so holds no 0
    equal = human_normalised(0.0, found.human, found.sparse) is None or gap.low <= 0.0 <= gap.high
    if equal or min(x.size, y.size) < 2:
        return f"the {human.label} and the sparse reward can't be told apart"
    return found


def _difference(ours: RewardResult, theirs: RewardResult) -> Difference:
    for side in (ours, theirs):
        if not side.fitness.size:
            why = f"no training of the {side.label} reward finished: it failed, which is no score"
            return Difference(theirs, "can't tell", why)
    x, y = ours.fitness, theirs.fitness
    gap, p = (
        difference_interval(x, y, np.random.default_rng(0)),
        permutation_p(x, y, rng=np.random.default_rng(0)),
    )
    chance = probability_of_improvement(x, y)
    value, low, high = numbers.column([gap.value, gap.low, gap.high])
    luck = "under 0.1%" if p < 0.001 else f"{numbers.compact(100 * p, 2)}%"
    seen = (
        f"probability of improvement {chance.value:.2f} [{chance.low:.2f}, {chance.high:.2f}]. "
        f"Fitness differs by {value} [{low}, {high}]; equal rewards differ as much in {luck} of cases."
    )
    if ours.failed or theirs.failed:
        return Difference(theirs, "can't tell", f"{seen} {ours.failed or theirs.failed}.")
    if min(x.size, y.size) < LEAST:
        why = f"At least {LEAST} seeds a side are needed for any verdict."
        return Difference(theirs, "can't tell", f"{seen} {why}")
    if p <= LEVEL and not gap.low <= 0 <= gap.high:
        return Difference(theirs, "better" if gap.low > 0 else "worse", seen)
    why = "To find a difference so small, more than 100 seeds a side would be needed."
    if needed := runs_to_decide(x, y, gap):
        decide = f"{needed} seeds a side would find it four times out of five"
        why = f"If the true difference is the one seen, {decide}."
    return Difference(theirs, "can't tell", f"{seen} {why}")
