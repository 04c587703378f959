"""Recorded episodes, for the trajectory bank and for comparing programs on the same transitions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.judge.episodes import Predict, play
from eureka_loop.judge.trajectory import FILE, save, with_starts
from eureka_loop.records import Array, Job, Rollout, Task
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.policy import load_policy

RANDOM_EPISODES = 3
FIRST_SEED = 2_000_000_000  # of random episodes: far from all seeds of training and judging
POLICY = "policy"  # column with the index of the policy that a row is from; no observable has that name


class EpisodeRecorder:
    """An env with a recorder of every observable."""

    def __init__(self, task: Task, domain: Domain) -> None:
        self.env = make_env(task)
        registry = ObservableRegistry(self.env, domain)
        self.vocabulary = registry.vocabulary
        self._names = self.vocabulary.names(hidden=True)
        self._buffer = registry.buffer(with_starts(self._names), 1)

    def record(self, predict: Predict, seed: int, path: Path) -> None:
        """Play an episode and write it."""
        save(path, play(predict, self.env, self._buffer, seed), self._names)

    def __enter__(self) -> EpisodeRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.env.close()


def record_random(task: Task, domain: Domain, folder: Path) -> None:
    """Write whole episodes of random actions: random-0.npz, ...; none where no time limit ends them."""
    with EpisodeRecorder(task, domain) as recorder:
        if recorder.vocabulary.horizon is None:
            return
        space = recorder.env.action_space
        for number in range(RANDOM_EPISODES):
            space.seed(number)
            path = folder / f"random-{number}.npz"
            recorder.record(lambda _: space.sample(), FIRST_SEED + number, path)


def record_trained(jobs: Sequence[Job], domain: Domain, folders: Sequence[Path]) -> None:
    """Write one episode of each finished training's policy, from the first start that it was judged from.

    It is played again rather than taken from the judging, which records only what fitness asks for.

    Args:
        jobs: of one task.
    """
    with EpisodeRecorder(jobs[0].task, domain) as recorder:
        for job, folder in zip(jobs, folders, strict=True):
            recorder.record(load_policy(folder, job.algorithm), job.judge_seeds[0], folder / FILE)


def record_rollout(rollout: Rollout, domain: Domain) -> dict[str, Array]:
    """One episode of each policy, all from the same start: name → (rows, *shape).

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """
    env = make_env(rollout.task)
    try:
        buffer = ObservableRegistry(env, domain).buffer(rollout.names, 1)
        episodes = [
            play(load_policy(Path(folder), rollout.algorithm), env, buffer, rollout.seed)
            for folder in rollout.policies
        ]
    finally:
        env.close()
    columns = {name: np.concatenate([each[name] for each in episodes]) for name in rollout.names}
    lengths = [len(each[rollout.names[0]]) for each in episodes]
    return {**columns, POLICY: np.repeat(np.arange(float(len(episodes))), lengths)}
