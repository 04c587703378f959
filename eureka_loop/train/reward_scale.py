"""Rewards of any scale → rewards a value function can learn.

As SB3's `VecNormalize` does it (and OpenAI Baselines before): divide by the running standard deviation of
the discounted return, don't subtract the mean, clip to ±10. The one difference: the statistics of a whole
batch of rows are taken in before the batch is scaled, not step by step, so that all of a rollout, the first
included, has one scale.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.running_mean_std import RunningMeanStd

from eureka_loop.records import Array

EPSILON = 1e-8
CLIP = 10.0


class RewardScale:
    """Running variance of the discounted return, one return an environment.

    Args:
        gamma: the trainer's discount.
        enabled: off leaves rewards as they are.
    """

    def __init__(self, n_envs: int, gamma: float, *, enabled: bool = True) -> None:
        self.statistics = RunningMeanStd(shape=())
        self._returns = np.zeros(n_envs)
        self._gamma, self._enabled = gamma, enabled

    def update(self, rewards: Array, done: npt.NDArray[np.bool_]) -> None:
        """Take in T steps of every environment.

        Args:
            rewards: (T, n_envs), in time order, following on the call before.
            done: (T, n_envs), whether the step ended its episode, time limits included.
        """
        if not self._enabled:
            return
        returns = np.empty_like(rewards)
        for step in range(len(rewards)):
            returns[step] = self._returns = self._returns * self._gamma + rewards[step]
            self._returns = np.where(done[step], 0.0, self._returns)
        self.statistics.update(returns.reshape(-1))

    def include(self, rewards: Array, done: npt.NDArray[np.bool_]) -> None:
        """Take in whole episodes from elsewhere, one after another: (N,) each; those under way go on."""
        others = RewardScale(1, self._gamma, enabled=self._enabled)
        others.update(rewards[:, None], done[:, None])
        self.statistics.combine(others.statistics)

    def apply(self, rewards: Array) -> Array:
        """Rewards of any shape, scaled and clipped; as they are where scaling is off."""
        if not self._enabled:
            return rewards
        return np.clip(rewards / np.sqrt(self.statistics.var + EPSILON), -CLIP, CLIP)
