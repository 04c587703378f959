"""Rewards and advantages of K learners' rollouts, as `reward_scale` and SB3's buffer compute them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.running_mean_std import RunningMeanStd

from eureka_loop.records import Array
from eureka_loop.train.population.acting import Floats
from eureka_loop.train.reward_scale import CLIP, EPSILON


class RewardScales:
    """`reward_scale.RewardScale` for K learners.

    Args:
        enabled: off leaves rewards as they are.

    Attributes:
        statistics: of each learner.
    """

    def __init__(self, learners: int, n_envs: int, gamma: float, *, enabled: bool = True) -> None:
        self.statistics = [RunningMeanStd(shape=()) for _ in range(learners)]
        self._returns = np.zeros((learners, n_envs))
        self._gamma, self._enabled = gamma, enabled

    def snapshot(self, learner: int) -> list[Any]:
        """Mean, variance, count, and each env's discounted return so far."""
        statistics = self.statistics[learner]
        return [statistics.mean, statistics.var, statistics.count, self._returns[learner].copy()]

    def restore(self, learner: int, snapshot: Sequence[Any]) -> None:
        statistics = self.statistics[learner]
        statistics.mean, statistics.var, statistics.count, self._returns[learner] = snapshot

    def scale(self, rewards: Array, done: npt.NDArray[np.bool_]) -> Array:
        """Take in rewards (K, n, T) and give them scaled and clipped.

        Args:
            done: (K, n, T), whether the step ended its episode, time limits included.
        """
        if not self._enabled:
            return rewards
        going = np.moveaxis(~done, 2, 0).astype(np.float64)
        returns = np.empty(going.shape)
        now = self._returns
        for step, earned in enumerate(np.ascontiguousarray(np.moveaxis(rewards, 2, 0))):
            returns[step] = now = now * self._gamma + earned
            now = now * going[step]
        self._returns = now
        for statistics, each in zip(self.statistics, np.moveaxis(returns, 1, 0), strict=True):
            statistics.update(each.reshape(-1))
        variance = np.array([statistics.var for statistics in self.statistics])[:, None, None]
        return np.asarray(np.clip(rewards / np.sqrt(variance + EPSILON), -CLIP, CLIP))


def advantages(
    rewards: Floats, values: Floats, done: npt.NDArray[np.bool_], gamma: float, gae_lambda: float
) -> Floats:
    """Generalised advantage estimates, (K, n, T), as SB3's `RolloutBuffer` sums them.

    Args:
        rewards: (K, n, T), time limits' bootstraps included.
        values: (K, n, T + 1), of the state after the rollout at last.
        done: (K, n, T), whether the step ended its episode.

    Source: Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation",
    ICLR 2016, equation 16.
    """
    going = 1.0 - done.astype(np.float32)
    errors = np.moveaxis(rewards + gamma * values[..., 1:] * going - values[..., :-1], 2, 0).copy()
    weights = np.moveaxis(gamma * gae_lambda * going, 2, 0).copy()
    last = np.zeros_like(errors[0])
    for error, weight in zip(errors[::-1], weights[::-1], strict=True):
        last = np.add(error, weight * last, out=error)
    return np.moveaxis(errors, 0, 2)
