"""Whether the batched simulator can stand in for a task's env, found by trying."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Task
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observation import in_one_row

TRIED_STEPS = 10


def serves(task: Task, domain: Domain, names: Iterable[str]) -> str:
    """ "" where `BatchedEnvs` can stand in for the env; else why not, in one line.

    The domain's functions are tried: a start and some steps with random actions have to come out as the env's
    own, so that another version of the env, or of its file, is noticed.
    """
    try:
        envs = BatchedEnvs(task, domain, names, n_envs=1, seed=0)
    except BadInput as error:
        return str(error)
    env = make_env(task)
    try:
        return _difference(env, envs)
    finally:
        env.close()
        envs.close()


def _difference(env: gymnasium.Env[Any, Any], envs: BatchedEnvs) -> str:
    random = np.random.default_rng(0)
    low, high = np.maximum(envs.action_low, -1.0), np.minimum(envs.action_high, 1.0)
    expected, got = in_one_row(env, env.reset(seed=0)[0]), envs.reset()[0]
    for step in range(TRIED_STEPS):
        if expected.shape != got.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-6):
            return f"the env's observations aren't what its domain file states: step {step}"
        action = random.uniform(low, high).astype(np.float32)
        obs, _, terminated, truncated, _ = env.step(action)
        result = envs.step(action[None])
        expected, got = in_one_row(env, obs), result.terminal_obs[0]
        if (terminated, truncated) != (result.terminated[0], result.truncated[0]):
            return f"the env's episodes don't end as its domain file states: step {step + 1}"
        if terminated or truncated:
            break
    return ""
