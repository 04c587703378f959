"""SAC whose rewards come when a sample first needs them.

Transitions enter the replay buffer unrewarded. The first sample that holds one of them has all of them
rewarded in one call, so that a call is shared by a dozen rows. Rewards are stored as the program gave them
and scaled when sampled, as SB3 does with `VecNormalize`: old transitions follow the scale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer

from eureka_loop.train.rewarder import Rewarder

MOST_PENDING = 2_048  # rows (of all envs together) that wait at most, e.g. before learning starts


class _Rewarded:
    """What makes a replay buffer reward its rows late."""

    rewarder: Rewarder
    rewards: npt.NDArray[np.float32]  # (buffer_size, n_envs), a ring
    buffer_size: int
    n_envs: int
    pos: int  # where the next step goes
    pending: int = 0  # steps not rewarded yet, the latest

    def add(self, *transition: Any) -> None:
        super().add(*transition)  # type: ignore[misc]
        self.pending += 1
        if self.pending * self.n_envs >= MOST_PENDING or self.pending == self.buffer_size:
            self.settle()

    def settle(self) -> None:
        """Reward every pending step."""
        if not self.pending:
            return
        self.rewards[self.waiting()] = self.rewarder.settle(self.n_envs)
        self.pending = 0

    def waiting(self) -> npt.NDArray[np.intp]:
        """Where the pending steps are, in order of time."""
        return (self.pos - self.pending + np.arange(self.pending)) % self.buffer_size

    def settle_for(self, places: npt.NDArray[np.integer[Any]]) -> None:
        """Reward every pending step, where one of these places holds one."""
        age = (self.pos - 1 - places) % self.buffer_size
        if age.min() < self.pending:
            self.settle()

    def _get_samples(self, batch_inds: npt.NDArray[np.integer[Any]], env: Any = None) -> Any:
        self.settle_for(batch_inds)
        return super()._get_samples(batch_inds, env)  # type: ignore[misc]

    def _normalize_reward(self, reward: npt.NDArray[np.float32], env: Any = None) -> npt.NDArray[np.float32]:
        return self.rewarder.scale.apply(reward).astype(np.float32)  # type: ignore[arg-type]


class RewardedReplayBuffer(_Rewarded, ReplayBuffer):
    """For observations that are arrays."""


class RewardedDictReplayBuffer(_Rewarded, DictReplayBuffer):
    """For goal envs, whose observations are dicts."""


def reward_late(model: SAC, rewarder: Rewarder) -> Callable[[], None]:
    """Give a fresh SAC a replay buffer that rewards its rows before a sample holds them.

    Returns:
        What rewards all pending rows at once, whether or not a sample needs them.
    """
    goal = isinstance(model.observation_space, spaces.Dict)
    return put_buffer(RewardedDictReplayBuffer if goal else RewardedReplayBuffer, model, rewarder)


def put_buffer(kind: Any, model: SAC, rewarder: Rewarder, **more: Any) -> Callable[[], None]:
    """As `reward_late`, with a buffer of that class, which takes SB3's arguments and more."""
    buffer = kind(
        model.buffer_size,
        model.observation_space,
        model.action_space,
        device=model.device,
        n_envs=model.n_envs,
        optimize_memory_usage=model.optimize_memory_usage,
        **more,
    )
    buffer.rewarder = rewarder
    model.replay_buffer = buffer
    settle: Callable[[], None] = buffer.settle
    return settle
