"""Through the machinery to the score: a fixed policy's fitness is the same to the last bit, whatever the reward
program does beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.results import JudgedEpisode
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from tests.attacks.conftest import armed

TASK = find_task("hopper-hop")
DOMAIN = find_domain(TASK.env_id)
SEEDS = (11, 12)

HOSTILE = {
    "the largest terms": "return {'a': x * 0 + 1e6}",
    "terms that alternate": "return {'a': np.where(np.arange(len(x)) % 2 == 0, 1e6, -1e6)}",
    "names its terms after the score": "return {'fitness': x * 0 + 1e6, 'success': x * 0 + 1.0, '_score': x}",
    "draws random numbers": "return {'a': np.frombuffer(os.urandom(len(x)), np.uint8) / 255.0}",
    "sets numpy's error state": "np.seterr(all='raise')\nreturn {'a': x * 0}",
    "replaces functions": "np.mean = np.sum = np.add = None\ntolerance.__globals__['np'].float64 = None\nreturn {'a': x * 0}",
    "replaces the answer": "sys._getframe(2).f_locals['self']._evaluate = lambda rows: (b'a', 1)\nreturn {'a': x * 0}",
    "fills the answer's memory": "sys._getframe(2).f_locals['self']._values[:] = 9e5\nreturn {'a': x * 0}",
    "writes to its inputs": "ctypes.memset(x.ctypes.data, 0, 8)\nreturn {'a': x}",
    "kills its parent": "os.kill(os.getppid(), 9)\nreturn {'a': x}",
    "never returns": "while True:\n    pass",
}
SURVIVORS = tuple(HOSTILE)[:8]


def policy(observation: Any) -> Any:
    """Some torques that depend on the state, so that the least difference grows."""
    return np.tanh(np.array([observation[5], -observation[1], 3 * observation[2]]))


@pytest.fixture(scope="module")
def vocabulary():
    env = make_env(TASK)
    try:
        return ObservableRegistry(env, DOMAIN).vocabulary
    finally:
        env.close()


@pytest.fixture(scope="module")
def score(locked, vocabulary) -> Callable[[], tuple[JudgedEpisode, ...]]:
    """Judge the fixed policy, by processes of the same fork server."""

    def judged() -> tuple[JudgedEpisode, ...]:
        with TaskJudge(locked.fork_server, TASK, vocabulary) as judge:
            return judge_policy(policy, TASK, DOMAIN, SEEDS, judge)

    return judged


@pytest.fixture(scope="module")
def honest(score) -> tuple[JudgedEpisode, ...]:
    return score()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_fixed_policys_fitness_is_the_same_beside_any_program(locked, score, honest, name):
    with locked.start(armed(HOSTILE[name]), deadline=0.3) as process:
        try:
            process.evaluate(locked.columns)
        except RewardFailure:
            assert name not in SURVIVORS
        assert score() == honest
