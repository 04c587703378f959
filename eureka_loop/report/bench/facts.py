"""A bench as it is on disk: what came of each search of each task, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from eureka_loop import files
from eureka_loop.judge.searches import Replicates
from eureka_loop.records import Array, Task
from eureka_loop.report import text
from eureka_loop.report.bench.plan import SETUP, Bench, Search, ended, runs
from eureka_loop.report.run_data import RunData
from eureka_loop.results import Evaluated
from eureka_loop.store import NOTHING_TRAINED, Run

State = Literal["not begun", "not finished", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Attributes:
        steps: of all finished trainings, of the search and of the report.
        seconds: interruptions left out.
        usd: None where a price isn't known.
    """

    trainings: int = 0
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.trainings + other.trainings,
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
        )


@dataclass(frozen=True, slots=True)
class Searched:
    """One search, as far as it has come.

    Attributes:
        found: its run; None where it wasn't begun.
        failure: why it counts for nothing though it ended; "" else.
    """

    search: Search
    state: State
    found: RunData | None = None
    failure: str = ""

    @property
    def winner(self) -> Evaluated | None:
        """On report seeds, where the search is done."""
        return self.found.reports[0] if self.state == "done" and self.found else None

    def reported(self, *ids: str) -> Evaluated | None:
        """A reference on report seeds; the first there is of these."""
        reports = {each.candidate.id: each for each in self.found.reports} if self.found else {}
        return next((reports[id] for id in ids if id in reports), None)

    @property
    def fitness(self) -> tuple[float | None, float | None, float | None]:
        """Of winner, hand-written (or native) and sparse reward on fresh seeds; None where there is none."""
        if self.state != "done":
            return None, None, None
        rewards = self.winner, self.reported("human", "native"), self.reported("sparse")
        winner, human, sparse = (each.fitness if each else None for each in rewards)
        return winner, human, sparse

    @property
    def cost(self) -> Cost:
        if self.found is None:
            return Cost()
        trained, state = self.found.trainings, self.found.state
        usd = state.usd if state.tokens else 0.0
        return Cost(len(trained), sum(each.steps for each in trained), state.worked, state.tokens, usd)


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """All searches of one task, in order of their seeds."""

    task: Task
    searches: tuple[Searched, ...]

    @property
    def done(self) -> list[Searched]:
        return [each for each in self.searches if each.state == "done"]

    @property
    def replicates(self) -> Replicates | None:
        """What the statistics are made of; None where no search is done."""
        winners = _fitness([each.winner for each in self.done if each.winner is not None])
        human, sparse = self.references("human", "native"), self.references("sparse")
        return Replicates(winners, _fitness(human), _fitness(sparse)) if winners else None

    @property
    def success(self) -> list[Array]:
        """Of each search done the winner's trainings' success rates; empty where the task has no success."""
        rates = [
            np.array([result.success for result in each.winner.trained if result.success is not None])
            for each in self.done
            if each.winner is not None
        ]
        return [each for each in rates if each.size]

    def references(self, *ids: str) -> list[Evaluated]:
        """A reference's trainings in every search that is done."""
        found = [each.reported(*ids) for each in self.done]
        return [each for each in found if each is not None]

    @property
    def cost(self) -> Cost:
        return sum((each.cost for each in self.searches), Cost())


@dataclass(frozen=True, slots=True)
class BenchFacts:
    """All of a bench."""

    folder: Path
    bench: Bench
    tasks: tuple[TaskFacts, ...]

    @classmethod
    def of(cls, folder: Path) -> BenchFacts:
        """Read a bench; any moment will do.

        Raises:
            RunError: a file of it is damaged or missing.
        """
        bench = files.read_json(folder / SETUP, Bench)
        begun = runs(folder)
        found = {search: searched(search, begun.get(search)) for search in bench.wanted}
        tasks = tuple(
            TaskFacts(task, tuple(each for search, each in found.items() if search.task == name))
            for name, task in bench.chosen().items()
        )
        return cls(folder, bench, tasks)

    @property
    def searches(self) -> list[Searched]:
        return [each for task in self.tasks for each in task.searches]

    @property
    def unfinished(self) -> str:
        """How far it is ("7 of 12 searches"); "" at its end."""
        over = sum(each.state in ("done", "failed") for each in self.searches)
        return "" if over == len(self.searches) else f"{over} of {text.plural(len(self.searches), 'search')}"

    @property
    def cost(self) -> Cost:
        return sum((each.cost for each in self.tasks), Cost())


def searched(search: Search, run: Run | None) -> Searched:
    """A search from its run; None where it wasn't begun."""
    if run is None:
        return Searched(search, "not begun")
    found = RunData.read(run)
    if not ended(run):
        return Searched(search, "not finished", found)
    failure = _failure(found)
    return Searched(search, "failed" if failure else "done", found, failure)


def _failure(found: RunData) -> str:
    """Why a search that ended has no winner that can be counted; a failure is no score."""
    if found.winner is None:
        return NOTHING_TRAINED
    failures = found.reports[0].failures
    if failures:
        failed = text.plural(len(failures), "training")
        return f"{failed} of its winner {found.winner.id} failed: {text.failure(failures[0].kind)}"
    return "" if found.reports[0].trained else f"its winner {found.winner.id} was not trained again"


def _fitness(evaluated: Iterable[Evaluated]) -> tuple[Array, ...]:
    """(trainings,) of each that has any."""
    found = (np.array([result.fitness for result in each.trained]) for each in evaluated)
    return tuple(each for each in found if each.size)
