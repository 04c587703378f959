"""Judged episodes, a slice at a time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.population import judging
from eureka_loop.train.population.cohorts import train_cohort

SOURCE = "def compute_reward(torso_height):\n    return {'up': torso_height}\n"
FRAGILE = "def fitness(action):\n    return 1.0 / np.where(action[0, 0] > 0.0, 0.0, 1.0).sum()\n"
EPISODES = 7


class Judged(NamedTuple):
    """
    Attributes:
        sizes: of the batches of episodes.
        lines: of progress.
    """

    results: list[Trained | Failed]
    sizes: list[int]
    lines: int


Judge = Callable[..., Judged]


@pytest.fixture
def judge(
    make_job: Callable[..., Job], fork_server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Judge:
    """Three policies, so many episodes at a time."""

    def run(at_once: int, fitness: str = "") -> Judged:
        sizes: list[int] = []
        lines: list[int] = []

        def envs(*given: Any) -> BatchedEnvs:
            sizes.append(given[3])
            return BatchedEnvs(*given)

        monkeypatch.setattr(judging, "AT_ONCE", at_once)
        monkeypatch.setattr(judging, "BatchedEnvs", envs)
        job = make_job(limit=30, steps=128, source=SOURCE, judge_seeds=tuple(range(EPISODES)))
        task = replace(job.task, fitness=fitness or job.task.fitness)
        jobs = [replace(job, task=task, seed=seed) for seed in range(3)]
        folders = [tmp_path / str(at_once) / str(seed) for seed in range(3)]
        found = train_cohort(
            jobs, find_domain(task.env_id), fork_server, folders, lambda place, _: lines.append(place)
        )
        results = [replace(each, seconds=0.0) if isinstance(each, Trained) else each for each in found]
        return Judged(results, sizes, len(lines))

    return run


def test_slices_are_the_whole(judge: Judge) -> None:
    """As many episodes of each; a sign of life of everybody between two slices."""
    whole, sliced = judge(3 * EPISODES), judge(7)
    assert (whole.sizes, sliced.sizes) == ([21], [6, 6, 6, 3])
    assert all(isinstance(each, Trained) for each in whole.results)
    assert sliced.results == whole.results
    assert sliced.lines == whole.lines + 3 * 3
    assert judge(1).sizes == [3] * EPISODES


def test_the_first_failure_counts(judge: Judge) -> None:
    """In whichever slice it is."""
    whole, sliced = judge(3 * EPISODES, FRAGILE), judge(6, FRAGILE)
    assert any(isinstance(each, Failed) for each in whole.results)
    assert sliced.results == whole.results
