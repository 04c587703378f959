from __future__ import annotations

import importlib.util

import pytest

from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Task
from eureka_loop.simulate.env import make_env


def task(env_id: str, **env_kwargs: object) -> Task:
    return Task("toy", env_id, "", "", env_kwargs=env_kwargs)


def test_an_env_is_made_with_its_arguments() -> None:
    env = make_env(task("HalfCheetah-v5", reset_noise_scale=0.0))
    assert env.spec.max_episode_steps == 1000
    first, _ = env.reset(seed=0)
    second, _ = env.reset(seed=1)
    assert (first == second).all()


@pytest.mark.parametrize("wrong", ["HalfChetah-v5", "HalfCheetah-v55"])
def test_an_unknown_env_is_answered_with_the_nearest(wrong: str) -> None:
    with pytest.raises(UnknownName, match=rf"unknown env '{wrong}'; did you mean .*'HalfCheetah-v5'"):
        make_env(task(wrong))


@pytest.mark.skipif(
    importlib.util.find_spec("gymnasium_robotics") is not None, reason="the extra is installed"
)
def test_a_missing_extra_is_named() -> None:
    with pytest.raises(MissingExtra, match=r"FetchReach-v4.*eureka-loop\[robotics\]"):
        make_env(task("FetchReach-v4"))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(BadInput, match=r"'Ant-v5' can't be made with \{'legs': 6\}"):
        make_env(task("Ant-v5", legs=6))
