"""Toy envs around small models with known motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.envs.domain import Domain, DomainObservable
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import StepBuffer


class ToyEnv(gymnasium.Env[Any, Any]):
    """A model from a string; after each step the kinematics are brought up to date unless `lag`."""

    def __init__(self, xml: str, frames: int = 5, lag: bool = False, goal: bool = False) -> None:
        self.model = mujoco.MjModel.from_xml_string(xml)
        self.data = mujoco.MjData(self.model)
        self.frames, self.lag, self.goal = frames, lag, goal
        self.start_qvel = np.zeros(self.model.nv)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (max(self.model.nu, 1),), np.float32)
        flat = gymnasium.spaces.Box(-np.inf, np.inf, (self.model.nq,), np.float64)
        point = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        parts = {"observation": flat, "achieved_goal": point, "desired_goal": point}
        self.observation_space = gymnasium.spaces.Dict(parts) if goal else flat

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qvel[:] = self.start_qvel
        mujoco.mj_forward(self.model, self.data)
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.model.nu:
            self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, nstep=self.frames)
        if not self.lag:
            mujoco.mj_forward(self.model, self.data)
        info = {"late": 3.0, "pair": np.array([1.0, 2.0]), "flag": True, "text": "x", "reward_part": 5.0}
        return self._obs(), 7.0, False, False, info

    def _obs(self) -> Any:
        flat = self.data.qpos.copy()
        if not self.goal:
            return flat
        return {
            "observation": flat,
            "achieved_goal": np.array([1.0, 2.0]),
            "desired_goal": np.array([3.0, 4.0]),
        }


@pytest.fixture
def toy() -> Callable[..., ToyEnv]:
    return ToyEnv


@pytest.fixture
def domain_of() -> Callable[[Iterable[DomainObservable]], Domain]:
    """A domain with these observables."""
    return lambda observables=(): Domain("toybox", "", tuple(observables))


@pytest.fixture
def roll() -> Callable[..., Any]:
    """Run an env under random actions into a buffer; `look` sees the env after every step."""

    def run(
        env: Any, buffer: StepBuffer, steps: int, *, look: Callable[[], Any] = lambda: None, cut: int = 10**9
    ) -> list[Any]:
        recorded = RecordedEnv(gymnasium.wrappers.TimeLimit(env, cut), buffer)
        recorded.action_space.seed(0)
        recorded.reset(seed=0)
        seen = []
        for _ in range(steps):
            _, _, terminated, truncated, _ = recorded.step(recorded.action_space.sample())
            seen.append(look())
            if terminated or truncated:
                recorded.reset()
        return seen

    return run
