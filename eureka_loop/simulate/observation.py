"""An env's observation as a flat row: plain arrays, goal envs, dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.records import Array

GOAL_KEYS = ("achieved_goal", "desired_goal")


def is_goal(space: gymnasium.Space[Any]) -> bool:
    """Whether observations are dicts with "observation", "achieved_goal" and "desired_goal"."""
    return isinstance(space, gymnasium.spaces.Dict) and {"observation", *GOAL_KEYS} <= set(space.spaces)


def part_space(env: gymnasium.Env[Any, Any], key: str) -> gymnasium.Space[Any]:
    """The space of "obs" (of a goal env: its observation part), "achieved_goal" or "desired_goal"."""
    space = env.observation_space
    if isinstance(space, gymnasium.spaces.Dict) and is_goal(space):
        return space["observation" if key == "obs" else key]
    return space


def width(env: gymnasium.Env[Any, Any], key: str) -> int:
    """How many numbers that part has, flattened."""
    return int(gymnasium.spaces.flatdim(part_space(env, key)))


def in_one_row(env: gymnasium.Env[Any, Any], obs: Any) -> Array:
    """What a policy sees, flattened; of a goal env all parts side by side, as SB3 joins them."""
    return np.asarray(gymnasium.spaces.flatten(env.observation_space, obs), np.float64)


def flattener(env: gymnasium.Env[Any, Any], key: str) -> Callable[[Any], Any]:
    """What turns an observation into the flat row of that part; the usual one does nothing."""
    space = part_space(env, key)
    part = ("observation" if key == "obs" else key) if is_goal(env.observation_space) else None
    plain = isinstance(space, gymnasium.spaces.Box) and len(space.shape) == 1
    if plain and part is None:
        return lambda obs: obs
    if plain:
        return lambda obs: obs[part]
    if isinstance(space, gymnasium.spaces.Box):
        return lambda obs: np.ravel(obs if part is None else obs[part])
    return lambda obs: gymnasium.spaces.flatten(space, obs if part is None else obs[part])
