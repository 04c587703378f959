"""The line from end to end, with nothing but fakes: the same call for a new run and for a resumed one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent, DesignerError, RunError
from eureka_loop.execute.evaluate import Evaluation, Stage
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.propose.designer import Request
from eureka_loop.records import Candidate, Job, Rung
from eureka_loop.results import Evaluated, Failed, Trained
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search import loop
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.halving import Allocation
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.strategy import ProposalRequest, SearchPlan, Strategy
from eureka_loop.store import Run
from tests.search.conftest import PLAN, trained

FITNESS = {"bad": 1.0, "good": 3.0, "worse": 0.5, "middling": 2.0}
SOURCES = ["bad", "good", "worse", "middling", "worse", "bad"]


def answer(job: Job) -> Trained | Failed:
    return trained(job, FITNESS[job.source])


class Line:
    """Everything between a strategy and an executor, with programs from a list, by their index."""

    def __init__(
        self, run: Run, sources: Sequence[str], executor: ScriptedExecutor, limit: int = 100
    ) -> None:
        self.run, self.sources, self.limit = run, sources, limit
        self.requests: list[Request] = []
        self.problem: DesignerError | None = None
        self.evaluation = Evaluation(run, executor, PLAN, Share(1, 32))
        self.stages = loop.Stages(
            request=self.request,
            write=self.write,
            train=Allocation(run, self.evaluation, 1, Rung(0, 8, 1, 1, 2), 0).train,
            problem=lambda: self.problem,
            retrain=lambda winner: self.evaluation.train_all(
                [winner], Stage((20_000_000,), (8,), report=True)
            ),
        )

    def request(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> Request:
        request = Request(PLAN.task, Vocabulary("E-v0", ()), "ppo", 0.99, 8, asked.generation, asked.of, 0)
        self.requests.append(replace(request, parents=asked.parents, history=history))
        return self.requests[-1]

    def write(self, request: Request, samples: Sequence[int]) -> list[loop.Written]:
        return [asyncio.ensure_future(self.candidate(request, sample)) for sample in samples]

    async def candidate(self, request: Request, sample: int) -> Candidate | None:
        place = request.generation * request.samples + sample
        if place >= self.limit:
            self.problem = BudgetSpent("--max-tokens 100")
            return None
        written = Candidate(request.id(sample), request.generation, self.sources[place], "scripted")
        self.run.write_candidate(written)
        return written

    def search(self, strategy: Strategy) -> Evaluated | None:
        return asyncio.run(loop.search(self.run, strategy, self.stages))


def events(run: Run, kind: str, name: str = "id") -> list[object]:
    return [event[name] for event in run.events() if event["event"] == kind]


def test_the_line_ends_with_the_best_and_each_generation_knows_what_came_before(run: Run) -> None:
    line = Line(run, SOURCES, ScriptedExecutor(answer))
    best = line.search(EurekaStrategy(SearchPlan(2, 2)))
    assert best is not None
    assert best.candidate.source == "good"
    assert [[each.candidate.id for each in request.parents] for request in line.requests] == [[], ["g0-01"]]
    assert [len(request.history) for request in line.requests] == [0, 2]
    assert events(run, "ranked", "order") == [["g0-01", "g0-00"], ["g1-01", "g1-00"]]
    assert events(run, "ranked", "best") == ["g0-01", "g0-01"]


def test_the_report_trains_the_winner_on_seeds_the_search_never_saw(run: Run) -> None:
    line = Line(run, SOURCES, ScriptedExecutor(answer))
    best = line.search(EurekaStrategy(SearchPlan(1, 2)))
    assert best is not None
    (reported,) = asyncio.run(loop.report(run, best, line.stages))
    assert [result.seed for result in reported.results] == [20_000_000]
    assert [event["event"] for event in run.events()][-1] == "finished"


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


def test_a_steady_search_goes_on_while_one_is_still_in_training(run: Run) -> None:
    class FirstIsLast(ScriptedExecutor):
        first: tuple[Sequence[Path], Future[str]] | None = None

        def submit(self, folders: Sequence[Path]) -> Future[str]:
            if self.first is None:
                self.first = (folders, Future())
                return self.first[1]
            future = super().submit(folders)
            if len(self.submitted) == 5:
                super().submit(self.first[0])
                asyncio.get_running_loop().call_later(0.1, self.first[1].set_result, "")
            return future

    line = Line(run, SOURCES, FirstIsLast(answer))
    best = line.search(SteadyStrategy(SearchPlan(3, 2)))
    assert best is not None
    assert best.candidate.source == "good"
    assert events(run, "told") == ["g0-01", "g1-00", "g1-01", "g2-00", "g2-01", "g0-00"]
    assert [len(each.history) for each in line.requests] == [0, 0, 1, 2, 3, 4]
    assert all([p.candidate.id for p in each.parents] == ["g0-01"] for each in line.requests[2:])


@pytest.mark.parametrize("made", [EurekaStrategy, SteadyStrategy])
@pytest.mark.parametrize("trainings", range(6))
def test_killed_anywhere_it_resumes_to_the_same_end(
    made: Callable[[SearchPlan], Strategy], trainings: int, run: Run, tmp_path: Path
) -> None:
    plan = SearchPlan(3, 2)
    whole = Run.create(tmp_path / "whole", "t")
    wanted = Line(whole, SOURCES, LastFirst(answer)).search(made(plan))
    first, second = LastFirst(answer, trainings), LastFirst(answer)
    ended = 6 if made is SteadyStrategy else 3
    if trainings < ended:
        with pytest.raises(KeyboardInterrupt):
            Line(run, SOURCES, first).search(made(plan))
    before = events(run, "told"), events(run, "ranked", "generation"), events(run, "asked", "ids")
    line = Line(run, SOURCES, second)
    assert line.search(made(plan)) == wanted
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
def test_what_a_limit_leaves_is_trained_first_and_the_rest_later(
    made: Callable[[SearchPlan], Strategy], run: Run
) -> None:
    first, second = ScriptedExecutor(answer), ScriptedExecutor(answer)
    with pytest.raises(BudgetSpent):
        Line(run, SOURCES, first, limit=3).search(made(SearchPlan(3, 2)))
    assert run.candidate_ids() == events(run, "trained") == ["g0-00", "g0-01", "g1-00"]
    best = Line(run, SOURCES, second).search(made(SearchPlan(3, 2)))
    assert best is not None
    assert best.candidate.source == "good"
    assert sorted(map(str, events(run, "trained"))) == run.candidate_ids()
    assert len(run.candidate_ids()) == 6


def test_a_generation_that_a_crash_has_lost_is_tried_again(run: Run) -> None:
    def crash(job: Job) -> Failed:
        return Failed(job.candidate, "crashed", "killed by signal 9", seed=job.seed)

    assert Line(run, SOURCES, ScriptedExecutor(crash)).search(EurekaStrategy(SearchPlan(2, 2))) is None
    for _ in range(2):
        best = Line(run, SOURCES, ScriptedExecutor(answer)).search(EurekaStrategy(SearchPlan(2, 2)))
        assert best is not None
        assert best.candidate.source == "good"
    assert events(run, "ranked", "generation") == [0, 1, 0, 1]


def test_another_strategy_can_not_go_on(run: Run) -> None:
    Line(run, SOURCES, ScriptedExecutor(answer)).search(EurekaStrategy(SearchPlan(1, 2)))
    with pytest.raises(RunError, match="recorded by another strategy"):
        Line(run, SOURCES, ScriptedExecutor(answer)).search(SteadyStrategy(SearchPlan(3, 2)))
