"""Episodes for the trajectory bank: of random actions, and of every policy that was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka_loop.envs.domain import Domain
from eureka_loop.judge.episodes import Predict, play
from eureka_loop.judge.trajectory import FILE, moments, save, with_starts
from eureka_loop.records import Job, Task
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.policy import load_policy

RANDOM_EPISODES = 3
FIRST_SEED = 2_000_000_000  # of random episodes: far from all that is trained or judged on


def keep_random(task: Task, domain: Domain, folder: Path) -> None:
    """Some whole episodes of random actions: random-0.npz, ...; none where no time limit ends them."""
    with Scene(task, domain) as scene:
        if scene.vocabulary.horizon is None:
            return
        space = scene.env.action_space
        for number in range(RANDOM_EPISODES):
            space.seed(number)
            scene.keep(lambda _: space.sample(), FIRST_SEED + number, folder / f"random-{number}.npz")


def keep_episodes(jobs: Sequence[Job], domain: Domain, folders: Sequence[Path]) -> None:
    """One episode of each finished training's policy, from the first start it was judged from.

    Played again rather than taken from the judging: there only what fitness asks for is recorded, since a
    score may not depend on who else looks on.

    Args:
        jobs: of one task.
    """
    with Scene(jobs[0].task, domain) as scene:
        for job, folder in zip(jobs, folders, strict=True):
            scene.keep(load_policy(folder, job.algorithm), job.judge_seeds[0], folder / FILE)


class Scene:
    """An env with a recorder of everything."""

    def __init__(self, task: Task, domain: Domain) -> None:
        self.env = make_env(task)
        instruments = ObservableRegistry(self.env, domain)
        self.vocabulary = instruments.vocabulary
        self._names = self.vocabulary.names(hidden=True)
        self._recorder = instruments.buffer(with_starts(self._names), 1)

    def keep(self, predict: Predict, seed: int, path: Path) -> None:
        """Play an episode, and write it."""
        save(path, moments(play(predict, self.env, self._recorder, seed), self._names))

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.env.close()
