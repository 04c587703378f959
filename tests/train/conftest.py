"""Small real trainings: real envs, the real locked process, few steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.envs.zoo import FUSED
from eureka_loop.records import Algorithm, Job, Task
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.population.trainer import PopulationTrainer
from eureka_loop.train.sb3 import train_job

SMALL: Mapping[Algorithm, Mapping[str, Any]] = {
    "ppo": {"n_steps": 64, "batch_size": 32, "n_epochs": 2, "n_envs": 2},
    "sac": {
        "learning_starts": 60,
        "batch_size": 16,
        "policy_kwargs": {"net_arch": [16, 16], **FUSED["policy_kwargs"]},
    },
}

RUN = '''
def compute_reward(forward_velocity, action, terminated, *, effort=0.1):
    """Run forward, waste no torque, don't fall."""
    return {
        "speed": forward_velocity,
        "effort": -effort * np.square(action).sum(axis=1),
        "fall": -3.0 * terminated,
    }
'''

torch.set_num_threads(1)  # as a worker does: two contend for the cores

Training = Callable[..., Trained | Failed]
Cohort = Callable[..., list[Trained | Failed]]


def short(name: str, steps: int) -> Task:
    """A catalogue task with shorter episodes."""
    return replace(find_task(name), env_kwargs={"max_episode_steps": steps})


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """A small job of a catalogue task; `limit` shortens its episodes, other names go into the record."""

    def make(
        task: str = "hopper-hop",
        algorithm: Algorithm = "ppo",
        *,
        limit: int | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Job:
        found = short(task, limit) if limit else find_task(task)
        return Job(
            candidate=fields.pop("candidate", "g0-00"),
            seed=fields.pop("seed", 3),
            task=found,
            source=fields.pop("source", found.human),
            algorithm=algorithm,
            steps=fields.pop("steps", 256),
            hyperparameters={**SMALL[algorithm], **(hyperparameters or {})},
            judge_seeds=fields.pop("judge_seeds", (1_000_001,)),
            **fields,
        )

    return make


@pytest.fixture
def run(fork_server: ForkServer, tmp_path: Path) -> Training:
    """Train a job with SB3 in a folder."""

    def run(job: Job, folder: Path = tmp_path, report: Any = lambda _: None) -> Trained | Failed:
        return train_job(job, find_domain(job.task.env_id), fork_server, folder, report)

    return run


@pytest.fixture
def cohort(fork_server: ForkServer, tmp_path: Path) -> Cohort:
    """Train jobs together, in folders "0", "1", ..."""

    def run(
        jobs: Sequence[Job], folder: Path = tmp_path, report: Any = lambda *_: None, threads: int = 1
    ) -> list[Trained | Failed]:
        folders = [folder / str(index) for index in range(len(jobs))]
        domain = find_domain(jobs[0].task.env_id)
        return PopulationTrainer().train(jobs, domain, fork_server, folders, report, threads=threads)

    return run
