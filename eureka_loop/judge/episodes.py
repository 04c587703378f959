"""Judged episodes: the final policy, without exploration, one whole episode a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Damaged
from eureka_loop.judge.base import LONGEST, TaskJudge
from eureka_loop.judge.behaviour import Columns, with_two_courses
from eureka_loop.records import Array, Task
from eureka_loop.results import JudgedEpisode
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.simulate import play as standalone
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import StepBuffer

Observation = Any  # an array, or a dict of arrays for goal envs
Predict = Callable[[Observation], Array]  # one observation, as the env gives it → one action


def load_policy(folder: Path) -> Predict:
    """The policy of a training's folder.

    Raises:
        Damaged: its policy.npz is missing, or not such a file.
    """
    try:
        return standalone.load(folder)
    except ValueError as error:
        raise Damaged(str(error)) from error


def judge_policy(
    predict: Predict,
    task: Task,
    domain: Domain,
    seeds: Iterable[int],
    judge: TaskJudge,
    reward: CheckedProcess | None = None,
) -> tuple[JudgedEpisode, ...]:
    """One whole episode a seed, judged; `predict` is deterministic and normalises observations itself.

    Args:
        reward: the program that the policy was trained with.

    Raises:
        RewardFailure: fitness or success failed.
    """
    env = make_env(task)
    try:
        names, space = judge.recorded([reward] if reward else []), env.action_space
        buffer = ObservableRegistry(env, domain).buffer(names, 1)
        bounds = np.ravel(getattr(space, "low", -np.inf)), np.ravel(getattr(space, "high", np.inf))
        played = ((seed, play(predict, env, buffer, seed)) for seed in seeds)
        return with_two_courses(
            [judge.judge_with_behaviour(seed, columns, reward, bounds) for seed, columns in played]
        )
    finally:
        env.close()


def play(predict: Predict, env: gymnasium.Env[Any, Any], buffer: StepBuffer, seed: int) -> Columns:
    """One whole episode: parameter → (T, *shape)."""
    recorded = RecordedEnv(env, buffer)
    observation, _ = recorded.reset(seed=seed)
    for _ in range(LONGEST):
        observation, _, terminated, truncated, _ = recorded.step(predict(observation))
        if terminated or truncated:
            break
    return buffer.take().columns
