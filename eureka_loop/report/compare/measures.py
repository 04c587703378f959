"""What each reward reached, number by number, each with how sure one may be; words for every number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.learning import Curves, mean_heights, steps_to_reach
from eureka_loop.judge.statistics import (
    HumanNormalised,
    Interval,
    bootstrap_interval,
    iqm,
    rate_interval,
)
from eureka_loop.report import text, words
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.comparison import Standing, Undefined
from eureka_loop.report.comparison import normalised as normalised_of
from eureka_loop.report.standings import ends

REPEATS = 10_000  # bootstrap draws


@dataclass(frozen=True, slots=True)
class Measures:
    """One reward's numbers.

    Attributes:
        success: share of judged episodes, mean over seeds; None where the task has no success.
        normalised: on the scale from sparse (0) to hand-written (1); None where that is not defined.
        area: mean fitness of training episodes over all of training (the area under the learning curve,
            divided by its length).
        reached: how many seeds came to the hand-written reward's last training fitness.
        steps: the median seed's environment steps until then; None where fewer than half came there.
    """

    standing: Standing
    fitness: Interval | None
    success: Interval | None
    normalised: HumanNormalised | None
    area: Interval | None
    reached: int | None
    steps: float | None


def measures(part: Part) -> list[Measures]:
    """Of every contender, in order."""
    goal = target(part)
    return [
        _measured(part, each, curves, goal) for each, curves in zip(part.standings, part.curves, strict=True)
    ]


def _measured(part: Part, standing: Standing, curves: Curves | None, goal: float | None) -> Measures:
    reached, steps = _reach(curves, goal)
    return Measures(
        standing=standing,
        fitness=standing.interval,
        success=_success(standing),
        normalised=_normalised(part, standing),
        area=_area(curves),
        reached=reached,
        steps=steps,
    )


def target(part: Part) -> float | None:
    """The fitness that the hand-written reward's training episodes reached at last, IQM over seeds."""
    for each, curves in zip(part.standings, part.curves, strict=True):
        if part.reference is not None and each.id == part.reference.id and curves is not None:
            return float(iqm(curves.fitness[:, -1]))
    return None


def number(found: Interval | None, like: Iterable[float] = ()) -> str:
    """Value and interval: "2.600 [2.500, 2.700]"."""
    if found is None:
        return text.UNKNOWN
    value, low, high = text.numbers([found.value, found.low, found.high], like=like)
    return f"{value} [{low}, {high}]"


def share(found: Interval | None) -> str:
    """As `number`, for a share: "67% [33%, 100%]"."""
    if found is None:
        return text.UNKNOWN
    return f"{text.percent(found.value)} [{text.percent(found.low)}, {text.percent(found.high)}]"


def normalised(found: HumanNormalised | None) -> str:
    """Raw, and clipped to [0, 3] where that is another number."""
    if found is None:
        return "undefined"
    clipped = f" ({found.clipped:.2f} clipped)" if abs(found.clipped - found.raw) >= 0.005 else ""
    return f"{found.raw:.2f}{clipped}"


def reach(found: Measures) -> str:
    """When, and how many of the seeds: "34k (9 of 10 seeds)"."""
    if found.reached is None:
        return text.UNKNOWN
    seeds = f"{found.reached} of {text.plural(found.standing.fitness.size, 'seed')}"
    return f"{text.count(found.steps)} ({seeds})" if found.steps is not None else f"not reached ({seeds})"


def trainings(standing: Standing) -> str:
    """How many finished, and what became of the others."""
    done = f"{standing.fitness.size} of {len(standing.evaluated.results)}"
    kinds = dict.fromkeys(words.failure(each.kind) for each in standing.evaluated.failures)
    return f"{done}: {'; '.join(kinds)}" if kinds else done


def status(found: Measures) -> str:
    """Fitness, or why there is none: a failure is no number."""
    if found.fitness is not None:
        return number(found.fitness)
    return "failed" if found.standing.evaluated.failures else "not trained"


HEADS = (
    "reward",
    "fitness, IQM [95%]",
    "success [95%]",
    "human-normalised",
    "fitness while learning [95%]",
    "steps to the reference's level",
    "trainings",
)


def row(found: Measures) -> list[str]:
    """One line of a table, under `HEADS`."""
    return [
        found.standing.label,
        status(found),
        share(found.success),
        normalised(found.normalised),
        number(found.area),
        reach(found),
        trainings(found.standing),
    ]


def protocol(facts: Facts) -> str:
    """How it was measured, in one sentence."""
    contest = facts.contest
    return (
        f"Each reward trained from scratch {text.plural(contest.seeds, 'time')} for {contest.steps:,} steps, "
        "on seeds that no search has seen; the same seeds, budget and hyperparameters for all; each final "
        f"policy judged in {text.plural(contest.judge_episodes, 'episode')}."
    )


def explanations(part: Part) -> list[str]:
    """What the columns mean, a sentence each."""
    goal, reference = target(part), part.reference
    lines = [
        "Fitness: of the final policy on judged episodes, the interquartile mean over seeds with its 95% "
        "stratified bootstrap interval.",
        "Success: share of judged episodes; its 95% interval (Wilson's) counts a seed as one draw.",
        f"Human-normalised: (reward − sparse) / |hand-written − sparse|; {_scale(part)}",
        "Fitness while learning: the area under the learning curve divided by its length, exploration "
        f"included.{_held(part)}",
    ]
    if goal is not None and reference is not None:
        lines.append(
            f"Steps: until training episodes reach {text.number(goal)}, where {reference.label} ends; "
            "the median seed, read off between checkpoints."
        )
    return lines


def _held(part: Part) -> str:
    """Where curves begin with a value that was not seen yet; "" where none does."""
    late = [float(each.begun.max()) for each in part.curves if each and each.begun.max() > each.steps[0]]
    if not late:
        return ""
    return (
        " Before a seed's first finished episode, that episode's fitness stands in: until "
        f"{text.count(max(late))} steps, for the seed that began last."
    )


def _scale(part: Part) -> str:
    """Whose the scale's marks are, or why there is none."""
    scale = part.comparison.scale
    if isinstance(scale, Undefined):
        return f"undefined here: {scale.why}."
    failed = any(each.evaluated.failures for each in part.standings)
    return ends(scale) + (" A reward of which a training failed has no score." if failed else "")


def _success(standing: Standing) -> Interval | None:
    rates = [each.success for each in standing.evaluated.trained if each.success is not None]
    if not rates:
        return None
    return rate_interval(np.array(rates))


def _area(found: Curves | None) -> Interval | None:
    if found is None:
        return None
    return bootstrap_interval([mean_heights(found)], rng=np.random.default_rng(0), repeats=REPEATS)


def _reach(found: Curves | None, goal: float | None) -> tuple[int | None, float | None]:
    """How many runs reach a level, and the median run's steps; one that never does is infinitely late."""
    if found is None or goal is None:
        return None, None
    steps = np.sort(steps_to_reach(found, goal))
    late = float(steps[(len(steps) - 1) // 2 : len(steps) // 2 + 1].mean())
    return int(np.isfinite(steps).sum()), late if np.isfinite(late) else None


def _normalised(part: Part, standing: Standing) -> HumanNormalised | None:
    scale = part.comparison.scale
    return None if isinstance(scale, Undefined) else normalised_of(standing, scale)


def everyone(found: Sequence[Measures]) -> list[float]:
    """All seeds' fitness, so that columns can share their decimals."""
    return [float(value) for each in found for value in each.standing.fitness]
