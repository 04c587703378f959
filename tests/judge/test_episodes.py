from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.judge.fitness import Judge
from eureka_loop.records import Array
from eureka_loop.results import JudgedEpisode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments

TASK = find_task("hopper-hop")
DOMAIN = find_domain(TASK.env_id)

Judged = Callable[..., tuple[JudgedEpisode, ...]]


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    """Judges a fixed policy on some seeds."""
    env = make_env(TASK)
    vocabulary = Instruments(env, DOMAIN).vocabulary
    env.close()
    with ForkServer() as fork_server, Judge(fork_server, TASK, vocabulary) as judge:
        yield lambda *seeds: judge_policy(policy, TASK, DOMAIN, seeds, judge)


def policy(observation: Any) -> Array:
    """Some torques that depend on the state, so that episodes differ and chaos has its say."""
    return np.tanh(np.array([observation[5], -observation[1], 3 * observation[2]]))


def test_one_episode_a_seed(judged: Judged) -> None:
    scores = judged(4, 8)
    assert [score.seed for score in scores] == [4, 8]
    assert scores[0].fitness != scores[1].fitness
    assert all(score.length > 1 and score.success == 0.0 for score in scores)


def test_a_seeds_score_does_not_depend_on_the_others(judged: Judged) -> None:
    together = judged(1, 2, 3)
    assert judged(2) == together[1:2]
    assert judged(3, 1) == (together[2], together[0])
