"""Floors: policies that learn nothing, judged as trained ones are: what is reached without any reward."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import Predict, judge_policy
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.base import failed
from eureka_loop.train.hyperparameters import SpacesOnly, make_model, settings


def judge_floor(job: Job, domain: Domain, fork_server: ForkServer) -> Trained | Failed:
    """Judge the policy that `job.candidate` names: "zero", "random" or "untrained"."""
    vocabulary = ObservableRegistry.of_task(job.task, domain).vocabulary
    try:
        with TaskJudge(fork_server, job.task, vocabulary) as judge:
            episodes = judge_policy(_policy(job), job.task, domain, job.judge_seeds, judge)
    except (RewardFailure, Refused) as error:
        return failed(job, error)
    return Trained(job.candidate, job.seed, 0, episodes, (), {}, 0.0)


def _policy(job: Job) -> Predict:
    with closing(make_env(job.task)) as env:
        spaces, actions = env.observation_space, env.action_space
    if job.candidate == "random":
        actions.seed(job.seed)
        return lambda _: np.asarray(actions.sample())
    if job.candidate == "zero":
        box: Any = actions
        nothing = np.clip(np.zeros(box.shape, box.dtype), box.low, box.high)
        return lambda _: nothing
    sizes = {"buffer_size": 1} if job.algorithm == "sac" else {}  # nothing is stored
    envs = DummyVecEnv([lambda: SpacesOnly(spaces, actions)])
    options = settings(job.algorithm, job.hyperparameters)
    model = make_model(job.algorithm, options, envs, job.seed, device="cpu", **sizes)
    return lambda observed: np.asarray(model.predict(observed, deterministic=True)[0])
