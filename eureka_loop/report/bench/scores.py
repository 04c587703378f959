"""A bench's numbers: for each task, and over all of them; what they rest on is in `judge.searches`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge import searches
from eureka_loop.judge.searches import Draws, Replicates
from eureka_loop.judge.statistics import Interval, human_normalised, iqm
from eureka_loop.records import Array
from eureka_loop.report.bench.facts import BenchFacts, Cost, TaskFacts
from eureka_loop.report.comparison import distinguishable

LEAST = 2  # trainings of each side of a scale: one says nothing of chance


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One task's numbers; None where there is nothing to tell yet, or where one is not defined.

    Attributes:
        done: searches that count; `of` are wanted.
        fitness: of the winners, interquartile mean over searches.
        human: fitness of the hand-written reward, computed alike from its trainings in every search.
        normalised: (winner − sparse) / |hand-written − sparse|, raw, interquartile mean over searches.
        undefined: why there is no such score; "" where there is.
        inverted: the hand-written reward did worse than the sparse one: 1 is nobody's score.
        each: score of every search.
        reached: whether the winners are at or above the hand-written reward.
        success: share of judged episodes.
    """

    facts: TaskFacts
    fitness: Interval | None = None
    human: float | None = None
    sparse: float | None = None
    normalised: Interval | None = None
    undefined: str = ""
    inverted: bool = False
    each: tuple[float, ...] = ()
    reached: bool | None = None
    success: Interval | None = None

    @property
    def name(self) -> str:
        return self.facts.task.name

    @property
    def done(self) -> int:
        return len(self.facts.done)

    @property
    def of(self) -> int:
        return len(self.facts.searches)

    @property
    def several(self) -> bool:
        """Whether searches can tell what another one would give: from one alone no interval means much."""
        return self.done > 1


@dataclass(frozen=True, slots=True)
class Scores:
    """All of them.

    Attributes:
        normalised: the interquartile mean over all searches of the tasks where the score is defined.
        defined: how many tasks those are.
        share: of the tasks with a hand-written reward those whose winners are at or above it.
        referred: how many tasks have one.
        several: whether every task counted has more than one search.
    """

    tasks: tuple[TaskScore, ...]
    normalised: Interval | None
    defined: int
    share: Interval | None
    referred: int
    several: bool
    cost: Cost


def scores(facts: BenchFacts) -> Scores:
    """Whatever can be told by now; the same every time."""
    rng = np.random.default_rng(0)
    found = [_task(each, rng) for each in facts.tasks]
    defined = [pair for score, pair in found if pair and score.normalised]
    referred = [pair for score, pair in found if pair and score.human is not None]
    return Scores(
        tasks=tuple(score for score, _ in found),
        normalised=_together(defined, searches.over_tasks),
        defined=len(defined),
        share=_together(referred, searches.share_of_tasks),
        referred=len(referred),
        several=all(score.several for score, pair in found if pair),
        cost=facts.cost,
    )


Pair = tuple[Draws, Draws]  # what was seen, as a single draw, and what is drawn anew


def _task(facts: TaskFacts, rng: np.random.Generator) -> tuple[TaskScore, Pair | None]:
    found = facts.replicates
    if found is None:
        return TaskScore(facts, undefined="no search is done"), None
    seen, draws = pair = searches.seen(found), searches.draw(found, rng)
    undefined, success = _undefined(facts, found, seen), facts.success
    comparable = found.human and not _failures(facts, "human", "native")
    score = TaskScore(
        facts=facts,
        fitness=searches.interval(searches.fitness(seen), searches.fitness(draws)),
        human=float(seen.human[0]) if comparable else None,
        sparse=float(seen.sparse[0]) if found.sparse else None,
        normalised=None if undefined else searches.interval(_score(seen), _score(draws)),
        undefined=undefined,
        inverted=not undefined and bool(seen.human[0] < seen.sparse[0]),
        each=() if undefined else tuple(map(float, searches.scores(seen)[0])),
        reached=bool(searches.at_least_human(seen)[0]) if comparable else None,
        success=searches.rates(success) if success else None,
    )
    return score, pair


def _score(found: Draws) -> Array:
    """(B,): interquartile mean over searches."""
    return iqm(searches.scores(found))


def _undefined(facts: TaskFacts, found: Replicates, seen: Draws) -> str:
    """Why there is no scale from sparse to hand-written; "" where there is."""
    for name, ids, values in (
        ("hand-written", ("human", "native"), found.human),
        ("sparse", ("sparse",), found.sparse),
    ):
        if failed := _failures(facts, *ids):
            return f"{failed} of the {name} reward's trainings failed"
        if not values:
            return f"there is no {name} reward"
    human, sparse = np.concatenate(found.human), np.concatenate(found.sparse)
    if min(human.size, sparse.size) < LEAST:
        return "one training of the hand-written and the sparse reward can't tell them apart"
    near = human_normalised(0.0, float(seen.human[0]), float(seen.sparse[0])) is None
    if near or not distinguishable(human, sparse):
        return "hand-written and sparse can't be told apart"
    return ""


def _failures(facts: TaskFacts, *ids: str) -> int:
    return sum(len(each.failures) for each in facts.references(*ids))


def _together(pairs: Sequence[Pair], statistic: Callable[[Sequence[Draws]], Array]) -> Interval | None:
    """A statistic of several tasks, each drawn for itself."""
    if not pairs:
        return None
    return searches.interval(statistic([seen for seen, _ in pairs]), statistic([draws for _, draws in pairs]))
