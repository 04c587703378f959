"""Replies → candidates: kept before anything is done with them, repaired, never requested twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import pytest

from eureka_loop.errors import BudgetSpent, EndpointError, RewardFailure, Unavailable
from eureka_loop.propose.designer import Designer, Request, ScriptedDesigner
from eureka_loop.propose.write import PARALLEL, REPAIRS, Gate, Writer
from eureka_loop.records import Candidate, Reply, Task
from eureka_loop.results import Failed
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.store import Run

VOCABULARY = Vocabulary("E-v0", (Observable("height", ()),), horizon=10, dt=0.1)
GOOD = "def compute_reward(height):\n    return {'height': height}\n"
BAD = "def compute_reward(hight):\n    return {'height': hight}\n"
TWICE = "def compute_reward(height):\n    return {'height': 2.0 * height}\n"
MIXED = "def compute_reward(height):\n    return {'height': height - np.roll(height, 1)}\n"
SPENT = BudgetSpent("--max-tokens 100")

Answers = Mapping[int, str | Exception]


def answering(replies: Answers, repairs: Answers = MappingProxyType({})) -> ScriptedDesigner:
    """Answers each sample from a table, and its repairs from another; an exception is raised."""

    def answer(request: Request, sample: int) -> str:
        found = (repairs if request.repair else replies)[sample]
        if isinstance(found, Exception):
            raise found
        return found

    return ScriptedDesigner(answer)


def in_turn(*sources: str) -> ScriptedDesigner:
    """A reply and its repairs."""
    return ScriptedDesigner(lambda request, _: sources[request.attempt])


def write(run: Run, designer: Designer, gate: Gate, *requests: tuple[Request, list[int]]) -> list[Candidate]:
    """The candidates of requests, one request after the other.

    Raises:
        DesignerError: no more can be written.
    """
    writer = Writer(run, designer, gate)

    async def work() -> list[Candidate | None]:
        written = [await asyncio.gather(*writer.write(*each)) for each in requests]
        return [each for generation in written for each in generation]

    found = [each for each in asyncio.run(work()) if each is not None]
    if writer.problem is not None:
        raise writer.problem
    return found


def request(samples: int, generation: int = 0) -> Request:
    task = Task("t", "E-v0", "rise", "f")
    return Request(task, VOCABULARY, "ppo", 0.99, 100, generation, samples, 0)


def whole(samples: int, generation: int = 0) -> tuple[Request, list[int]]:
    return request(samples, generation), list(range(samples))


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with ForkServer() as fork_server:
        height = np.linspace(0.0, 1.0, 40)
        yield Gate(VOCABULARY, dict.fromkeys(("height", "prev_height", "init_height"), height), fork_server)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, "t")


@pytest.mark.parametrize("mistakes", range(REPAIRS + 2))
def test_a_program_with_a_mistake_goes_back_with_the_error_twice(run: Run, gate: Gate, mistakes: int) -> None:
    designer = in_turn(*[BAD] * mistakes, GOOD)
    (candidate,) = write(run, designer, gate, whole(1))
    repairs = [each.repair for each, _ in designer.requests if each.repair]
    assert [each.attempt for each in repairs] == list(range(1, min(mistakes, REPAIRS) + 1))
    assert all("did you mean 'height'" in each.problems for each in repairs)
    assert candidate.source == (GOOD if mistakes <= REPAIRS else BAD)
    failure = run.failure("g0-00")
    assert (failure and failure.kind) == (None if mistakes <= REPAIRS else "refused")
    assert len(run.replies("g0-00")) == 1 + len(repairs)


def test_a_kill_between_repair_and_candidate_costs_no_further_call(run: Run, gate: Gate) -> None:
    before = write(run, in_turn(BAD, MIXED, GOOD), gate, whole(1))
    (run.candidate_folder("g0-00") / "origin.json").unlink()
    run.fail(Failed("g0-00", "refused", "left by an earlier process"))
    silent = answering({})
    assert write(run, silent, gate, whole(1)) == before
    assert silent.requests == []
    assert run.failure("g0-00") is None


def test_a_dry_run_that_something_outside_ends_is_repeated_when_the_run_goes_on(run: Run, gate: Gate) -> None:
    """It is no mistake to be repaired."""

    class Ended:
        def admit(self, source: str) -> tuple[str, ...]:
            raise RewardFailure("interrupted", "killed from outside")

    designer = in_turn(GOOD)
    (before,) = write(run, designer, cast("Gate", Ended()), whole(1))
    failure = run.failure("g0-00")
    assert failure is not None
    assert failure.kind == "interrupted"
    assert write(run, designer, gate, whole(1)) == [before]
    assert len(designer.requests) == 1
    assert run.failure("g0-00") is None


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_what_a_limit_cuts_off_is_requested_later_and_nothing_else(
    run: Run, gate: Gate, answered: int
) -> None:
    programs = {0: BAD, 1: GOOD, 2: TWICE}
    first = answering({n: programs[n] if n < answered else SPENT for n in range(3)}, {0: SPENT})
    second = answering(programs, {0: GOOD})
    with pytest.raises(BudgetSpent):
        write(run, first, gate, whole(3))
    assert [bool(run.replies(f"g0-0{n}")) for n in range(3)] == [n < answered for n in range(3)]
    ended = [each["reason"] for each in run.events() if each["event"] == "writing_ended"]
    assert ended == [str(SPENT)] * bool(answered)
    candidates = write(run, second, gate, whole(3))
    assert [each.source for each in candidates] == [GOOD, GOOD, TWICE]
    assert write(run, answering({}), gate, whole(3)) == candidates
    asked = [sample for each, sample in second.requests if each.repair is None]
    assert sorted(asked) == list(range(answered, 3))
    assert all(run.failure(each.id) is None for each in candidates)


class Held(ScriptedDesigner):
    """Holds its answers to some samples until `free` is set."""

    def __init__(self, answer: Callable[[Request, int], str], held: Callable[[int], bool]) -> None:
        super().__init__(answer)
        self.held, self.free = held, threading.Event()

    def propose(self, request: Request, sample: int) -> Reply:
        reply = super().propose(request, sample)
        assert not self.held(sample) or self.free.wait(20)
        return reply


def test_the_end_of_writing_is_recorded_once_the_last_reply_is_there(run: Run, gate: Gate) -> None:
    """A limit may be reached before the first reply comes, which is trained all the same."""
    designer = Held(lambda *_: GOOD, lambda sample: sample == 0)
    propose = designer.propose

    def limited(request: Request, sample: int) -> Reply:
        if sample == 0:
            return propose(request, sample)
        threading.Timer(0.2, designer.free.set).start()
        raise SPENT

    designer.propose = limited  # type: ignore[method-assign]
    with pytest.raises(BudgetSpent):
        write(run, designer, gate, whole(2))
    events = [each["event"] for each in run.events()]
    assert events.count("writing_ended") == 1
    assert events.index("written") < events.index("writing_ended")


def test_a_candidate_is_there_while_others_are_written(run: Run, gate: Gate) -> None:
    designer = Held(lambda _, sample: (GOOD, TWICE)[sample], lambda sample: sample == 0)

    async def work() -> None:
        first, second = Writer(run, designer, gate).write(*whole(2))
        done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        assert done == {second}
        assert run.candidate_ids() == ["g0-01"]
        designer.free.set()
        await first

    asyncio.run(work())
    assert run.candidate_ids() == ["g0-00", "g0-01"]


def test_calls_run_at_once_but_not_more_than_allowed_and_an_end_waits_for_none(run: Run, gate: Gate) -> None:
    designer = Held(lambda *_: GOOD, lambda _: True)

    async def interrupted() -> None:
        Writer(run, designer, gate).write(*whole(PARALLEL + 3))
        while len(designer.requests) < PARALLEL:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    asyncio.run(interrupted())
    assert len(designer.requests) == PARALLEL
    designer.free.set()


def test_a_failed_call_costs_one_candidate_as_many_as_a_generation_end_the_search(
    run: Run, gate: Gate
) -> None:
    """With requests of one sample, as without a barrier."""
    failing = ("g0-01", "g2-00", "g2-01")

    def answer(request: Request, sample: int) -> str:
        if request.id(sample) in failing:
            raise EndpointError("HTTP 500")
        return GOOD

    requests = [(request(2, n // 2), [n % 2]) for n in range(6)]
    with pytest.raises(EndpointError):
        write(run, ScriptedDesigner(answer), gate, *requests)
    failures = {id: run.failure(id) for id in run.candidate_ids()}
    assert {id: each and each.message for id, each in failures.items()} == {
        "g0-00": None, "g0-01": "HTTP 500", "g1-00": None, "g1-01": None, "g2-00": "HTTP 500",
    }  # fmt: skip


@pytest.mark.parametrize("error", [EndpointError("HTTP 500"), Unavailable("refused key")])
def test_where_every_call_fails_all_samples_stay_to_be_written(
    run: Run, gate: Gate, error: Exception
) -> None:
    with pytest.raises(type(error)):
        write(run, answering(dict.fromkeys(range(3), error)), gate, whole(3))
    assert run.candidate_ids() == []
    assert len(write(run, answering(dict.fromkeys(range(3), GOOD)), gate, whole(3))) == 3


def test_a_failed_call_is_that_samples_failure_where_others_succeed(run: Run, gate: Gate) -> None:
    error = EndpointError("HTTP 400")
    assert len(write(run, answering({0: error, 1: BAD, 2: GOOD}, {0: error, 1: error}), gate, whole(3))) == 3
    kinds = [failure and failure.kind for failure in map(run.failure, ("g0-00", "g0-01", "g0-02"))]
    assert kinds == ["no_code", "refused", None]


def test_a_designer_knows_the_programs_that_are_not_evaluated_yet(run: Run, gate: Gate) -> None:
    designer = answering({0: GOOD, 1: TWICE})
    write(run, designer, gate, (request(2), [0]), (request(2), [1]))
    assert [each.under_way for each, _ in designer.requests] == [(), (GOOD,)]


def test_a_run_is_idle_while_every_program_under_way_waits_for_its_author(run: Run, gate: Gate) -> None:
    """Not while one is being checked, or written by anybody else."""
    designer = Held(lambda request, sample: BAD if request.repair is None else GOOD, lambda _: True)
    idle: list[bool] = []

    async def work() -> None:
        writer = Writer(run, designer, gate)
        tasks = writer.write(*whole(2))
        while len(designer.requests) < 2:
            await asyncio.sleep(0.01)
        for id in ("g0-00", "g0-01"):
            idle.append(writer.idle)
            run.event("prompted", candidate=id, prompt="", answer="", problem="")
        idle.append(writer.idle)
        designer.free.set()
        run.listen(lambda event: idle.append(writer.idle) if event["event"] == "repaired" else None)
        await asyncio.gather(*tasks)
        idle.append(writer.idle)

    asyncio.run(work())
    assert idle == [False, False, True, False, False, False]
