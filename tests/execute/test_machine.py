"""How a machine is shared out: every core used, memory within its bound, cohorts by index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.buffers import ReplayBuffer

from eureka_loop.execute import machine
from eureka_loop.execute.machine import MOST_LEARNERS, Machine, Share, footprint, share
from eureka_loop.judge import episodes
from eureka_loop.records import Algorithm, Task, Training
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.train.population import judging

TASK = Task("t", "E-v0", "x", "def fitness(speed):\n    return speed.mean()\n")
HUMANOID = Vocabulary(
    "E-v0", (Observable("obs", (348,)), Observable("action", (17,)), Observable("speed", ())), horizon=1000
)


PPO = Training("ppo", {}, "population")


@pytest.mark.parametrize(
    ("has", "jobs", "bytes", "training", "expected"),
    [
        (Machine(8, 64e9), 0, (0.5e9, 0.05e9), PPO, (8, MOST_LEARNERS)),
        (Machine(8, 0.1e9), 0, (0.5e9, 0.05e9), PPO, (1, 1)),
        (Machine(2, 3.25e9), 4, (0.5e9, 0.05e9), PPO, (4, 3)),
        (Machine(4, 20e9), 0, (0.5e9, 0.5e9), PPO, (4, 7)),  # first fewer learners in each worker
        (Machine(4, 20e9), 0, (6e9, 0.05e9), Training("sac", {}), (2, 1)),  # then fewer workers
        (Machine(2, 2e9), 0, (0.5e9, 0.1e9), replace(PPO, hyperparameters={"device": "cuda"}), (1, 6)),
    ],
)
def test_workers_and_learners(
    monkeypatch: pytest.MonkeyPatch,
    has: Machine,
    jobs: int,
    bytes: object,
    training: Training,
    expected: object,
) -> None:
    monkeypatch.setattr(machine, "footprint", lambda *_: bytes)
    made = share(has, jobs, TASK, training, 10, HUMANOID)
    assert (made.workers, made.learners) == expected
    assert made.memory <= has.usable * 1.001 or expected == (1, 1)


@pytest.mark.parametrize(
    ("jobs", "workers", "sizes"),
    [(0, 2, []), (1, 2, [1]), (2, 2, [1, 1]), (7, 2, [3, 4]), (4, 1, [4]), (9, 2, [2, 2, 2, 3])],
)
def test_cohorts_are_consecutive_even_and_keep_every_worker_busy(
    jobs: int, workers: int, sizes: list[int]
) -> None:
    cohorts = Share(workers, 4).cohorts(list(range(jobs)))
    assert [len(cohort) for cohort in cohorts] == sizes
    assert [job for cohort in cohorts for job in cohort] == list(range(jobs))


@pytest.mark.parametrize(("text", "cores"), [("150000 100000", 2), ("10000 100000", 1), ("max 100000", 4)])
def test_a_containers_quota_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    assert machine.cores() == cores


def test_page_cache_does_not_count_as_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = machine.available_memory()
    (tmp_path / "memory.max").write_text("40000000\n")
    (tmp_path / "memory.current").write_text("39000000\n")
    (tmp_path / "memory.stat").write_text("anon 4000000\ninactive_file 35000000\nactive_file 0\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.available_memory() == 36e6 < free


# Memory of trainings, by their settings


def of(
    algorithm: Algorithm, trainer: str = "sb3", task: Task = TASK, steps: int = 1_000_000, **given: Any
) -> tuple[float, float]:
    return footprint(task, Training(algorithm, given, trainer), steps, HUMANOID)


def test_a_replay_buffer_counts_whole_unless_the_training_is_shorter() -> None:
    """As SB3 makes it: 5.6 GB for a million rows of the humanoid's."""
    box = gymnasium.spaces.Box(-np.inf, np.inf, (348,), np.float64)
    buffer = ReplayBuffer(1_000, box, gymnasium.spaces.Box(-1.0, 1.0, (17,), np.float32), device="cpu")
    row = sum(each.nbytes for each in vars(buffer).values() if isinstance(each, np.ndarray)) / 1_000
    assert of("sac")[0] == pytest.approx(machine.WORKER + 1e6 * row)
    assert of("sac", buffer_size=50_000)[0] == pytest.approx(machine.WORKER + 5e4 * row)
    assert of("sac", her=True)[0] > of("sac")[0] + 8e6
    assert of("sac", steps=10_000)[0] < machine.WORKER + 0.1e9


def test_observables_named_by_programs_and_judge_count() -> None:
    reward = "def compute_reward(obs, prev_obs):\n    return {'a': obs[:, 0] - prev_obs[:, 0]}\n"
    plain, wide = of("ppo", "population"), of("ppo", "population", replace(TASK, human=reward))
    assert wide[1] > plain[1] + 0.03e9
    judged = replace(TASK, fitness="def fitness(obs):\n    return obs[:, 0].mean()\n")
    assert of("ppo", "population", judged)[0] > plain[0] + 1e9


def test_its_constants_are_those_of_training_and_judging() -> None:
    """Their modules are too heavy for the main process."""
    assert (judging.AT_ONCE, episodes.LONGEST) == (machine.JUDGED_AT_ONCE, machine.LONGEST)
