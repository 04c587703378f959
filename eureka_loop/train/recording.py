"""Transitions of trained policies, recorded so that several programs can be asked about the same ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.judge.episodes import play
from eureka_loop.records import Array, Rollout
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.policy import load_policy

POLICY = "policy"  # the column that says whose episode a row is from; no observable has that name


def record(rollout: Rollout, domain: Domain) -> dict[str, Array]:
    """One episode of each policy, all from the same start: name → (rows, *shape).

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """
    env = make_env(rollout.task)
    try:
        recorder = ObservableRegistry(env, domain).buffer(rollout.names, 1)
        episodes = [
            play(load_policy(Path(folder), rollout.algorithm), env, recorder, rollout.seed)
            for folder in rollout.policies
        ]
    finally:
        env.close()
    columns = {name: np.concatenate([each[name] for each in episodes]) for name in rollout.names}
    lengths = [len(each[rollout.names[0]]) for each in episodes]
    return {**columns, POLICY: np.repeat(np.arange(float(len(episodes))), lengths)}
