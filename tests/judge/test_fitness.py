from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.fitness import Judge
from eureka_loop.records import Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary

VOCABULARY = Vocabulary(
    "Fake-v0",
    (Observable("speed", ()), Observable("pos", (3,)), Observable("native_reward", (), hidden=True)),
)
TASK = Task("fake", "Fake-v0", "", "def fitness(speed):\n    return speed.mean()\n")


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def test_fitness_and_success(fork_server: ForkServer) -> None:
    task = replace(TASK, success="def success(init_pos, pos):\n    return pos[-1, 0] > init_pos[-1, 0]\n")
    columns = {"speed": np.array([1.0, 2.0, 6.0]), "pos": np.ones((3, 3)), "init_pos": np.zeros((3, 3))}
    with Judge(fork_server, task, VOCABULARY) as judge:
        assert judge.names == ("speed", "init_pos", "pos")
        assert judge.score(columns) == (3.0, 1.0)
        assert judge.score({**columns, "pos": -columns["pos"]}) == (3.0, 0.0)


def test_without_success(fork_server: ForkServer) -> None:
    with Judge(fork_server, TASK, VOCABULARY) as judge:
        assert judge.score({"speed": np.arange(5.0), "pos": np.zeros((5, 3))}) == (2.0, None)


def test_a_long_episode(fork_server: ForkServer) -> None:
    """More rows than the process was made for."""
    with Judge(fork_server, TASK, VOCABULARY) as judge:
        assert judge.score({"speed": np.arange(5001.0)}) == (2500.0, None)


def test_hidden_observables_may_be_judged_by(fork_server: ForkServer) -> None:
    task = replace(TASK, fitness="def fitness(native_reward):\n    return native_reward.sum()\n")
    with Judge(fork_server, task, VOCABULARY) as judge:
        assert judge.score({"native_reward": np.ones(4)}) == (4.0, None)


def test_a_failure_names_the_program(fork_server: ForkServer) -> None:
    task = replace(TASK, success="def success(speed):\n    return speed[99]\n")
    with (
        Judge(fork_server, task, VOCABULARY) as judge,
        pytest.raises(RewardFailure, match=r"^success: ") as caught,
    ):
        judge.score({"speed": np.ones(3)})
    assert caught.value.kind == "exception"


def test_the_gate_is_passed_first(fork_server: ForkServer) -> None:
    with pytest.raises(Refused):
        Judge(fork_server, replace(TASK, fitness="import os\n"), VOCABULARY)
