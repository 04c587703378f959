"""Hindsight learns from a sparse reward where plain SAC doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from eureka_loop.envs.domain import Domain, observable
from eureka_loop.records import Array, Job, Task
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.sb3 import train_job

ENV = "ToyReach-v0"
BALL = """
<mujoco><worldbody><body name="ball">
  <joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
  <geom size="0.05" mass="1"/>
</body></worldbody></mujoco>
"""
POINT = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)


class ToyReach(gymnasium.Env[Any, Any]):
    """A ball that an action moves by 15 cm at most; the goal is anywhere within 1 m to each side."""

    def __init__(self, render_mode: str | None = None) -> None:
        self.model = mujoco.MjModel.from_xml_string(BALL)
        self.data = mujoco.MjData(self.model)
        self.goal = np.zeros(2)
        parts = dict.fromkeys(("observation", "achieved_goal", "desired_goal"), POINT)
        self.observation_space = gymnasium.spaces.Dict(parts)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_kinematics(self.model, self.data)
        self.goal = self.np_random.uniform(-1.0, 1.0, 2)
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.data.qpos += 0.15 * action
        mujoco.mj_kinematics(self.model, self.data)
        return self._obs(), 0.0, False, False, {}

    def _obs(self) -> dict[str, Array]:
        place = self.data.qpos
        return {"observation": place.copy(), "achieved_goal": place.copy(), "desired_goal": self.goal.copy()}


@observable(unit="m")
def goal_distance(achieved_goal: Array, desired_goal: Array) -> Array:
    """Distance of the ball from its goal."""
    return np.asarray(np.linalg.norm(achieved_goal - desired_goal, axis=1))


DOMAIN = Domain("toy", ENV, (goal_distance,), hindsight={})
FITNESS = "def fitness(goal_distance):\n    return -goal_distance[-5:].mean()\n"
SPARSE = "def compute_reward(goal_distance):\n    return {'away': -np.where(goal_distance > 0.1, 1.0, 0.0)}\n"
SETTINGS = {
    "gamma": 0.9,
    "learning_starts": 200,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "policy_kwargs": {"net_arch": [32, 32]},
}


@pytest.mark.slow
@pytest.mark.parametrize("her", [True, False])
def test_hindsight_learns_from_a_sparse_reward(
    her: bool, fork_server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 1,200 steps within 20 cm of the goal on average; without hindsight more than 40 cm away."""
    spec = EnvSpec(ENV, entry_point=ToyReach, max_episode_steps=20)
    monkeypatch.setitem(gymnasium.registry, ENV, spec)
    job = Job(
        candidate="g0-00",
        seed=1,
        task=Task("toy", ENV, "Bring the ball to its goal.", FITNESS),
        source=SPARSE,
        algorithm="sac",
        steps=1_200,
        hyperparameters={**SETTINGS, "her": her},
        judge_seeds=tuple(range(1_000_000, 1_000_020)),
    )
    trained = train_job(job, DOMAIN, fork_server, tmp_path, lambda _: None)
    assert isinstance(trained, Trained)
    assert trained.fitness > -0.2 if her else trained.fitness < -0.4
