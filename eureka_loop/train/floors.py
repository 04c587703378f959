"""Floors: policies that learn nothing, judged as trained ones are: what is reached without any reward."""

from __future__ import annotations

import math
from contextlib import closing
from itertools import count
from typing import Any

import numpy as np
from gymnasium.spaces import Box, MultiDiscrete
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import Predict, judge_policy
from eureka_loop.records import Array, Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.base import failed
from eureka_loop.train.hyperparameters import SpacesOnly, make_model, settings

SWINGS = 2.0  # a second, of the scripted policy


def judge_floor(job: Job, domain: Domain, fork_server: ForkServer) -> Trained | Failed:
    """Judge the policy that `job.candidate` names: "zero", "random" or "untrained"."""
    vocabulary = ObservableRegistry.of_task(job.task, domain).vocabulary
    try:
        with TaskJudge(fork_server, job.task, vocabulary) as judge:
            episodes = judge_policy(_policy(job), job.task, domain, job.judge_seeds, judge)
    except (RewardFailure, Refused) as error:
        return failed(job, error)
    return Trained(job.candidate, job.seed, 0, episodes, (), {}, 0.0)


def scripted(name: str, actions: Any, seed: int, dt: float = 0.0) -> Predict:
    """A policy that learns nothing: "zero", "random", "greatest", "least", or "swinging" (every action).

    Args:
        actions: the env's space of them.
        seed: of random actions.
        dt: seconds a step.
    """
    if name == "random":
        actions.seed(seed)
        return lambda _: np.asarray(actions.sample())
    if isinstance(actions, Box):
        low, high = actions.low, actions.high
    else:  # chosen from lists
        high = np.asarray(actions.nvec if isinstance(actions, MultiDiscrete) else actions.n) - 1
        low = 0 * high
    if name == "swinging":
        steps = count()

        def swung(_: Any) -> Array:
            now = low + (high - low) * (0.5 + 0.5 * math.sin(math.tau * SWINGS * dt * next(steps)))
            return now if isinstance(actions, Box) else np.rint(now).astype(high.dtype)

        return swung
    fixed = {"greatest": high, "least": low}.get(name, np.zeros(actions.shape, actions.dtype))
    held = np.clip(fixed, low, high)
    return lambda _: held


def _policy(job: Job) -> Predict:
    with closing(make_env(job.task)) as env:
        spaces, actions = env.observation_space, env.action_space
    if job.candidate in ("random", "zero"):
        return scripted(job.candidate, actions, job.seed)
    sizes = {"buffer_size": 1} if job.algorithm == "sac" else {}  # nothing is stored
    envs = DummyVecEnv([lambda: SpacesOnly(spaces, actions)])
    options = settings(job.algorithm, job.hyperparameters)
    model = make_model(job.algorithm, options, envs, job.seed, device="cpu", **sizes)
    return lambda observed: np.asarray(model.predict(observed, deterministic=True)[0])
