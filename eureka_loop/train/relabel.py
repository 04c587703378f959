"""Recorded transitions of other policies that a SAC training begins with, relabelled with its own reward.

They are put into the replay buffer before the first step, as the environment would have put them there: an
episode counts as ended only where the environment ended it, not the time limit.

- They count towards `learning_starts`, which is there so that the first samples are of more than a few rows.
- Reward scale and observation statistics include them, since the first samples are made of them.
- Curves, checkpoints and correlations don't: these describe a training's own episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.errors import BadInput
from eureka_loop.judge.trajectory import joined, length
from eureka_loop.simulate.env import is_goal
from eureka_loop.train.delayed_rewards import PendingRewards

Rows = npt.NDArray[Any]  # (N, *shape)


def count(paths: Sequence[Path]) -> int:
    """Number of transitions in the files of some episodes.

    Raises:
        BadInput: a file is missing.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise BadInput(f"{missing[0]}, which this training is to begin with, isn't there any more")
    return sum(map(length, paths))


def fill(
    model: SAC,
    normalization: VecNormalize,
    pending_rewards: PendingRewards,
    paths: Sequence[Path],
    parameters: Sequence[str],
) -> None:
    """Put whole episodes into a model's empty replay buffer, and have it begin to learn earlier.

    A rest that doesn't fill a step of all environments is left out.

    Args:
        parameters: of the program that rewards them.

    Raises:
        RewardFailure: the program failed on them.
    """
    columns, lengths = joined(paths, parameters)
    rewards, done = pending_rewards.relabel(columns), np.zeros(sum(lengths), np.bool_)
    done[np.cumsum(lengths) - 1] = True
    pending_rewards.scale.include(rewards, done)
    own, _ = joined(paths, ("action", "terminated"))
    actions = model.policy.scale_action(_like(own["action"], model.action_space))
    cut = done & (own["terminated"] == 0)
    before, after = (_observations(paths, model.observation_space, prefix) for prefix in ("prev_", ""))
    if normalization.norm_obs:
        scales: Any = normalization.obs_rms
        for name, rows in before.items():
            (scales[name] if isinstance(scales, dict) else scales).update(rows)
    buffer: Any = model.replay_buffer
    for begin in range(0, len(done) - model.n_envs + 1, model.n_envs):
        step = slice(begin, begin + model.n_envs)
        parts = [{name: rows[step] for name, rows in each.items()} for each in (before, after)]
        whole = isinstance(model.observation_space, spaces.Dict)
        seen = parts if whole else [each["observation"] for each in parts]
        limits = [{"TimeLimit.truncated": each} for each in cut[step]]
        buffer.add_rewarded(*seen, actions[step], rewards[step], done[step], limits)
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
