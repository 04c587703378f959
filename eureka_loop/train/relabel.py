"""Recorded transitions of other policies that a SAC training begins with, relabelled with its own reward.

They are put into the replay buffer before the first step, as the environment would have put them there: an
episode counts as ended only where the environment ended it, not the time limit.

- They count towards `learning_starts`, which is there so that the first samples are of more than a few rows.
- Reward scale and observation statistics include them, since the first samples are made of them.
- Curves, checkpoints and correlations don't: these describe a training's own episodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.errors import BadInput
from eureka_loop.judge.trajectory import joined, length
from eureka_loop.simulate.env import GOAL_KEYS, is_goal
from eureka_loop.train.delayed_rewards import PendingRewards

Rows = npt.NDArray[Any]  # (N, *shape)
Observations = Rows | Mapping[str, Rows]


class RecordedTransitions:
    """Whole recorded episodes; the length is in transitions."""

    def __init__(self, paths: Sequence[Path], parameters: Sequence[str]) -> None:
        """
        Args:
            parameters: of the program that is to reward them.

        Raises:
            BadInput: a file is missing.
        """
        if missing := [path for path in paths if not path.exists()]:
            raise BadInput(f"{missing[0]}, which this training is to begin with, isn't there any more")
        self._paths = paths
        self._parameters = parameters

    def __len__(self) -> int:
        return sum(map(length, self._paths))

    def fill(self, model: SAC, normalization: VecNormalize, pending_rewards: PendingRewards) -> None:
        """Put them into a model's empty replay buffer; without any, nothing changes.

        A rest that doesn't fill a step of all environments is left out, and so is what the buffer can't hold.

        Raises:
            RewardFailure: the program failed on them.
        """
        if not self._paths:
            return
        columns, lengths = joined(self._paths, self._parameters)
        rewards, done = pending_rewards.relabel(columns), np.zeros(sum(lengths), np.bool_)
        done[np.cumsum(lengths) - 1] = True
        pending_rewards.scale.include(rewards, done)
        observations = self._observations(model.observation_space, "prev_")
        _update_statistics(normalization, observations)
        self._store(model, observations, rewards, done)
        model.learning_starts = max(0, model.learning_starts - len(self))

    def _store(self, model: SAC, observations: Observations, rewards: Rows, done: Rows) -> None:
        buffer: Any = model.replay_buffer
        steps = min(len(self) // model.n_envs, buffer.buffer_size)
        own, _ = joined(self._paths, ("action", "terminated"))
        _put(buffer.observations, observations, steps)
        _put(buffer.next_observations, self._observations(model.observation_space, ""), steps)
        _put(buffer.actions, model.policy.scale_action(_like(own["action"], model.action_space)), steps)
        _put(buffer.rewards, rewards, steps)
        _put(buffer.dones, done, steps)
        _put(buffer.timeouts, done & (own["terminated"] == 0), steps)
        buffer.pos, buffer.full = steps % buffer.buffer_size, steps == buffer.buffer_size

    def _observations(self, space: spaces.Space[Any], prefix: str) -> Observations:
        """Before every step ("prev_") or after it (""), in the form of the observation space."""
        if not isinstance(space, spaces.Dict):
            return _like(self._column(f"{prefix}obs"), space)
        if not is_goal(space):
            raise BadInput(f"observations {space} aren't recorded as they are; begin with no transitions")
        names = {"observation": "obs", **{key: key for key in GOAL_KEYS}}
        return {key: _like(self._column(prefix + name), space[key]) for key, name in names.items()}

    def _column(self, name: str) -> Rows:
        return joined(self._paths, (name,))[0][name]


def _like(column: Rows, space: spaces.Space[Any]) -> Rows:
    """Recorded rows, which are flat, in the shape and type of a space."""
    assert space.shape is not None
    return column.reshape(-1, *space.shape).astype(space.dtype)


def _put(where: Any, rows: Observations, steps: int) -> None:
    """The first steps of a buffer's array (size, n_envs, *shape), or of a dict of them."""
    if isinstance(rows, Mapping):
        for key, column in rows.items():
            _put(where[key], column, steps)
        return
    where[:steps] = rows[: steps * where.shape[1]].reshape(steps, *where.shape[1:])


def _update_statistics(normalization: VecNormalize, observations: Observations) -> None:
    if not normalization.norm_obs:
        return
    statistics: Any = normalization.obs_rms
    if not isinstance(observations, Mapping):
        statistics.update(observations)
        return
    for key, column in observations.items():
        statistics[key].update(column)
