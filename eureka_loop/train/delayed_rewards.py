"""SB3's buffers with rewards that come late: one call to the reward process for many transitions.

The envs emit reward 0 and record every step.

PPO: SB3 fills the rollout buffer with nothing but the time-limit bootstraps (the discounted value of the
state in which an episode was cut off). Where it asks for returns and advantages, all rewards are computed in
one call and added. Only rewards are scaled; bootstraps are values, in units of the value function.

SAC: transitions enter the replay buffer unrewarded; the first sample that holds one of them has all of them
rewarded in one call. Rewards are stored as the program gave them and scaled when sampled, as SB3 does with
`VecNormalize`: old transitions follow the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.buffers import (
    BaseBuffer,
    DictReplayBuffer,
    DictRolloutBuffer,
    ReplayBuffer,
    RolloutBuffer,
)

from eureka_loop.records import Algorithm, Array
from eureka_loop.reward.sandbox.process import RewardProcess, Terms
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions
from eureka_loop.train.normalization import RewardScale

MOST_PENDING = 2_048  # unrewarded rows of SAC (of all envs together) at most, e.g. before learning starts

Scalar = TypeVar("Scalar", np.float64, np.bool_)


class PendingRewards:
    """Rewards of everything recorded since the last call.

    Args:
        rewarded: called with all rows and their terms, once each, in order.

    Attributes:
        scale: updated with every row rewarded; the buffers apply it.
        columns: of the rows rewarded last, env by env.
    """

    def __init__(
        self,
        buffer: StepBuffer,
        process: RewardProcess,
        scale: RewardScale,
        rewarded: Callable[[Transitions, Terms], None],
    ) -> None:
        self.scale = scale
        self.columns: Mapping[str, Array] = {}
        self._buffer, self._process, self._rewarded = buffer, process, rewarded

    def compute(self, n_envs: int) -> Array:
        """Rewards of all pending rows, (T, n_envs), unscaled.

        Raises:
            RewardFailure: the program, or the task's fitness, failed.
        """
        transitions = self._buffer.take()
        self.columns = transitions.columns
        terms = self._process.evaluate(transitions.columns)
        self._rewarded(transitions, terms)
        rewards = by_time(terms.total, n_envs)
        self.scale.update(rewards[:, None], by_time(transitions.done, n_envs)[:, None])
        return rewards

    def relabel(self, columns: Mapping[str, Array]) -> Array:
        """Rewards of N rows that this training didn't step through, (N,), unscaled.

        As many calls as the process needs for them, each with its own deadline.

        Raises:
            RewardFailure: the program failed.
        """
        rewards, most = np.zeros(len(next(iter(columns.values())))), self._process.rows
        for begin in range(0, len(rewards), most):
            part = {name: column[begin : begin + most] for name, column in columns.items()}
            rewards[begin : begin + most] = self._process.evaluate(part).total
        return rewards


def by_time(rows: npt.NDArray[Scalar], n_envs: int) -> npt.NDArray[Scalar]:
    """Rows env by env, (n_envs · T, ...) → time by env, (T, n_envs, ...), the order of SB3's buffers."""
    return rows.reshape(n_envs, -1, *rows.shape[1:]).swapaxes(0, 1)


class _Rollout:
    """Mixin of a rollout buffer."""

    pending_rewards: PendingRewards
    rewards: npt.NDArray[np.float32]  # (T, n_envs)
    n_envs: int

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: npt.NDArray[np.bool_]) -> None:
        rewards = self.pending_rewards.scale.apply(self.pending_rewards.compute(self.n_envs))
        self.rewards += rewards.astype(np.float32)  # as SB3: rounded before the sum, not after
        super().compute_returns_and_advantage(last_values, dones)  # type: ignore[misc]


class DelayedRolloutBuffer(_Rollout, RolloutBuffer):
    """For observations that are arrays."""


class DelayedDictRolloutBuffer(_Rollout, DictRolloutBuffer):
    """For goal envs, with observations that are dicts."""


class DelayedReplay:
    """Mixin of a replay buffer."""

    pending_rewards: PendingRewards
    rewards: npt.NDArray[np.float32]  # (buffer_size, n_envs), a ring
    buffer_size: int
    n_envs: int
    pos: int  # of the next step
    pending: int = 0  # steps not rewarded yet, the latest

    def add(self, *transition: Any) -> None:
        super().add(*transition)  # type: ignore[misc]
        self.pending += 1
        if self.pending * self.n_envs >= MOST_PENDING or self.pending == self.buffer_size:
            self.compute_pending_rewards()

    def add_rewarded(self, *transition: Any) -> None:
        """A transition that has its reward already; before all others."""
        super().add(*transition)  # type: ignore[misc]

    def compute_pending_rewards(self) -> None:
        """Reward every pending step."""
        if self.pending:
            self.rewards[self.pending_places()] = self.pending_rewards.compute(self.n_envs)
            self.pending = 0

    def pending_places(self) -> npt.NDArray[np.intp]:
        """Places of the pending steps, in order of time."""
        return (self.pos - self.pending + np.arange(self.pending)) % self.buffer_size

    def require_rewards(self, places: npt.NDArray[np.integer[Any]]) -> None:
        """Reward every pending step, where one of these places holds one."""
        age = (self.pos - 1 - places) % self.buffer_size
        if age.min() < self.pending:
            self.compute_pending_rewards()

    def _get_samples(self, batch_inds: npt.NDArray[np.integer[Any]], env: Any = None) -> Any:
        self.require_rewards(batch_inds)
        return super()._get_samples(batch_inds, env)  # type: ignore[misc]

    def _normalize_reward(self, reward: npt.NDArray[np.float32], env: Any = None) -> npt.NDArray[np.float32]:
        scaled = self.pending_rewards.scale.apply(reward)  # type: ignore[arg-type]
        return scaled.astype(np.float32)


class DelayedReplayBuffer(DelayedReplay, ReplayBuffer):
    """For observations that are arrays."""


class DelayedDictReplayBuffer(DelayedReplay, DictReplayBuffer):
    """For goal envs, with observations that are dicts."""


BUFFERS: Mapping[tuple[Algorithm, bool], type[BaseBuffer]] = {
    ("ppo", False): DelayedRolloutBuffer,
    ("ppo", True): DelayedDictRolloutBuffer,
    ("sac", False): DelayedReplayBuffer,
    ("sac", True): DelayedDictReplayBuffer,
}
"""By algorithm, and whether the environment has goals."""
