"""Replies → candidates: kept before anything is done with them, repaired once, never asked for twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.design.designer import Request, ScriptedDesigner
from eureka_loop.design.write import Gate, Writer
from eureka_loop.errors import BudgetSpent
from eureka_loop.program.vocabulary import Observable, Vocabulary
from eureka_loop.records import Failed, Reply, Task, Usage
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.store import Run

VOCABULARY = Vocabulary("E-v0", (Observable("height", ()),), horizon=10, dt=0.1)
GOOD = "def compute_reward(height):\n    return {'height': height}\n"
BAD = "def compute_reward(hight):\n    return {'height': hight}\n"
MIXED = "def compute_reward(height):\n    return {'height': height - np.roll(height, 1)}\n"


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
    (candidate,) = Writer(run, designer, gate).write(request(1))
    assert candidate.source == GOOD
    repair = designer.requests[1].repair
    assert repair is not None
    assert "did you mean 'height'" in repair.problems
    assert run.failure("g0-00") is None


def test_a_second_mistake_is_a_failure(run: Run, gate: Gate) -> None:
    Writer(run, ScriptedDesigner([BAD, MIXED]), gate).write(request(1))
    failure = run.failure("g0-00")
    assert failure is not None
    assert failure.kind in ("refused", "rows_not_independent")


def test_what_was_answered_is_not_asked_again(run: Run, gate: Gate) -> None:
    first = Writer(run, ScriptedDesigner([BAD, GOOD, GOOD]), gate).write(request(2))
    silent = ScriptedDesigner([])
    assert Writer(run, silent, gate).write(request(2)) == first
    assert silent.requests == []


def test_a_kill_between_repair_and_candidate_costs_no_second_repair(run: Run, gate: Gate) -> None:
    before = Writer(run, ScriptedDesigner([BAD, GOOD]), gate).write(request(1))
    (run.candidate_folder("g0-00") / "origin.json").unlink()
    run.write_failure(Failed("g0-00", "refused", "left by an earlier life"))
    silent = ScriptedDesigner([])
    assert Writer(run, silent, gate).write(request(1)) == before
    assert silent.requests == []
    assert run.failure("g0-00") is None


class Costly(ScriptedDesigner):
    """Each reply costs; a repair would pass the limit."""

    def propose(self, request: Request) -> list[Reply]:
        if request.repair:
            raise BudgetSpent("--max-tokens 100")
        return [Reply(reply.source, usage=Usage(40, 10, None)) for reply in super().propose(request)]


def test_a_repair_that_would_pass_the_limit_fails_its_candidate_and_no_other(run: Run, gate: Gate) -> None:
    Writer(run, Costly([BAD, GOOD]), gate).write(request(2))
    assert run.failure("g0-00") is not None
    assert run.failure("g0-01") is None
    spent = [event for event in run.events() if event["event"] == "spent"]
    assert [(each["prompt_tokens"], each["completion_tokens"], each["usd"]) for each in spent] == [
        (80, 20, None)
    ]
