"""The catalogue itself."""

from __future__ import annotations

import json
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.registry import domains, find_domain, find_task, suites, tasks
from eureka_loop.errors import UnknownName
from eureka_loop.records import Algorithm
from eureka_loop.train.hyperparameters import ALGORITHMS, settings

MUJOCO_V5 = {
    "HalfCheetah-v5": "halfcheetah-run",
    "Hopper-v5": "hopper-hop",
    "Walker2d-v5": "walker2d-walk",
    "Ant-v5": "ant-run",
    "Humanoid-v5": "humanoid-run",
    "HumanoidStandup-v5": "humanoidstandup-standup",
    "Swimmer-v5": "swimmer-swim",
    "Reacher-v5": "reacher-reach",
    "Pusher-v5": "pusher-push",
    "InvertedPendulum-v5": "invertedpendulum-balance",
    "InvertedDoublePendulum-v5": "inverteddoublependulum-balance",
}


def test_the_mujoco_v5_envs_are_all_there() -> None:
    own = {task.env_id: task.name for task in suites()["gymnasium"]}
    assert own == MUJOCO_V5


def test_every_task_is_in_one_suite() -> None:
    members = [task.name for suite in suites().values() for task in suite]
    assert sorted(members) == sorted(tasks())
    assert {task.env_id for task in suites()["beyond"]} <= set(MUJOCO_V5)
    assert len(suites()["beyond"]) >= 10


def test_names_are_unique() -> None:
    every = [task.name for domain in domains() for task in domain.tasks]
    assert len(every) == len(set(every)) == len(tasks())
    for attribute in ("name", "env_id"):
        values = [getattr(domain, attribute) for domain in domains()]
        assert len(values) == len(set(values))


def test_a_domains_tasks_are_in_its_env() -> None:
    for domain in domains():
        assert domain.tasks
        assert {task.env_id for task in domain.tasks} == {domain.env_id}


def test_an_unknown_task_gets_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'halfcheetah-run'.*eureka tasks"):
        find_task("halfchetah-run")
    with pytest.raises(UnknownName, match="eureka tasks"):
        find_task("xyzzy")


def test_the_catalogue_is_not_changed_by_who_reads_it() -> None:
    tasks().clear()
    assert tasks()


def test_an_env_without_a_domain_file_gets_the_generic_domain() -> None:
    domain = find_domain("HalfCheetah-v4")
    assert domain.env_id == "HalfCheetah-v4"
    assert domain.observables == ()
    assert set(domain.hyperparameters) == {"ppo", "sac"}


HYPERPARAMETERS = [
    pytest.param(domain.env_id, algorithm, id=f"{domain.env_id}-{algorithm}")
    for domain in (*domains(), find_domain(""))
    for algorithm in domain.hyperparameters
]


@pytest.mark.parametrize(("env_id", "algorithm"), HYPERPARAMETERS)
def test_stable_baselines_takes_the_hyperparameters(env_id: str, algorithm: Algorithm) -> None:
    """Without a warning: SB3 warns, for one, of a last minibatch cut short."""
    hyperparameters = dict(find_domain(env_id).hyperparameters[algorithm])
    assert json.loads(json.dumps(hyperparameters)) == hyperparameters
    read = settings(algorithm, hyperparameters)
    arguments = dict(read.arguments) | ({"buffer_size": 10} if algorithm == "sac" else {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ALGORITHMS[algorithm]("MlpPolicy", DummyVecEnv([Nothing] * read.n_envs), **arguments)


def test_hyperparameters_say_where_they_come_from() -> None:
    for domain in domains():
        assert set(domain.hyperparameters) == {"ppo", "sac"}, domain.name
        assert "ppo.yml" in domain.hyperparameters_source, domain.name
        assert "sac.yml" in domain.hyperparameters_source, domain.name


class Nothing(gymnasium.Env[Any, Any]):
    """Spaces, and nothing in them."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (3,), np.float64)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)


def test_every_domain_says_whether_many_step_at_once() -> None:
    """All of its tasks do, or it says why not."""
    for domain in domains():
        stated = domain.vectorised
        served = [stated(task) if callable(stated) else stated for task in domain.tasks]
        assert all(served) or domain.not_vectorised, domain.name
