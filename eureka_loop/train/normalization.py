"""Running normalisation of observations and rewards of K learners, as by SB3's `VecNormalize`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.running_mean_std import RunningMeanStd

from eureka_loop.records import Array

EPSILON = 1e-8
CLIP = 10.0

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class Statistics(RunningMeanStd):
    """SB3's running mean and variance for each of K learners, (K, *shape), with one count."""

    def of(self, learner: int) -> RunningMeanStd:
        """A copy of one learner's."""
        one = RunningMeanStd()
        one.mean, one.var, one.count = self.mean[learner].copy(), self.var[learner].copy(), self.count
        return one


class ObservationScale:
    """Observations less their running mean, divided by their standard deviation, and clipped to ±10.

    Args:
        enabled: off leaves observations as they are.
    """

    def __init__(self, learners: int, size: int, *, enabled: bool = True) -> None:
        self.enabled, self.statistics = enabled, Statistics(shape=(learners, size))

    def update(self, observations: Array) -> None:
        """Include one observation of each env, (K, n, D)."""
        n = observations.shape[1]
        if self.enabled and n == 1:  # the same, and faster
            self.statistics.update_from_moments(observations[:, 0], np.zeros(()), 1)
        elif self.enabled:
            self.statistics.update(observations.swapaxes(0, 1))

    def apply(self, observations: Array) -> Floats:
        """Scale and clip (K, n, D)."""
        if self.enabled:
            observations = observations - self.statistics.mean[:, None]
            observations /= np.sqrt(self.statistics.var + EPSILON)[:, None]
            np.minimum(np.maximum(observations, -CLIP, out=observations), CLIP, out=observations)
        return observations.astype(np.float32)

    def finite(self) -> Flags:
        """(K,), whether every observation so far was finite."""
        return np.asarray(np.isfinite(self.statistics.mean + self.statistics.var).all(axis=1))


class RewardScale:
    """Rewards divided by the running standard deviation of the discounted return, and clipped to ±10.

    As SB3's `VecNormalize` (and OpenAI Baselines before), with one difference: the statistics include a whole
    batch of steps before the batch is scaled, so that all of a rollout, the first included, has one scale.

    Args:
        gamma: the trainer's discount.
        enabled: off leaves rewards as they are.

    Attributes:
        statistics: of each learner's returns.
        returns: (K, n), of the episodes under way.
    """

    def __init__(self, learners: int, n_envs: int, gamma: float, *, enabled: bool = True) -> None:
        self.statistics, self.returns = Statistics(shape=(learners,)), np.zeros((learners, n_envs))
        self._gamma, self._enabled = gamma, enabled

    def update(self, rewards: Array, done: Flags) -> None:
        """Include T steps of every env: (T, K, n) each, in time order, following on the call before.

        Args:
            done: whether the step ended its episode, time limits included.
        """
        if not self._enabled:
            return
        returns, going, now = np.empty_like(rewards), ~done, self.returns
        for step, earned in enumerate(rewards):
            returns[step] = now = now * self._gamma + earned
            now = now * going[step]
        self.returns = now
        self.statistics.update(returns.swapaxes(1, 2).reshape(-1, len(now)))

    def include(self, rewards: Array, done: Flags) -> None:
        """Include whole recorded episodes, (N,) each, one after another; the current episodes continue."""
        other = RewardScale(1, 1, self._gamma, enabled=self._enabled)
        other.update(rewards[:, None, None], done[:, None, None])
        self.statistics.combine(other.statistics)

    def apply(self, rewards: Array) -> Array:
        """Scale and clip (T, K, n); with one learner (..., n)."""
        if not self._enabled:
            return rewards
        return np.asarray(np.clip(rewards / np.sqrt(self.statistics.var + EPSILON)[:, None], -CLIP, CLIP))
