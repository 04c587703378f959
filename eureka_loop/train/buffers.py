"""SB3's buffers with rewards that come late: one call to the reward process for many transitions.

The envs emit reward 0 and record every step.

PPO: SB3 fills the rollout buffer with nothing but the time-limit bootstraps. Where it asks for returns and
advantages, all rewards are computed in one call and added. Only rewards are scaled; bootstraps are values.

SAC: transitions enter the replay buffer unrewarded; the first sample that holds one of them has all of them
rewarded in one call. Rewards are stored as the program gave them and scaled when sampled, as SB3 does with
`VecNormalize`: old transitions follow the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gymnasium import spaces
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.buffers import (
    BaseBuffer,
    DictReplayBuffer,
    DictRolloutBuffer,
    ReplayBuffer,
    RolloutBuffer,
)
from stable_baselines3.common.type_aliases import DictReplayBufferSamples

from eureka_loop.errors import BadInput, RewardFailure
from eureka_loop.judge.trajectory import joined, length
from eureka_loop.records import PENDING_ROWS, Algorithm, Array
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.simulate.env import is_goal
from eureka_loop.simulate.hindsight import DESIRED, Hindsight
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions
from eureka_loop.train.normalization import RewardScale

Places = npt.NDArray[np.integer[Any]]
Rows = npt.NDArray[Any]  # (N, *shape)


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
        process: CheckedProcess,
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
        rewards, most = np.zeros(len(next(iter(columns.values())))), self._process.request.rows
        for begin in range(0, len(rewards), most):
            part = {name: column[begin : begin + most] for name, column in columns.items()}
            rewards[begin : begin + most] = self._process.evaluate(part).total
        return rewards


def by_time(rows: Rows, n_envs: int) -> Rows:
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


class _Replay:
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
        if self.pending * self.n_envs >= PENDING_ROWS or self.pending == self.buffer_size:
            self.compute_pending_rewards()

    def compute_pending_rewards(self) -> None:
        """Reward every pending step."""
        if self.pending:
            self.rewards[self.pending_places()] = self.pending_rewards.compute(self.n_envs)
            self.pending = 0

    def pending_places(self) -> Places:
        """Places of the pending steps, in order of time."""
        return (self.pos - self.pending + np.arange(self.pending)) % self.buffer_size

    def require_rewards(self, places: Places) -> None:
        """Reward every pending step, where one of these places holds one."""
        age = (self.pos - 1 - places) % self.buffer_size
        if age.min() < self.pending:
            self.compute_pending_rewards()

    def _get_samples(self, batch_inds: Places, env: Any = None) -> Any:
        self.require_rewards(batch_inds)
        return super()._get_samples(batch_inds, env)  # type: ignore[misc]

    def _normalize_reward(self, reward: npt.NDArray[np.float32], env: Any = None) -> npt.NDArray[np.float32]:
        scaled = self.pending_rewards.scale.apply(reward)  # type: ignore[arg-type]
        return scaled.astype(np.float32)


class DelayedRolloutBuffer(_Rollout, RolloutBuffer): ...


class DelayedDictRolloutBuffer(_Rollout, DictRolloutBuffer): ...


class DelayedReplayBuffer(_Replay, ReplayBuffer): ...


class DelayedDictReplayBuffer(_Replay, DictReplayBuffer): ...


BUFFERS: Mapping[tuple[Algorithm, bool], type[BaseBuffer]] = {
    ("ppo", False): DelayedRolloutBuffer,
    ("ppo", True): DelayedDictRolloutBuffer,
    ("sac", False): DelayedReplayBuffer,
    ("sac", True): DelayedDictReplayBuffer,
}
"""By algorithm, and whether the environment has goals."""


class HindsightReplayBuffer(_Replay, HerReplayBuffer):
    """Hindsight experience replay, with rewards by the program: one call for a sample's other goals.

    Keeps, for every transition, the columns that its reward for another goal is computed from: 24 bytes where
    a reward asks for a distance in space, 8 · (nq + 3) where it asks for `qpos`, too.

    Source: Andrychowicz et al. 2017, "Hindsight Experience Replay".
    """

    def __init__(self, *arguments: Any, hindsight: Hindsight, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hindsight = hindsight
        self._kept: dict[str, Array] = {}  # (buffer_size, n_envs, *shape) each

    def compute_pending_rewards(self) -> None:
        places = self.pending_places()
        super().compute_pending_rewards()
        for name in self._hindsight.kept if len(places) else ():
            column = by_time(self.pending_rewards.columns[name], self.n_envs)
            if name not in self._kept:
                self._kept[name] = np.zeros((self.buffer_size, *column.shape[1:]))
            self._kept[name][places] = column

    def sample(self, batch_size: int, env: Any = None) -> Any:
        """As plain SAC's, where no goals are to be sampled and before an episode has ended."""
        if self.her_ratio == 0 or not self.ep_length.any():
            return DictReplayBuffer.sample(self, batch_size, env)
        return super().sample(batch_size, env)

    def _get_real_samples(self, batch_indices: Places, env_indices: Places, env: Any = None) -> Any:
        self.require_rewards(batch_indices)
        return super()._get_real_samples(batch_indices, env_indices, env)

    def _get_virtual_samples(self, batch_indices: Places, env_indices: Places, env: Any = None) -> Any:
        real = self._get_real_samples(batch_indices, env_indices, env)
        chosen, goal = (batch_indices, env_indices), self._sample_goals(batch_indices, env_indices)
        kept = {name: column[chosen] for name, column in self._kept.items()}
        columns = self._hindsight.columns(kept, goal.reshape(len(goal), -1))
        try:
            rewards = self.pending_rewards.relabel(columns).astype(np.float32).reshape(-1, 1)
        except RewardFailure as failure:
            message = f"with a goal taken from what was reached: {failure}"
            raise RewardFailure(failure.kind, message, failure.detail) from failure
        seen = {name: part[chosen] for name, part in self.observations.items()} | {DESIRED: goal}
        desired = {DESIRED: self.to_torch(self._normalize_obs(seen, env)[DESIRED])}
        return DictReplayBufferSamples(
            {**real.observations, **desired},
            real.actions,
            {**real.next_observations, **desired},
            real.dones,
            self.to_torch(self._normalize_reward(rewards, env)),
        )


def count(paths: Sequence[Path]) -> int:
    """Number of transitions in the files of some episodes.

    Raises:
        BadInput: a file is missing.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise BadInput(f"{missing[0]}, which this training is to begin with, isn't there any more")
    return sum(map(length, paths))


def fill(model: SAC, paths: Sequence[Path], parameters: Sequence[str]) -> None:
    """Put recorded episodes of other policies into a model's empty replay buffer, relabelled.

    An episode counts as ended only where the environment ended it, not the time limit. The transitions count
    towards `learning_starts`. Reward scale and observation statistics include them, since the first samples
    are made of them. Curves, checkpoints and correlations don't. A rest that doesn't fill a step of all
    environments is left out.

    Args:
        parameters: of the program that rewards them.

    Raises:
        RewardFailure: the program failed on them.
    """
    buffer: Any = model.replay_buffer
    normalization: Any = model.get_vec_normalize_env()
    columns, lengths = joined(paths, parameters)
    rewards, done = buffer.pending_rewards.relabel(columns), np.zeros(sum(lengths), np.bool_)
    done[np.cumsum(lengths) - 1] = True
    buffer.pending_rewards.scale.include(rewards, done)
    own, _ = joined(paths, ("action", "terminated"))
    actions = model.policy.scale_action(_like(own["action"], model.action_space))
    cut = done & (own["terminated"] == 0)
    before, after = (_observations(paths, model.observation_space, prefix) for prefix in ("prev_", ""))
    if normalization.norm_obs:
        scales = normalization.obs_rms
        for name, rows in before.items():
            (scales[name] if isinstance(scales, dict) else scales).update(rows)
    for begin in range(0, len(done) - model.n_envs + 1, model.n_envs):
        step = slice(begin, begin + model.n_envs)
        parts = [{name: rows[step] for name, rows in each.items()} for each in (before, after)]
        whole = isinstance(model.observation_space, spaces.Dict)
        seen = parts if whole else [each["observation"] for each in parts]
        limits = [{"TimeLimit.truncated": each} for each in cut[step]]
        super(_Replay, buffer).add(*seen, actions[step], rewards[step], done[step], limits)
    model.learning_starts = max(0, model.learning_starts - len(done))


def _observations(paths: Sequence[Path], space: spaces.Space[Any], prefix: str) -> dict[str, Rows]:
    """Before every step ("prev_") or after it (""), part by part; an array is the part "observation"."""
    if isinstance(space, spaces.Dict) and not is_goal(space):
        raise BadInput(f"observations {space} aren't recorded as they are; begin with no transitions")
    parts = space.spaces if isinstance(space, spaces.Dict) else {"observation": space}
    names = {part: prefix + ("obs" if part == "observation" else part) for part in parts}
    columns, _ = joined(paths, tuple(names.values()))
    return {part: _like(columns[names[part]], own) for part, own in parts.items()}


def _like(column: Rows, space: spaces.Space[Any]) -> Rows:
    """Recorded rows, which are flat, in the shape and type of a space."""
    assert space.shape is not None
    return column.reshape(-1, *space.shape).astype(space.dtype)
