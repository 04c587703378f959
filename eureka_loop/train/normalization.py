"""Running normalisation of observations and rewards of K learners, as by SB3's `VecNormalize`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.running_mean_std import RunningMeanStd

from eureka_loop.records import Array

EPSILON = 1e-8
CLIP = 10.0

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class ObservationScale:
    """Running mean and variance of each learner's observations; scaled ones are clipped to ±10.

    Args:
        enabled: off leaves observations as they are.
    """

    def __init__(self, learners: int, size: int, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._count = RunningMeanStd().count
        shape = (learners, 1, size)
        self._mean, self._squares, self._std = np.zeros(shape), np.full(shape, self._count), np.ones(shape)

    def update(self, observations: Array) -> None:
        """Include one observation of each env, (K, n, D)."""
        if not self.enabled:
            return
        n, count, mean = observations.shape[1], self._count, observations
        if n > 1:
            mean = observations.mean(axis=1, keepdims=True)
            self._squares += np.square(observations - mean).sum(axis=1, keepdims=True)
        delta = mean - self._mean
        self._count = count + n
        self._mean += delta * (n / self._count)
        self._squares += delta * delta * (count * n / self._count)
        np.sqrt(self._squares / self._count + EPSILON, out=self._std)

    def apply(self, observations: Array) -> Floats:
        """Scale and clip (K, n, D)."""
        if self.enabled:
            observations = observations - self._mean
            observations /= self._std
            np.minimum(np.maximum(observations, -CLIP, out=observations), CLIP, out=observations)
        return observations.astype(np.float32)

    def finite(self) -> Flags:
        """(K,), whether every observation so far was finite."""
        return np.asarray(np.isfinite(self._mean + self._squares).all(axis=(1, 2)))

    def statistics(self, learner: int) -> RunningMeanStd:
        """SB3's record of one learner's statistics."""
        found = RunningMeanStd(shape=self._mean.shape[2:])
        found.count, found.mean = self._count, self._mean[learner, 0].copy()
        found.var = self._squares[learner, 0] / self._count
        return found

    def snapshot(self, learner: int) -> Any:
        return self._count, self._mean[learner], self._squares[learner]

    def restore(self, learner: int, snapshot: Any) -> None:
        """All learners must have the same count."""
        self._count, self._mean[learner], self._squares[learner] = snapshot
        np.sqrt(self._squares / self._count + EPSILON, out=self._std)


class RewardScale:
    """Rewards divided by the running standard deviation of the discounted return, and clipped to ±10.

    As SB3's `VecNormalize` (and OpenAI Baselines before), with one difference: the statistics include a whole
    batch of steps before the batch is scaled, so that all of a rollout, the first included, has one scale.

    Args:
        gamma: the trainer's discount.
        enabled: off leaves rewards as they are.

    Attributes:
        statistics: SB3's record of each learner's returns.
    """

    def __init__(self, learners: int, n_envs: int, gamma: float, *, enabled: bool = True) -> None:
        self.statistics = [RunningMeanStd(shape=()) for _ in range(learners)]
        self._returns = np.zeros((learners, n_envs))
        self._gamma, self._enabled = gamma, enabled

    def update(self, rewards: Array, done: Flags) -> None:
        """Include T steps of every env: (T, K, n) each, in time order, following on the call before.

        Args:
            done: whether the step ended its episode, time limits included.
        """
        if not self._enabled:
            return
        returns, going = np.empty_like(rewards), ~done
        now = self._returns
        for step, earned in enumerate(rewards):
            returns[step] = now = now * self._gamma + earned
            now = now * going[step]
        self._returns = now
        for learner, statistics in enumerate(self.statistics):
            statistics.update(returns[:, learner].reshape(-1))

    def include(self, rewards: Array, done: Flags) -> None:
        """Include whole recorded episodes, (N,) each, one after another; the current episodes continue."""
        other = RewardScale(1, 1, self._gamma, enabled=self._enabled)
        other.update(rewards[:, None, None], done[:, None, None])
        self.statistics[0].combine(other.statistics[0])

    def apply(self, rewards: Array) -> Array:
        """Scale and clip (T, K, n); with one learner (..., n)."""
        if not self._enabled:
            return rewards
        variance = np.array([[each.var] for each in self.statistics])  # (K, 1)
        return np.asarray(np.clip(rewards / np.sqrt(variance + EPSILON), -CLIP, CLIP))

    def snapshot(self, learner: int) -> Any:
        return self.statistics[learner], self._returns[learner]

    def restore(self, learner: int, snapshot: Any) -> None:
        self.statistics[learner], self._returns[learner] = snapshot
