"""A bench as it is on disk: every search, and the scores of each task and of all tasks together.

The statistics are in `judge.searches`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from eureka_loop import files, text
from eureka_loop.errors import RunError
from eureka_loop.judge import searches
from eureka_loop.judge.searches import Draws
from eureka_loop.judge.statistics import Interval, iqm, percentile_interval, rate_interval
from eureka_loop.numbers import plural
from eureka_loop.records import Array, Task
from eureka_loop.report.bench.setup import SETUP, Bench, Search, runs
from eureka_loop.report.comparison import RewardResult, Scale, scale
from eureka_loop.report.run_data import Cost, RunData
from eureka_loop.search.assemble import NOTHING_TRAINED, ended
from eureka_loop.store import Run

REWARDS = ("winner", "hand-written", "sparse")
NAMES = {"human": "hand-written", "native": "hand-written", "sparse": "sparse"}  # by id


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One search, as far as it has come.

    Attributes:
        run: None where it hasn't begun.
        rewards: name of `REWARDS` → its trainings on report seeds, where the search is done.
        failure: why a search that has ended counts for nothing; "" else.
    """

    search: Search
    state: Literal["not begun", "not finished", "done", "failed"]
    cost: Cost = field(default_factory=Cost)
    run: Run | None = None
    rewards: dict[str, RewardResult] = field(default_factory=dict)
    failure: str = ""
    elsewhere: tuple[int, int] = (0, 0)  # trainings that were not made here, and all

    @property
    def fitness(self) -> list[float | None]:
        """On report seeds, in the order of `REWARDS`; None where there is none."""
        return [self.rewards[name].evaluated.fitness if name in self.rewards else None for name in REWARDS]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task's searches and scores; a score is None where it isn't known yet or not defined.

    Attributes:
        scale: of the human-normalised score; or, as text, the reason why there is none.
        fitness: of the winners, interquartile mean over searches.
        human: fitness of the hand-written reward, computed alike from its trainings in every search.
        normalised: (winner − sparse) / |hand-written − sparse|, raw, interquartile mean over searches.
        reached: whether the winners are at or above the hand-written reward.
        success: share of judged episodes.
    """

    task: Task
    searches: tuple[SearchResult, ...]
    scale: Scale | str = "no search is done"
    fitness: Interval | None = None
    human: float | None = None
    sparse: float | None = None
    normalised: Interval | None = None
    reached: bool | None = None
    success: Interval | None = None

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def done(self) -> list[SearchResult]:
        """Searches that count."""
        return [each for each in self.searches if each.state == "done"]

    @property
    def several(self) -> bool:
        """Whether there are searches enough for an interval."""
        return len(self.done) > 1

    @property
    def cost(self) -> Cost:
        return sum((each.cost for each in self.searches), Cost())


@dataclass(frozen=True, slots=True)
class BenchResults:
    """All of a bench.

    Attributes:
        normalised: the interquartile mean over all searches of the tasks where the score is defined.
        share: of the tasks with a hand-written reward those whose winners are at or above it.
    """

    folder: Path
    bench: Bench
    tasks: tuple[TaskResult, ...]
    normalised: Interval | None
    share: Interval | None

    @property
    def searches(self) -> list[SearchResult]:
        return [each for task in self.tasks for each in task.searches]

    @property
    def several(self) -> bool:
        """Whether every task that counts has more than one search."""
        return all(each.several for each in self.tasks if each.done)

    @property
    def unfinished(self) -> str:
        """Progress ("7 of 12 searches"); "" at its end."""
        over = sum(each.state in ("done", "failed") for each in self.searches)
        return "" if over == len(self.searches) else f"{over} of {plural(len(self.searches), 'search')}"

    @property
    def cost(self) -> Cost:
        return sum((each.cost for each in self.tasks), Cost())

    @classmethod
    def of(cls, folder: Path) -> BenchResults:
        """Read a bench, finished or not; the same every time.

        Raises:
            RunError: a file of it is damaged or missing.
        """
        bench, begun = files.read_json(folder / SETUP, Bench), runs(folder)
        every, rng = [search_result(each, begun.get(each)) for each in bench.wanted], np.random.default_rng(0)
        found = [
            _task(task, tuple(each for each in every if each.search.task == task.name), rng)
            for task in bench.chosen()
        ]
        scored = [draws for task, draws in found if draws and task.normalised]
        referred = [draws for task, draws in found if draws and task.reached is not None]
        return cls(
            folder=folder,
            bench=bench,
            tasks=tuple(task for task, _ in found),
            normalised=percentile_interval(searches.over_tasks(scored)) if scored else None,
            share=percentile_interval(searches.share_of_tasks(referred)) if referred else None,
        )


def search_result(search: Search, run: Run | None) -> SearchResult:
    """A search from its run; None where it hasn't begun."""
    if run is None:
        return SearchResult(search, "not begun")
    data = RunData(run)
    for why in data.damaged.values():
        raise RunError(why)
    if not ended(run):
        return SearchResult(search, "not finished", data.cost, run)
    found = [RewardResult(NAMES.get(each.candidate.id, "winner"), each) for each in data.reports]
    rewards = {each.label: each for each in found}
    if failure := _failure(rewards.get("winner")):
        return SearchResult(search, "failed", data.cost, run, failure=failure)
    return SearchResult(search, "done", data.cost, run, rewards, elsewhere=data.elsewhere)


def _failure(winner: RewardResult | None) -> str:
    """Why a search that has ended has no winner that counts: a failure is no score."""
    if winner is None:
        return NOTHING_TRAINED
    if failures := winner.evaluated.failures:
        failed = plural(len(failures), "training")
        return f"{failed} of its winner {winner.id} failed: {text.failure(failures[0].kind)}"
    return "" if winner.fitness.size else f"its winner {winner.id} was not trained again"


def _task(
    task: Task, results: tuple[SearchResult, ...], rng: np.random.Generator
) -> tuple[TaskResult, Draws | None]:
    done = [each.rewards for each in results if each.state == "done"]
    if not done:
        return TaskResult(task, results), None
    winners, references, sparses = (_trainings(done, name) for name in REWARDS)
    draws = searches.draw(winners, references, sparses, rng)
    human, sparse = _pooled(done, "hand-written"), _pooled(done, "sparse")
    found = scale(human, sparse, next((each.run.floors() for each in results if each.run), {}))
    comparable = human is not None and not human.failed
    success = [rates.mean() for each in done if (rates := each["winner"].success_rates).size]
    result = TaskResult(
        task=task,
        searches=results,
        scale=found,
        fitness=percentile_interval(draws.fitness),
        human=float(draws.human[0]) if comparable else None,
        sparse=float(draws.sparse[0]) if sparses else None,
        normalised=percentile_interval(iqm(draws.scores)) if isinstance(found, Scale) else None,
        reached=bool(draws.at_least_human[0]) if comparable else None,
        success=rate_interval(np.array(success)) if success else None,
    )
    return result, draws


def _trainings(done: Sequence[dict[str, RewardResult]], name: str) -> tuple[Array, ...]:
    """(trainings,) of each search that has any of that reward."""
    return tuple(each[name].fitness for each in done if name in each and each[name].fitness.size)


def _pooled(done: Sequence[dict[str, RewardResult]], name: str) -> RewardResult | None:
    """A reference's trainings in all searches together."""
    found = [each[name].evaluated for each in done if name in each]
    results = tuple(result for each in found for result in each.results)
    elsewhere = tuple(seed for each in found for seed in each.elsewhere)
    return RewardResult(name, replace(found[0], results=results, elsewhere=elsewhere)) if found else None
