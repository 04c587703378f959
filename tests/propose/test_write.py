"""Replies → candidates: kept before anything is done with them, repaired, never requested twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import BudgetSpent, DesignerError, EndpointError
from eureka_loop.propose.designer import Designer, ReplySink, Request, ScriptedDesigner
from eureka_loop.propose.write import REPAIRS, Gate, Writer
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


class Answering:
    """Answers each sample from a table, and its repairs from another; an exception is raised."""

    name = "scripted"

    def __init__(
        self, replies: Mapping[int, str | Exception], repairs: Mapping[int, str | Exception] | None = None
    ) -> None:
        self._replies, self._repairs = replies, repairs or {}
        self.requests: list[Request] = []

    def propose(self, request: Request, sink: ReplySink) -> None:
        self.requests.append(request)
        answers = self._repairs if request.repair else self._replies
        for sample in request.wanted:
            answer = answers[sample]
            if isinstance(answer, Exception):
                raise answer
            sink.keep(sample, Reply(answer))


def write(
    run: Run, designer: Designer, gate: Gate, *requests: Request, at_once: bool = True
) -> list[Candidate]:
    """The candidates, in order of id.

    Args:
        at_once: whether no request waits for the one before.

    Raises:
        DesignerError: no more can be written.
    """
    writer = Writer(run, designer, gate)

    async def work() -> list[Candidate | None]:
        if at_once:
            tasks = [task for request in requests for task in writer.write(request)]
            return await asyncio.gather(*tasks)
        return [await task for request in requests for task in writer.write(request)]

    found = [each for each in asyncio.run(work()) if each is not None]
    if writer.problem is not None:
        raise writer.problem
    return sorted(found, key=lambda each: each.id)


def request(samples: int, generation: int = 0) -> Request:
    task = Task("t", "E-v0", "rise", "f")
    return Request(task, VOCABULARY, "ppo", 0.99, 100, generation, samples, 0)


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
    designer = ScriptedDesigner([BAD] * mistakes + [GOOD])
    (candidate,) = write(run, designer, gate, request(1))
    repairs = [each.repair for each in designer.requests if each.repair]
    assert [each.attempt for each in repairs] == list(range(1, min(mistakes, REPAIRS) + 1))
    assert all("did you mean 'height'" in each.problems for each in repairs)
    assert candidate.source == (GOOD if mistakes <= REPAIRS else BAD)
    failure = run.failure("g0-00")
    assert (failure and failure.kind) == (None if mistakes <= REPAIRS else "refused")
    assert len(run.exchanges("g0-00")) == 1 + len(repairs)


def test_what_was_answered_is_not_requested_again(run: Run, gate: Gate) -> None:
    first = write(run, Answering({0: BAD, 1: GOOD}, {0: GOOD}), gate, request(2))
    silent = ScriptedDesigner([])
    assert write(run, silent, gate, request(2)) == first
    assert silent.requests == []


def test_a_kill_between_repair_and_candidate_costs_no_further_repair(run: Run, gate: Gate) -> None:
    before = write(run, ScriptedDesigner([BAD, MIXED, GOOD]), gate, request(1))
    (run.candidate_folder("g0-00") / "origin.json").unlink()
    run.fail(Failed("g0-00", "refused", "left by an earlier process"))
    silent = ScriptedDesigner([])
    assert write(run, silent, gate, request(1)) == before
    assert silent.requests == []
    assert run.failure("g0-00") is None


SPENT = BudgetSpent("--max-tokens 100")


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_what_a_limit_cuts_off_is_requested_later_and_nothing_else(
    run: Run, gate: Gate, answered: int
) -> None:
    programs = {0: BAD, 1: GOOD, 2: TWICE}
    first = Answering({n: programs[n] if n < answered else SPENT for n in range(3)}, {0: SPENT})
    second = Answering(programs, {0: GOOD})
    with pytest.raises(BudgetSpent):
        write(run, first, gate, request(3))
    assert [run.proposal(f"g0-0{n}") is not None for n in range(3)] == [n < answered for n in range(3)]
    candidates = write(run, second, gate, request(3))
    assert [each.source for each in candidates] == [GOOD, GOOD, TWICE]
    assert write(run, Answering({}), gate, request(3)) == candidates
    asked = [each.wanted for each in second.requests if each.repair is None]
    assert [sample for wanted in asked for sample in wanted] == list(range(answered, 3))
    assert all(run.failure(each.id) is None for each in candidates)


def test_a_limit_waits_for_what_is_being_written(run: Run, gate: Gate) -> None:
    """The second request fails at once, the first has an answer on its way."""
    failed = threading.Event()

    class Two(Answering):
        def propose(self, request: Request, sink: ReplySink) -> None:
            if request.wanted == (1,):
                failed.set()
                raise SPENT
            assert failed.wait(20)
            super().propose(request, sink)

    with pytest.raises(BudgetSpent):
        write(run, Two({0: GOOD}), gate, *(replace(request(2), only=(n,)) for n in range(2)))
    assert run.candidate_ids() == ["g0-00"]
    reasons = [event["reason"] for event in run.events() if event["event"] == "writing_ended"]
    assert reasons == ["--max-tokens 100"]


def test_a_closed_writer_begins_no_further_call(run: Run, gate: Gate) -> None:
    ended, ticked = threading.Event(), threading.Event()

    class Waiting(Answering):
        def propose(self, request: Request, sink: ReplySink) -> None:
            try:
                while True:
                    sink.tick()
                    ticked.set()
                    time.sleep(0.01)
            finally:
                ended.set()

    writer = Writer(run, Waiting({}), gate)

    async def interrupted() -> None:
        writer.write(request(1))
        await asyncio.to_thread(ticked.wait, 20)

    asyncio.run(interrupted())
    writer.close()
    assert ended.wait(20)


def test_a_candidate_is_there_while_others_are_written(run: Run, gate: Gate) -> None:
    more = threading.Event()

    class Slow(Answering):
        def propose(self, request: Request, sink: ReplySink) -> None:
            super().propose(replace(request, only=(1,)), sink)
            assert more.wait(20)
            super().propose(replace(request, only=(0,)), sink)

    async def work() -> None:
        first, second = Writer(run, Slow({0: GOOD, 1: TWICE}), gate).write(request(2))
        done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        assert done == {second}
        assert run.candidate_ids() == ["g0-01"]
        more.set()
        await first

    asyncio.run(work())
    assert run.candidate_ids() == ["g0-00", "g0-01"]


def test_a_single_call_that_fails_costs_one_candidate_many_end_the_search(run: Run, gate: Gate) -> None:
    class Flaky(Answering):
        def propose(self, request: Request, sink: ReplySink) -> None:
            if request.id(request.wanted[0]) in ("g0-01", "g2-00", "g2-01") or request.repair:
                raise EndpointError("HTTP 500")
            super().propose(request, sink)

    requests = [replace(request(2, n // 2), only=(n % 2,)) for n in range(6)]
    with pytest.raises(EndpointError):
        write(run, Flaky({0: GOOD, 1: GOOD}), gate, *requests, at_once=False)
    failure = run.failure("g0-01")
    assert failure is not None
    assert (failure.kind, failure.message) == ("no_code", "HTTP 500")
    assert run.failure("g1-01") is None


def test_a_designer_without_a_reply_ends_the_writing(run: Run, gate: Gate) -> None:
    with pytest.raises(DesignerError, match="scripted gave no reply for g0-00"):
        write(run, ScriptedDesigner([]), gate, request(1))


def test_a_bug_in_a_designer_is_raised(run: Run, gate: Gate) -> None:
    with pytest.raises(ZeroDivisionError):
        write(run, Answering({0: ZeroDivisionError()}), gate, request(1))


def test_a_designer_knows_the_programs_that_are_not_evaluated_yet(run: Run, gate: Gate) -> None:
    designer = Answering({0: GOOD, 1: TWICE})
    write(run, designer, gate, *(replace(request(2), only=(n,)) for n in range(2)), at_once=False)
    assert [each.under_way for each in designer.requests] == [(), (GOOD,)]


def test_every_reply_is_on_disk_before_the_next_one_is_asked_for(run: Run, gate: Gate) -> None:
    there: list[int] = []

    class Looking(ScriptedDesigner):
        def propose(self, request: Request, sink: ReplySink) -> None:
            for sample in request.wanted:
                there.append(sum(run.proposal(request.id(each)) is not None for each in request.wanted))
                super().propose(replace(request, only=(sample,)), sink)

    write(run, Looking([GOOD, GOOD, TWICE]), gate, request(3))
    assert there == [0, 1, 2]
    written = [event["id"] for event in run.events() if event["event"] == "written"]
    assert written == ["g0-00", "g0-01", "g0-02"]


def test_an_endpoint_that_fails_at_a_repair_fails_that_candidate_alone(run: Run, gate: Gate) -> None:
    write(run, Answering({0: BAD, 1: GOOD}, {0: EndpointError("no")}), gate, request(2))
    assert run.failure("g0-00") is not None
    assert run.failure("g0-01") is None
