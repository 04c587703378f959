"""SAC learns from any policy's transitions: its training may begin with recorded ones, at its own reward.

They are in the replay buffer before the first step, as the environment would have put them there: what was
seen, done and seen next, at an end only where the environment ended the episode, not the time limit. And

- they count towards `learning_starts`: that is there so that the first samples are of more than a few rows;
- the scale of rewards and the statistics of observations take them in: the first samples are made of them;
- curves, checkpoints and correlations don't: those tell of a training's own episodes.
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
from eureka_loop.judge.trajectory import Trajectory, joined
from eureka_loop.simulate.env import GOAL_KEYS, is_goal
from eureka_loop.train.rewarder import Rewarder

Rows = npt.NDArray[Any]  # (N, *shape)
Observations = Rows | Mapping[str, Rows]


class Past:
    """Whole episodes from before a training; its length is that in transitions."""

    def __init__(self, paths: Sequence[Path], parameters: Sequence[str]) -> None:
        """`parameters` are those of the program that is to reward them.

        Raises:
            BadInput: an episode isn't there.
        """
        self._episodes = [Trajectory(_there(path)) for path in paths]
        self._parameters = parameters

    def __len__(self) -> int:
        return sum(map(len, self._episodes))

    def fill(self, model: SAC, normalization: VecNormalize, rewarder: Rewarder) -> None:
        """Put them into a model's empty replay buffer; where there are none, nothing changes.

        What doesn't fill a step of all environments is left out, and what the buffer can't hold.

        Raises:
            RewardFailure: the program failed on them.
        """
        if not self._episodes:
            return
        columns, starts = joined(self._episodes, self._parameters)
        rewards, done = rewarder.again(columns), np.append(starts[1:], True)
        rewarder.scale.include(rewards, done)
        seen = self._observations(model.observation_space, "prev_")
        _take_in(normalization, seen)
        self._store(model, seen, rewards, done)
        model.learning_starts = max(0, model.learning_starts - len(self))

    def _store(self, model: SAC, seen: Observations, rewards: Rows, done: Rows) -> None:
        buffer: Any = model.replay_buffer
        steps = min(len(self) // model.n_envs, buffer.buffer_size)
        own, _ = joined(self._episodes, ("action", "terminated"))
        _put(buffer.observations, seen, steps)
        _put(buffer.next_observations, self._observations(model.observation_space, ""), steps)
        _put(buffer.actions, model.policy.scale_action(_like(own["action"], model.action_space)), steps)
        _put(buffer.rewards, rewards, steps)
        _put(buffer.dones, done, steps)
        _put(buffer.timeouts, done & (own["terminated"] == 0), steps)
        buffer.pos, buffer.full = steps % buffer.buffer_size, steps == buffer.buffer_size

    def _observations(self, space: spaces.Space[Any], prefix: str) -> Observations:
        """Before every step ("prev_") or after it (""), as the environment gives them."""
        if not isinstance(space, spaces.Dict):
            return _like(self._column(f"{prefix}obs"), space)
        if not is_goal(space):
            raise BadInput(f"observations {space} aren't recorded as they are; begin with no transitions")
        names = {"observation": "obs", **{key: key for key in GOAL_KEYS}}
        return {key: _like(self._column(prefix + name), space[key]) for key, name in names.items()}

    def _column(self, name: str) -> Rows:
        return joined(self._episodes, (name,))[0][name]


def _there(path: Path) -> Path:
    if not path.exists():
        raise BadInput(f"{path}, which this training is to begin with, isn't there any more")
    return path


def _like(column: Rows, space: spaces.Space[Any]) -> Rows:
    """Rows as a space has them: recorded ones are flat."""
    assert space.shape is not None
    return column.reshape(-1, *space.shape).astype(space.dtype)


def _put(where: Any, rows: Observations, steps: int) -> None:
    """The first steps of a buffer's array (size, n_envs, *shape), or of a dict of them."""
    if isinstance(rows, Mapping):
        for key, column in rows.items():
            _put(where[key], column, steps)
        return
    where[:steps] = rows[: steps * where.shape[1]].reshape(steps, *where.shape[1:])


def _take_in(normalization: VecNormalize, seen: Observations) -> None:
    if not normalization.norm_obs:
        return
    statistics: Any = normalization.obs_rms
    if not isinstance(seen, Mapping):
        statistics.update(seen)
        return
    for key, column in seen.items():
        statistics[key].update(column)
