"""PPO whose rewards come at the end of each rollout.

The envs emit reward 0, so SB3 fills the rollout buffer with nothing but the time-limit bootstraps (the
discounted value of the state in which an episode was cut off). Where SB3 asks the buffer for returns and
advantages, all rewards are computed in one call and added. The bootstraps are values, in the units the value
function learns: scaling touches the rewards alone. With scaling off the sums are the very ones SB3 would have
made, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer

from eureka_loop.train.rewarder import Rewarder


class _Rewarded:
    """What makes a rollout buffer reward its rows late."""

    rewarder: Rewarder
    rewards: npt.NDArray[np.float32]  # (T, n_envs)
    n_envs: int

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: npt.NDArray[np.bool_]) -> None:
        rewards = self.rewarder.scale.apply(self.rewarder.settle(self.n_envs))
        self.rewards += rewards.astype(np.float32)  # as SB3: rounded before the sum, not after
        super().compute_returns_and_advantage(last_values, dones)  # type: ignore[misc]


class RewardedRolloutBuffer(_Rewarded, RolloutBuffer):
    """For observations that are arrays."""


class RewardedDictRolloutBuffer(_Rewarded, DictRolloutBuffer):
    """For goal envs, whose observations are dicts."""


def reward_late(model: PPO, rewarder: Rewarder) -> None:
    """Give a fresh PPO a rollout buffer that rewards its rows at the end of each rollout."""
    goal = isinstance(model.observation_space, spaces.Dict)
    kind: Any = RewardedDictRolloutBuffer if goal else RewardedRolloutBuffer
    buffer = kind(
        model.n_steps,
        model.observation_space,
        model.action_space,
        device=model.device,
        gamma=model.gamma,
        gae_lambda=model.gae_lambda,
        n_envs=model.n_envs,
    )
    buffer.rewarder = rewarder
    model.rollout_buffer = buffer
