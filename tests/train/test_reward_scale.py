"""Beside SB3's VecNormalize, which is the model."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.train.reward_scale import RewardScale

GAMMA = 0.9


class Scripted(gymnasium.Env[Any, Any]):
    """Emits given rewards; its episodes end after the given steps."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, rewards: Sequence[float], ends: Sequence[int]) -> None:
        self._rewards, self._ends, self._step = rewards, ends, 0

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        reward = self._rewards[self._step - 1]
        return np.zeros(1, np.float32), float(reward), self._step in self._ends, False, {}


def test_variance_is_vec_normalizes() -> None:
    """40 steps of two envs in two batches, episodes ending in both."""
    rewards = np.random.default_rng(0).normal(2.0, 50.0, size=(40, 2))
    ends = ([7, 8, 33], [20])
    model = VecNormalize(
        DummyVecEnv([lambda i=i: Scripted(rewards[:, i], ends[i]) for i in range(2)]), gamma=GAMMA
    )
    model.reset()
    done = np.array([model.step(np.zeros((2, 1)))[2] for _ in range(40)])
    scale = RewardScale(2, GAMMA)
    scale.update(rewards[:25], done[:25])
    scale.update(rewards[25:], done[25:])
    assert scale.statistics.var == pytest.approx(model.ret_rms.var, rel=1e-6)  # its rewards are float32
    assert scale.apply(rewards) == pytest.approx(model.normalize_reward(rewards), rel=1e-6)


def test_clips_at_ten_standard_deviations() -> None:
    scale = RewardScale(1, GAMMA)
    scale.update(np.random.default_rng(0).normal(size=(1000, 1)), np.ones((1000, 1), bool))
    assert scale.apply(np.array([-1e6, 1e6])).tolist() == [-10.0, 10.0]


def test_off_leaves_rewards_alone() -> None:
    scale = RewardScale(1, GAMMA, enabled=False)
    rewards = np.array([[1e6], [-3.0]])
    scale.update(rewards, np.zeros((2, 1), bool))
    assert scale.apply(rewards) is rewards
