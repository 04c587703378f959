"""Replies → candidates: kept before anything is done with them, repaired once, never asked for twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.budget import Deadline
from eureka_loop.design.designer import Designer, Inbox, Request, ScriptedDesigner
from eureka_loop.design.write import Gate, Writer
from eureka_loop.errors import BudgetSpent, EndpointError
from eureka_loop.program.vocabulary import Observable, Vocabulary
from eureka_loop.records import Reply, Task
from eureka_loop.results import Failed
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.store import Run

VOCABULARY = Vocabulary("E-v0", (Observable("height", ()),), horizon=10, dt=0.1)
GOOD = "def compute_reward(height):\n    return {'height': height}\n"
BAD = "def compute_reward(hight):\n    return {'height': hight}\n"
TWICE = "def compute_reward(height):\n    return {'height': 2.0 * height}\n"
MIXED = "def compute_reward(height):\n    return {'height': height - np.roll(height, 1)}\n"


def writer(run: Run, designer: Designer, gate: Gate) -> Writer:
    return Writer(run, designer, gate, Deadline(None))


def request(samples: int) -> Request:
    task = Task("t", "E-v0", "rise", "f")
    return Request(task, VOCABULARY, "ppo", 0.99, 100, 0, samples, 0)


@pytest.fixture
def gate() -> Iterator[Gate]:
    with Zygote() as zygote:
        height = np.linspace(0.0, 1.0, 40)
        yield Gate(VOCABULARY, dict.fromkeys(("height", "prev_height", "init_height"), height), zygote)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, "t")


def test_a_program_with_a_mistake_goes_back_once_with_the_error(run: Run, gate: Gate) -> None:
    designer = ScriptedDesigner([BAD, GOOD])
    (candidate,) = writer(run, designer, gate).write(request(1))
    assert candidate.source == GOOD
    repair = designer.requests[1].repair
    assert repair is not None
    assert "did you mean 'height'" in repair.problems
    assert run.failure("g0-00") is None


def test_a_second_mistake_is_a_failure(run: Run, gate: Gate) -> None:
    writer(run, ScriptedDesigner([BAD, MIXED]), gate).write(request(1))
    failure = run.failure("g0-00")
    assert failure is not None
    assert failure.kind in ("refused", "rows_not_independent")


def test_what_was_answered_is_not_asked_again(run: Run, gate: Gate) -> None:
    first = writer(run, ScriptedDesigner([BAD, GOOD, GOOD]), gate).write(request(2))
    silent = ScriptedDesigner([])
    assert writer(run, silent, gate).write(request(2)) == first
    assert silent.requests == []


def test_a_kill_between_repair_and_candidate_costs_no_second_repair(run: Run, gate: Gate) -> None:
    before = writer(run, ScriptedDesigner([BAD, GOOD]), gate).write(request(1))
    (run.candidate_folder("g0-00") / "origin.json").unlink()
    run.fail(Failed("g0-00", "refused", "left by an earlier life"))
    silent = ScriptedDesigner([])
    assert writer(run, silent, gate).write(request(1)) == before
    assert silent.requests == []
    assert run.failure("g0-00") is None


class Limited(ScriptedDesigner):
    """Answers so many calls, then the limit is reached."""

    def __init__(self, sources: list[str], calls: int) -> None:
        super().__init__(sources)
        self._calls = calls

    def propose(self, request: Request, inbox: Inbox) -> None:
        for sample in request.wanted:
            if not self._calls:
                raise BudgetSpent("--max-tokens 100")
            self._calls -= 1
            super().propose(replace(request, only=(sample,)), inbox)


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_what_a_limit_cuts_off_is_asked_for_later_and_nothing_else(run: Run, gate: Gate, calls: int) -> None:
    sources = [BAD, GOOD, TWICE, GOOD]  # three samples, and the first one's repair
    first, second = Limited(sources[:calls], calls), ScriptedDesigner(sources[calls:])
    with pytest.raises(BudgetSpent):
        writer(run, first, gate).write(request(3))
    candidates = writer(run, second, gate).write(request(3))
    assert [each.source for each in candidates] == [GOOD, GOOD, TWICE]
    assert [each.source for each in writer(run, ScriptedDesigner([]), gate).write(request(3))] == [
        GOOD,
        GOOD,
        TWICE,
    ]
    assert len(first.requests) + sum(len(each.wanted) for each in second.requests) == 4
    assert all(run.failure(each.id) is None for each in candidates)


def test_every_reply_is_on_disk_before_the_next_one_is_asked_for(run: Run, gate: Gate) -> None:
    there: list[int] = []

    class Looking(ScriptedDesigner):
        def propose(self, request: Request, inbox: Inbox) -> None:
            for sample in request.wanted:
                there.append(sum(run.proposal(request.id(each)) is not None for each in request.wanted))
                super().propose(replace(request, only=(sample,)), inbox)

    writer(run, Looking([GOOD, GOOD, TWICE]), gate).write(request(3))
    assert there == [0, 1, 2]
    written = [event["id"] for event in run.events() if event["event"] == "written"]
    assert written == ["g0-00", "g0-01", "g0-02"]


def test_the_time_limit_holds_while_programs_are_written(run: Run, gate: Gate) -> None:
    class Slow(ScriptedDesigner):
        def propose(self, request: Request, inbox: Inbox) -> None:
            super().propose(replace(request, only=(0,)), inbox)
            clock.append(3601.0)
            inbox.tick()

    clock = [0.0]
    deadline = Deadline(1.0, clock=lambda: clock[-1])
    with pytest.raises(BudgetSpent, match="--max-hours 1 is reached"):
        Writer(run, Slow([GOOD, GOOD]), gate, deadline).write(request(2))
    assert (run.proposal("g0-00"), run.proposal("g0-01")) == (Reply(GOOD), None)
    silent = ScriptedDesigner([GOOD])
    with pytest.raises(BudgetSpent):
        Writer(run, silent, gate, deadline).write(request(2))
    assert silent.requests == []


def test_an_endpoint_that_fails_at_a_repair_fails_that_candidate_alone(run: Run, gate: Gate) -> None:
    class Unrepairing(ScriptedDesigner):
        def propose(self, request: Request, inbox: Inbox) -> None:
            if request.repair:
                raise EndpointError("no")
            super().propose(request, inbox)

    writer(run, Unrepairing([BAD, GOOD]), gate).write(request(2))
    assert run.failure("g0-00") is not None
    assert run.failure("g0-01") is None
