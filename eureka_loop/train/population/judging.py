"""Judging the policies of a cohort, many episodes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import pairwise

import numpy as np
import torch

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.base import LONGEST, TaskJudge
from eureka_loop.judge.behaviour import Columns, with_two_courses
from eureka_loop.records import Task
from eureka_loop.results import JudgedEpisode
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.population.policies import CPU
from eureka_loop.train.population.ppo import PopulationPPO

Judged = tuple[JudgedEpisode, ...]

AT_ONCE = 128  # episodes: bounds memory, which holds them whole, and the time without a report
MOST_BYTES = 200_000_000  # of their columns


def judge_policies(
    ppo: PopulationPPO,
    task: Task,
    domain: Domain,
    seeds: Sequence[Sequence[int]],
    judge: TaskJudge,
    rewards: Mapping[int, CheckedProcess],
    threads: int,
    alive: Callable[[], None],
) -> dict[int, Judged | RewardFailure]:
    """Judge every active policy, without exploration, in one whole episode a seed.

    Args:
        seeds: of each learner, idle ones included; equally many.
        rewards: learner → the program that it was trained with.
        threads: that step the envs.
        alive: called whenever some episodes are done and others are left.

    Returns:
        Learner → its episodes, or how fitness or success failed on one of them.
    """
    judged: dict[int, Judged | RewardFailure] = dict.fromkeys(ppo.active, ())
    names = judge.recorded(rewards.values())
    count = max(1, min(AT_ONCE, MOST_BYTES // judge.episode_bytes(names)) // ppo.learners)
    for start in range(0, len(seeds[0]), count):
        if start:
            alive()
        now = [each[start : start + count] for each in seeds]
        flat = [seed for each in now for seed in each]
        with closing(BatchedEnvs(task, domain, names, flat, threads)) as envs:
            episodes, bounds = play_episodes(ppo, envs), (envs.action_low, envs.action_high)
        for learner, before in judged.items():
            if not isinstance(before, RewardFailure):
                own = zip(now[learner], episodes[learner * len(now[0]) :], strict=False)
                try:
                    now_judged = (
                        judge.judge_with_behaviour(seed, columns, rewards[learner], bounds)
                        for seed, columns in own
                    )
                    judged[learner] = (*before, *now_judged)
                except RewardFailure as failure:
                    judged[learner] = failure
    return {
        learner: each if isinstance(each, RewardFailure) else with_two_courses(each)
        for learner, each in judged.items()
    }


def play_episodes(ppo: PopulationPPO, envs: BatchedEnvs) -> list[Columns]:
    """The columns of one whole episode of each env, learner by learner.

    All are stepped until the last one has finished; further steps of the others are dropped.
    """
    low, high = envs.action_low.astype(np.float32), envs.action_high.astype(np.float32)
    observations, finished = envs.reset(), np.zeros(envs.n_envs, np.bool_)
    with torch.inference_mode():
        actor = ppo.policies.networks(CPU).actor
        for _ in range(LONGEST):
            scaled = ppo.observation_scale.apply(
                observations.reshape(ppo.learners, -1, observations.shape[1])
            )
            means = actor.forward(torch.from_numpy(scaled)).numpy()
            step = envs.step(np.clip(means, low, high).reshape(envs.n_envs, -1))
            observations = step.obs
            finished |= step.terminated | step.truncated
            if finished.all():
                break
    taken = envs.buffer.take()
    episodes: list[Columns] = []
    for begin, end in pairwise(np.searchsorted(taken.env_index, np.arange(envs.n_envs + 1)).tolist()):
        ends = np.flatnonzero(taken.done[begin:end])
        own = slice(begin, begin + int(ends[0]) + 1 if len(ends) else end)
        episodes.append({name: column[own] for name, column in taken.columns.items()})
    return episodes
