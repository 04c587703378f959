"""Behaviour in judged episodes: what is measured, and that nothing of it can fail a judging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.judge.base import LONGEST, TaskJudge
from eureka_loop.judge.behaviour import with_two_courses
from eureka_loop.records import Array, Task
from eureka_loop.results import Behaviour, judged_episode
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.reward.vocabulary import Observable, Vocabulary

SHAPES = {"torso_pos": (3,), "torso_turn": (3,), "qvel": (9,), "action": (2,), "terminated": (), "foot_contact": (),
          "pitch": (), "huge": (99,), "drift": ()}  # fmt: skip
VOCABULARY = Vocabulary(
    "Fake-v0",
    tuple(Observable(name, shape, "m/s" if name == "drift" else "") for name, shape in SHAPES.items()),
    dt=0.1,
)
TASK = Task(
    "fake", "Fake-v0", "", "def fitness(pitch):\n    up = ramp(pitch, 0.0, 1.0)\n    return up.mean()\n",
    success="def success(pitch):\n    return pitch[-1] > 0.5\n",
)  # fmt: skip
REWARD = "def compute_reward(prev_pitch, qvel, huge, drift):\n    return {'rise': prev_pitch, '_speed': norm(qvel)}\n"
BOUNDS = np.array([-1.0, -2.0]), np.array([1.0, 2.0])
STEPS = 100


@pytest.fixture
def columns() -> dict[str, Array]:
    """It walks 10 m along x, turns twice about y, lifts its foot half way, and stands still after 6 s."""
    part = np.linspace(0.0, 1.0, STEPS)
    zeros, ones = np.zeros(STEPS), np.ones(STEPS)
    return {
        "torso_pos": np.stack([10 * part, zeros, ones], axis=1),
        "torso_turn": np.stack([zeros, 4 * np.pi * part, zeros], axis=1),
        "qvel": np.where(np.arange(STEPS) < 60, 0.02, 1e-5)[:, None] * np.eye(9)[0],
        "action": np.stack([ones, zeros], axis=1),
        "terminated": np.eye(STEPS)[-1],
        "foot_contact": np.where(part < 0.5, 1.0, 0.0),
        "pitch": np.where((part > 0.3) & (part < 0.6), 1.0, 0.0) + 0.25,
        "prev_pitch": ones,
        "huge": np.zeros((STEPS, 99)),
        "drift": zeros,  # of a planar robot: no contact, though never another number
    }


@pytest.fixture
def reward(fork_server: ForkServer) -> Iterator[CheckedProcess]:
    program = check(REWARD, VOCABULARY)
    process = fork_server.start(program, VOCABULARY.shapes(program.parameters), rows=30)
    with CheckedProcess(process, 0) as reward:
        yield reward


def behaviour_of(
    judge: TaskJudge, columns: dict[str, Array], reward: CheckedProcess | None = None
) -> Behaviour:
    found = judge.judge_with_behaviour(7, columns, reward, BOUNDS).behaviour
    assert found is not None
    return found


def test_what_is_measured(fork_server: ForkServer, reward: CheckedProcess, columns: dict[str, Array]) -> None:
    with TaskJudge(fork_server, TASK, VOCABULARY) as judge:
        assert {*judge.recorded([reward])} == columns.keys()
        assert judge.episode_bytes(["pitch", "prev_pitch", "torso_pos"]) == 8 * 5 * LONGEST
        found = behaviour_of(judge, columns, reward)
    assert (found.seconds, found.terminated, found.moved, found.path) == (10.0, True, (10.0, 0.0, 0.0), 10.0)
    assert (found.turned, found.still_from, found.shares) == ((0.0, 2.0, 0.0), 6.0, {"foot_contact": 0.5})
    assert (found.effort, found.saturated) == (0.5, 0.5)
    assert found.succeeded_at == 4.0, "at the end of the fourth tenth, though not in the end"
    assert found.pieces == {"up": pytest.approx(0.25 + 0.75 * 0.3, abs=0.02)}
    assert found.terms == {"rise": 1.0, "_speed": pytest.approx(0.02 * 0.6, rel=1e-3)}, (
        "more rows than fit at once"
    )
    assert [*found.courses] == ["pitch", "qvel (root mean square)", "drift", "term rise", "term _speed"]
    assert found.courses["pitch"].means[:5] == (0.25, 0.25, 0.25, 1.25, 1.25)
    assert (found.courses["term rise"].means, found.courses["term rise"].low) == ((), 1.0), "constant"


def test_what_cannot_be_measured_is_left_out(fork_server: ForkServer, columns: dict[str, Array]) -> None:
    """Neither NaN nor a program that fails on a part of an episode fails the judging."""
    columns["torso_pos"][3] = np.nan
    task = replace(
        TASK,
        fitness="def fitness(pitch):\n    far = 1.0 / (pitch[-1] - 0.25)\n    return pitch.mean() * (far > 0)\n",
        success="def success(pitch):\n    return pitch[60] > 0.5\n",
    )
    with TaskJudge(fork_server, task, VOCABULARY) as judge:
        for _ in range(2):
            found = behaviour_of(judge, columns)
            assert (found.moved, found.path, found.pieces, found.terms) == ((), None, {}, {})
            assert found.succeeded_at is None
            assert found.seconds == 10.0
        few = behaviour_of(judge, {name: each[:61] for name, each in columns.items() if name == "pitch"})
    assert (few.turned, few.still_from, few.effort, few.shares) == ((), None, None, {})


def test_a_success_that_every_beginning_has_is_reached_at_no_time(
    fork_server: ForkServer, columns: dict[str, Array]
) -> None:
    task = replace(TASK, success="def success(pitch):\n    return (pitch < 1.0).all()\n")
    with TaskJudge(fork_server, task, VOCABULARY) as judge:
        assert behaviour_of(judge, columns).succeeded_at is None


def test_a_term_that_fails_leaves_no_terms(fork_server: ForkServer, columns: dict[str, Array]) -> None:
    program = check("def compute_reward(pitch):\n    return {'t': 1.0 / (pitch - 0.25)}\n", VOCABULARY)
    with (
        TaskJudge(fork_server, TASK, VOCABULARY) as judge,
        CheckedProcess(fork_server.start(program, {"pitch": ()}, rows=500), 0) as process,
    ):
        for _ in range(2):  # the process is closed by the first failure
            assert behaviour_of(judge, columns, process).terms == {}


def test_an_episode_of_one_step(fork_server: ForkServer, columns: dict[str, Array]) -> None:
    with TaskJudge(fork_server, TASK, VOCABULARY) as judge:
        found = behaviour_of(judge, {name: each[:1] for name, each in columns.items()})
    assert (found.seconds, found.path, found.still_from) == (0.1, 0.0, None)


def test_only_the_median_and_the_worst_keep_their_course(
    fork_server: ForkServer, columns: dict[str, Array]
) -> None:
    with TaskJudge(fork_server, TASK, VOCABULARY) as judge:
        found = behaviour_of(judge, columns)
    episodes = [
        replace(judged_episode(n, fitness, None, 9), behaviour=found)
        for n, fitness in enumerate((3, 1, 5, 4))
    ]
    kept = with_two_courses(episodes)
    assert [bool(each.behaviour and each.behaviour.courses) for each in kept] == [True, True, False, False]
    assert [each.behaviour.terms for each in kept if each.behaviour] == [found.terms] * 4
