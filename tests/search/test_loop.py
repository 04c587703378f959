"""A search with nothing but fakes: the same call for a new run and for a resumed one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.errors import BudgetSpent, DesignerError, RunError
from eureka_loop.execute.evaluate import Evaluation
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate, Job
from eureka_loop.results import Evaluated, Failed, Trained
from eureka_loop.search import loop
from eureka_loop.search.allocation import Allocation
from eureka_loop.search.eureka import EurekaStrategy, SteadyStrategy
from eureka_loop.search.strategy import ProposalRequest, SearchPlan, Strategy
from eureka_loop.store import Run
from tests.search.conftest import PLAN, trained

FITNESS = {"bad": 1.0, "good": 3.0, "worse": 0.5, "middling": 2.0}
SOURCES = ["bad", "good", "worse", "middling", "worse", "bad"]


def answer(job: Job) -> Trained | Failed:
    return trained(job, FITNESS[job.source])


class Scripted:
    """The stages of a search, with programs from a list, by their index."""

    def __init__(
        self, run: Run, sources: Sequence[str], executor: ScriptedExecutor, limit: int = 100
    ) -> None:
        self.run, self.sources, self.limit = run, sources, limit
        self.requests: list[tuple[ProposalRequest, Sequence[Evaluated]]] = []
        self.problem: DesignerError | None = None
        self.most = 1000  # requests that there is time for
        self.evaluation = Evaluation(run, executor, PLAN, Share(1, 32))

    def goes_on(self) -> bool:
        return len(self.requests) < self.most

    def begin(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> list[loop.Ended]:
        self.requests.append((asked, history))
        written = [asyncio.ensure_future(self.candidate(asked, n)) for n in range(len(asked.ids))]
        return Allocation(self.run, self.evaluation, RunConfig()).train(asked, written)

    async def candidate(self, asked: ProposalRequest, n: int) -> Candidate | None:
        place = asked.generation * asked.of + asked.samples[n]
        if place >= self.limit:
            self.problem = BudgetSpent("--max-tokens 100")
            return None
        written = Candidate(asked.ids[n], asked.generation, self.sources[place], "scripted")
        self.run.write_candidate(written)
        return written

    def search(self, strategy: Strategy) -> Evaluated | None:
        return asyncio.run(loop.search(self.run, strategy, self))


def events(run: Run, kind: str, name: str = "id") -> list[object]:
    return [event[name] for event in run.events() if event["event"] == kind]


def test_a_search_without_time_for_another_request_ends_with_what_it_has(run: Run) -> None:
    stages = Scripted(run, SOURCES, ScriptedExecutor(answer))
    stages.most = 1
    best = stages.search(EurekaStrategy(SearchPlan(2, 2)))
    assert best is not None
    assert (best.candidate.id, run.candidate_ids()) == ("g0-01", ["g0-00", "g0-01"])


def test_a_search_ends_with_the_best_and_each_generation_knows_those_before(run: Run) -> None:
    stages = Scripted(run, SOURCES, ScriptedExecutor(answer))
    best = stages.search(EurekaStrategy(SearchPlan(2, 2)))
    assert best is not None
    assert best.candidate.source == "good"
    assert [[each.candidate.id for each in asked.parents] for asked, _ in stages.requests] == [[], ["g0-01"]]
    assert [len(history) for _, history in stages.requests] == [0, 2]
    assert events(run, "ranked", "best") == ["g0-01", "g0-01"]


class LastFirst(ScriptedExecutor):
    """Trains what was submitted last, one cohort at a time; ends after so many, as a kill would."""

    def __init__(self, answer: Callable[[Job], Trained | Failed], most: int = 100) -> None:
        super().__init__(answer)
        self.waiting: list[tuple[Sequence[Path], Future[str]]] = []
        self.most = most

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        future: Future[str] = Future()
        self.waiting.append((folders, future))
        asyncio.get_running_loop().call_later(0.01, self.one)
        return future

    def one(self) -> None:
        folders, future = self.waiting.pop()
        if len(self.submitted) == self.most:
            future.set_exception(KeyboardInterrupt())
        else:
            super().submit(folders)
            future.set_result("")


@pytest.mark.parametrize("made", [EurekaStrategy, SteadyStrategy])
@pytest.mark.parametrize("trainings", range(6))
def test_killed_anywhere_it_resumes_to_the_same_end(
    made: Callable[[SearchPlan], Strategy], trainings: int, run: Run, tmp_path: Path
) -> None:
    plan = SearchPlan(3, 2)
    whole = Run.create(tmp_path / "whole", "t")
    wanted = Scripted(whole, SOURCES, LastFirst(answer)).search(made(plan))
    first, second = LastFirst(answer, trainings), LastFirst(answer)
    ended = 6 if made is SteadyStrategy else 3
    if trainings < ended:
        with pytest.raises(KeyboardInterrupt):
            Scripted(run, SOURCES, first).search(made(plan))
    before = events(run, "told"), events(run, "ranked", "generation"), events(run, "asked", "ids")
    stages = Scripted(run, SOURCES, second)
    assert stages.search(made(plan)) == wanted
    assert not {*first.submitted} & {*second.submitted}, "nothing is trained twice"
    told, generations = events(run, "told"), events(run, "ranked", "generation")
    assert told[: len(before[0])] == before[0]
    if made is EurekaStrategy:
        assert generations == [0, 1, 2], "no generation is ranked twice"
    else:
        assert sorted(map(str, told)) == run.candidate_ids()
    ids = [id for asked in events(run, "asked", "ids") for id in asked]  # type: ignore[attr-defined]
    assert sorted(ids) == run.candidate_ids()


@pytest.mark.parametrize("made", [EurekaStrategy, SteadyStrategy])
def test_at_a_limit_everything_written_is_trained_and_the_rest_later(
    made: Callable[[SearchPlan], Strategy], run: Run
) -> None:
    with pytest.raises(BudgetSpent):
        Scripted(run, SOURCES, ScriptedExecutor(answer), limit=3).search(made(SearchPlan(3, 2)))
    assert run.candidate_ids() == events(run, "trained") == ["g0-00", "g0-01", "g1-00"]
    best = Scripted(run, SOURCES, ScriptedExecutor(answer)).search(made(SearchPlan(3, 2)))
    assert best is not None
    assert best.candidate.source == "good"
    assert sorted(map(str, events(run, "trained"))) == run.candidate_ids()
    assert len(run.candidate_ids()) == 6


def test_a_generation_that_a_crash_has_lost_is_tried_again(run: Run) -> None:
    def crash(job: Job) -> Failed:
        return Failed(job.candidate, "crashed", "killed by signal 9", seed=job.seed)

    assert Scripted(run, SOURCES, ScriptedExecutor(crash)).search(EurekaStrategy(SearchPlan(2, 2))) is None
    for _ in range(2):
        best = Scripted(run, SOURCES, ScriptedExecutor(answer)).search(EurekaStrategy(SearchPlan(2, 2)))
        assert best is not None
        assert best.candidate.source == "good"
    assert events(run, "ranked", "generation") == [0, 1, 0, 1]


def test_another_strategy_can_not_go_on(run: Run) -> None:
    Scripted(run, SOURCES, ScriptedExecutor(answer)).search(EurekaStrategy(SearchPlan(1, 2)))
    with pytest.raises(RunError, match="recorded by another strategy"):
        Scripted(run, SOURCES, ScriptedExecutor(answer)).search(SteadyStrategy(SearchPlan(3, 2)))
