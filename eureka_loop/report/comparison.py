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
from eureka_loop.judge import statistics
from eureka_loop.judge.statistics import (
    LEAST,
    LEVEL,
    Interval,
    PermutationTest,
    bootstrap_interval,
    human_normalised,
    iqm,
    probability_of_improvement,
    runs_to_decide,
)
from eureka_loop.provenance import NOT_HERE
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, Trained
from eureka_loop.store import REFERENCES
from eureka_loop.text import LABELS

Verdict = Literal["better", "worse", "as good", "can't tell"]
REPEATS = 10_000  # random draws
MARGIN = 0.1  # default margin of "as good", in the reference's lead over the best floor
FEW = f"at least {LEAST} seeds a side are needed for any verdict"


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
        if not self.fitness.size:
            return None
        return bootstrap_interval(self.fitness, rng=np.random.default_rng(0), repeats=REPEATS)

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
    def origin(self) -> str:
        """ " (3 of 5 trainings not made here)"; "" where all were."""
        found, every = len(self.evaluated.elsewhere), len(self.evaluated.results)
        return f" ({found} of {numbers.plural(every, 'training')} {NOT_HERE})" if found else ""

    @property
    def failed(self) -> str:
        """ "2 trainings of the sparse reward failed"; "" where none did."""
        failures = numbers.plural(len(self.evaluated.failures), "training")
        return f"{failures} of the {self.label} reward failed" if self.evaluated.failures else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first reward against one other.

    Attributes:
        between: both labels, each with the floor or sparse reward that it can't beat.
        explanation: the numbers behind the verdict; without a verdict, the reason, or how many seeds would
            decide it.
    """

    reference: RewardResult
    between: tuple[str, str]
    verdict: Verdict
    explanation: str

    def __str__(self) -> str:
        """The verdict in one sentence with all that it rests on."""
        ours, theirs = self.between
        told = f"{ours} is {self.verdict} {'as' if self.verdict == 'as good' else 'than'} {theirs}"
        if self.verdict == "can't tell":
            told = f"can't tell {ours} from {theirs}"
        return sentence(f"{told}: {self.explanation}")


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
        unconfirmed: whether nobody here has confirmed the measure.
    """

    results: tuple[RewardResult, ...]
    differences: tuple[Difference, ...]
    scale: Scale | str
    unfinished: str = ""
    floors: Mapping[str, Trained] = field(default_factory=dict)
    unconfirmed: bool = False

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
    margin: float | None = None,
) -> Comparison:
    """Compare the first reward with each of the rest; references alone are not compared.

    Args:
        reports: the winner, then the references, with their results on report seeds.
        done, wanted: number of trainings; there is no verdict before all are done.
        labels: id → label in reports; a reward without one is the winner.
        floors: judged policies that learn nothing, by name.
        margin: difference in fitness below which rewards are as good; None: a tenth of the reference's lead
            over the best floor.
    """
    results = tuple(RewardResult(labels.get(each.candidate.id, "winner"), each) for each in reports)
    unfinished = f"{done} of {numbers.plural(wanted, 'training')}" if done < wanted else ""
    others = results[1:] if results and results[0].id not in REFERENCES else ()
    if unfinished:
        why = f"{unfinished} done"
        first = results[0].label + results[0].origin if results else ""
        pairs = [(other, (first, other.label + other.origin)) for other in others]
        differences = tuple(Difference(*pair, "can't tell", why) for pair in pairs)
        return Comparison(results, differences, why, unfinished, floors)
    known = {each.id: each for each in results}
    sparse = known.get("sparse")
    found = scale(known.get("human", known.get("native")), sparse, floors)
    differences = tuple(_difference(results[0], other, sparse, floors, margin) for other in others)
    return Comparison(results, differences, found, floors=floors)


def highest(floors: Mapping[str, Trained]) -> tuple[str, float] | None:
    """Name and fitness of the best policy that learns nothing."""
    return max(
        ((name, each.fitness) for name, each in floors.items()), key=lambda each: each[1], default=None
    )


def beside_floor(result: RewardResult, floors: Mapping[str, Trained]) -> str:
    """ "is no better than zero actions"; "" where a reward is better than the best floor."""
    found, interval = highest(floors), result.interval
    if found is None or interval is None or interval.low > found[1]:
        return ""
    how = "is no better than" if interval.value <= found[1] else "can't be told from"
    return f"{'is worse than' if interval.high < found[1] else how} {found[0]}"


def paired(ours: RewardResult, theirs: RewardResult) -> PermutationTest | None:
    """Test on the seeds that both were trained with; None where they are fewer than any verdict needs."""
    sides = [{each.seed: each.fitness for each in side.evaluated.trained} for side in (ours, theirs)]
    return statistics.paired(*sides, repeats=REPEATS)


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
    if (floor := highest(floors)) and all(beside_floor(each, floors) for each in (human, sparse)):
        return f"neither the {human.label} nor the sparse reward does better than {floor[0]}"
    if (test := paired(human, sparse)) is None:
        return FEW
    found = Scale(float(iqm(human.fitness)), float(iqm(sparse.fitness)), human.label)
    if human_normalised(0.0, found.human, found.sparse) is None or test.p() > LEVEL:
        return f"the {human.label} and the sparse reward can't be told apart"
    return found


def _difference(
    ours: RewardResult,
    theirs: RewardResult,
    sparse: RewardResult | None,
    floors: Mapping[str, Trained],
    margin: float | None,
) -> Difference:
    flaws = [beside_floor(ours, floors), beside_floor(theirs, floors)]
    if sparse and (test := paired(theirs, sparse)) and test.difference < 0 and test.p() <= LEVEL:
        flaws[1] = " and ".join(filter(None, (flaws[1], "is worse than sparse")))
    first, second = ours.label + ours.origin, theirs.label + theirs.origin
    first += f", which {flaws[0]}," if flaws[0] else ""
    second += f", which {flaws[1]}" if flaws[1] else ""
    return Difference(theirs, (first, second), *_verdict(ours, theirs, floors, margin))


def _verdict(
    ours: RewardResult, theirs: RewardResult, floors: Mapping[str, Trained], margin: float | None
) -> tuple[Verdict, str]:
    """The verdict and its explanation; a difference that is found is one, however small."""
    for side in (ours, theirs):
        if not side.fitness.size:
            why = f"no training of the {side.label} reward finished: it failed, which is no score"
            return "can't tell", why
    chance = probability_of_improvement(ours.fitness, theirs.fitness)
    seen = f"probability of improvement {chance.value:.2f} [{chance.low:.2f}, {chance.high:.2f}]."
    test = paired(ours, theirs)
    if ours.failed or theirs.failed:
        return "can't tell", f"{seen} {ours.failed or theirs.failed}."
    if test is None:
        return "can't tell", f"{seen} {sentence(FEW)}."
    found = test.interval()
    value, low, high = numbers.column([found.value, found.low, found.high])
    p, stated = test.p(), "the margin"
    seen += f" Mean fitness differs by {value} [{low}, {high}]; equal rewards differ as much in {_share(p)}."
    if p <= LEVEL:
        return "better" if found.value > 0 else "worse", seen
    if margin is None and (floor := highest(floors)):
        margin = MARGIN * float(theirs.fitness.mean() - floor[1])
        stated = f"a tenth of what {theirs.label} adds to {floor[0]}"
    if margin is not None and abs(found.value) < margin:
        close = test.p_within(margin)
        differ = f"rewards that differ by {numbers.compact(margin)}, {stated}, come as close"
        seen += f" {sentence(differ)} in {_share(close)}."
        if close <= LEVEL:
            return "as good", seen
    why = "To find a difference so small, more than 100 seeds a side would be needed."
    if needed := runs_to_decide(found.value, test.error, ours.fitness.size):
        decide = f"{needed} seeds a side would find it four times out of five"
        why = f"If the true difference is the one seen, {decide}."
    return "can't tell", f"{seen} {why}"


def _share(p: float) -> str:
    return "under 0.1% of cases" if p < 0.001 else f"{numbers.compact(100 * p, 2)}% of cases"
