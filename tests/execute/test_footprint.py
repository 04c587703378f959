"""Memory of trainings, by their settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.buffers import ReplayBuffer

from eureka_loop.execute.evaluate import Plan
from eureka_loop.execute.footprint import JUDGED_AT_ONCE, LEARNER, LONGEST, PENDING, WORKER, footprint
from eureka_loop.execute.machine import MOST_LEARNERS, Footprint
from eureka_loop.judge import episodes
from eureka_loop.records import Algorithm, Task, Training
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.train import buffers
from eureka_loop.train.population import judging

TASK = Task("t", "E-v0", "x", "def fitness(speed):\n    return speed.mean()\n")
HUMANOID = Vocabulary(
    "E-v0", (Observable("obs", (348,)), Observable("action", (17,)), Observable("speed", ())), horizon=1000
)


def of(
    algorithm: Algorithm, trainer: str = "sb3", task: Task = TASK, steps: int = 1_000_000, **given: Any
) -> Footprint:
    return footprint(Plan(task, Training(algorithm, given, trainer), steps), HUMANOID)


def test_a_replay_buffer_counts_whole_unless_the_training_is_shorter() -> None:
    """As SB3 makes it: 5.6 GB for a million rows of the humanoid's."""
    box = gymnasium.spaces.Box(-np.inf, np.inf, (348,), np.float64)
    buffer = ReplayBuffer(1_000, box, gymnasium.spaces.Box(-1.0, 1.0, (17,), np.float32), device="cpu")
    row = sum(each.nbytes for each in vars(buffer).values() if isinstance(each, np.ndarray)) / 1_000
    assert of("sac").worker == pytest.approx(WORKER + 1e6 * row)
    assert of("sac", buffer_size=50_000).worker == pytest.approx(WORKER + 5e4 * row)
    assert of("sac", her=True).worker > of("sac").worker + 8e6
    assert of("sac", steps=10_000).worker < WORKER + 0.1e9
    assert of("sac").together == of("ppo").together == 1


def test_rollouts_count_by_their_size() -> None:
    small, large = of("ppo", "population", n_steps=512), of("ppo", "population", n_steps=2048, n_envs=8)
    assert small.together == MOST_LEARNERS
    assert large.learner - LEARNER > 2048 * 8 * 4 * (348 + 17) * 3
    assert (large.learner - LEARNER) / (small.learner - LEARNER) > 20
    assert [of("ppo", "population", device=device).gpu for device in ("cpu", "cuda")] == [False, True]


def test_observables_named_by_programs_and_judge_count() -> None:
    reward = "def compute_reward(obs, prev_obs):\n    return {'a': obs[:, 0] - prev_obs[:, 0]}\n"
    wide = replace(TASK, human=reward)
    assert of("ppo", "population", wide).learner > of("ppo", "population").learner + 0.03e9
    judged = replace(TASK, fitness="def fitness(obs):\n    return obs[:, 0].mean()\n")
    assert of("ppo", "population", judged).worker > of("ppo", "population").worker + 1e9


def test_its_constants_are_those_of_training_and_judging() -> None:
    """Their modules are too heavy for the main process."""
    theirs = judging.AT_ONCE, episodes.LONGEST, buffers.MOST_PENDING
    assert theirs == (JUDGED_AT_ONCE, LONGEST, PENDING)
