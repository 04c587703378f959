"""Recorded episodes, for the trajectory bank and for comparing programs on the same transitions."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.judge.episodes import Predict, play
from eureka_loop.judge.trajectory import FILE, save, with_starts
from eureka_loop.records import Array, Job, Rollout, Task
from eureka_loop.simulate.env import Env, make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.saved import load_policy

RANDOM_EPISODES = 3
FIRST_SEED = 2_000_000_000  # of random episodes: far from all seeds of training and judging
POLICY = "policy"  # column with the index of the policy that a row is from; no observable has that name


def record(env: Env, domain: Domain, predict: Predict, seed: int, path: Path) -> None:
    """Play an episode, and write it with every observable."""
    registry = ObservableRegistry(env, domain)
    names = registry.vocabulary.names(hidden=True)
    buffer = registry.buffer(with_starts(names), 1)
    save(path, play(predict, env, buffer, seed), names)


def record_random(task: Task, domain: Domain, folder: Path) -> None:
    """Write whole episodes of random actions: random-0.npz, ...; none where no time limit ends them."""
    with closing(make_env(task)) as env:
        if ObservableRegistry(env, domain).vocabulary.horizon is None:
            return
        for number in range(RANDOM_EPISODES):
            env.action_space.seed(number)
            path = folder / f"random-{number}.npz"
            record(env, domain, lambda _: env.action_space.sample(), FIRST_SEED + number, path)


def record_trained(job: Job, domain: Domain, folder: Path) -> None:
    """Write one episode of a finished training's policy, from the first start that it was judged from.

    It is played again, since judging records only the names that fitness and success need.
    """
    with closing(make_env(job.task)) as env:
        record(env, domain, load_policy(folder, job.algorithm), job.judge_seeds[0], folder / FILE)


def record_rollout(rollout: Rollout, domain: Domain) -> dict[str, Array]:
    """One episode of each policy, all from the same start: name → (rows, *shape).

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """
    with closing(make_env(rollout.task)) as env:
        buffer = ObservableRegistry(env, domain).buffer(rollout.names, 1)
        policies = [load_policy(Path(folder), rollout.algorithm) for folder in rollout.policies]
        episodes = [play(predict, env, buffer, rollout.seed) for predict in policies]
    columns = {name: np.concatenate([each[name] for each in episodes]) for name in rollout.names}
    lengths = [len(each[rollout.names[0]]) for each in episodes]
    return {**columns, POLICY: np.repeat(np.arange(float(len(episodes))), lengths)}
