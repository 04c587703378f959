"""A task's Gymnasium environment: making it, its observation as a flat row, and a first look at a step."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box, Dict, Space, flatdim, flatten

from eureka_loop.envs.registry import PACKAGES
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Array, Task

Env = gymnasium.Env[Any, Any]
GOAL_KEYS = ("achieved_goal", "desired_goal")
METAWORLD = "Meta-World/"
EXTRAS = {
    **dict.fromkeys(("Fetch", "Hand", "Adroit", "Franka", "PointMaze", "AntMaze"), "robotics"),
    METAWORLD: "metaworld",
}
"""Start of an env's id → the extra that installs it."""


def make_env(task: Task) -> Env:
    """The task's env, with its time limit and without Gymnasium's checker, which costs time at every step.

    Raises:
        UnknownName: the id isn't registered; the nearest ids are shown.
        MissingExtra: the package that registers it isn't installed.
        BadInput: its `env_kwargs` don't fit.
    """
    _import_package(task.env_id)
    try:
        env = gymnasium.make(task.env_id, disable_env_checker=True, **task.env_kwargs)
        return Seeded(env) if task.env_id.startswith(METAWORLD) else _without_nested_goals(env)
    except gymnasium.error.UnregisteredEnv as error:
        raise UnknownName("env", task.env_id, gymnasium.registry) from error
    except (gymnasium.error.DependencyNotInstalled, ModuleNotFoundError) as error:
        raise BadInput(f"env {task.env_id!r} needs a package that isn't installed: {error}") from error
    except (gymnasium.error.Error, TypeError) as error:
        raise BadInput(f"env {task.env_id!r} can't be made with {dict(task.env_kwargs)}: {error}") from error


class Seeded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A Meta-World env that draws goal and objects anew at every reset, from the env's own generator.

    By itself it ignores the seed given to `reset`, keeps the first goal that it drew, and hides the goal in
    its observation space.
    """

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        inner: Any = env.unwrapped
        inner._freeze_rand_vec, inner.seeded_rand_vec = False, True
        self.observation_space = inner.sawyer_observation_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        inner: Any = self.unwrapped
        if seed is not None:
            inner.seed(seed)
        return self.env.reset(seed=seed, options=options)


def is_goal(space: Space[Any]) -> bool:
    """Whether observations are dicts with "observation", "achieved_goal" and "desired_goal"."""
    return isinstance(space, Dict) and {"observation", *GOAL_KEYS} <= set(space.spaces)


def width(env: Env, key: str) -> int:
    """Size, flattened, of "obs" (of a goal env: its observation part), "achieved_goal" or "desired_goal"."""
    return int(flatdim(_part(env.observation_space, key)))


def flat_observation(env: Env, obs: Any) -> Array:
    """The policy's input (D,); of a goal env all parts side by side, as SB3 concatenates them."""
    return np.asarray(flatten(env.observation_space, obs), np.float64)


def flattener(env: Env, key: str) -> Callable[[Any], Any]:
    """Observation → flat row of the part `key`, see `width`."""
    space, part = _part(env.observation_space, key), "observation" if key == "obs" else key
    if is_goal(env.observation_space):
        return lambda obs: np.ravel(obs[part])
    return np.ravel if isinstance(space, Box) else lambda obs: flatten(space, obs)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Facts that a reset and one step show, which can't be read off the model.

    Attributes:
        infos: `info` after the reset and after the step.
        dt: seconds the step took.
        lags: whether bodies' poses were left as the last physics substep found them, as in most envs.
    """

    infos: tuple[Mapping[str, Any], Mapping[str, Any]]
    dt: float
    lags: bool


def first_step(env: Env) -> FirstStep:
    """Reset with seed 0, then one step with an action in the middle of its range.

    Raises:
        BadInput: the env's actions aren't continuous.
    """
    space = env.action_space
    if not isinstance(space, Box):
        raise BadInput(f"the env's actions are {space}; only continuous ones (Box) can be trained here")
    low, high = np.nan_to_num(space.low, neginf=-1.0), np.nan_to_num(space.high, posinf=1.0)
    _, at_reset = env.reset(seed=0)
    inner: Any = env.unwrapped
    before = inner.data.time
    after = env.step(((low + high) / 2.0).astype(space.dtype))[4]
    current = copy.copy(inner.data)
    mujoco.mj_kinematics(inner.model, current)
    lags = not np.allclose(current.xpos, inner.data.xpos, rtol=0.0, atol=1e-12)
    return FirstStep((at_reset, after), round(float(inner.data.time - before), 12), lags)


def _part(space: Space[Any], key: str) -> Space[Any]:
    if isinstance(space, Dict) and is_goal(space):
        return space["observation" if key == "obs" else key]
    return space


def _without_nested_goals(env: Env) -> Env:
    """The kitchen's goals are dicts of their own, always the same; no policy takes them."""
    space = env.observation_space
    if not (isinstance(space, Dict) and is_goal(space) and isinstance(space["desired_goal"], Dict)):
        return env
    return gymnasium.wrappers.TransformObservation(env, lambda obs: obs["observation"], space["observation"])


def _import_package(env_id: str) -> None:
    if env_id in gymnasium.registry:
        return
    for start, extra in EXTRAS.items():
        if env_id.startswith(start):
            try:
                importlib.import_module(PACKAGES[extra])
            except ModuleNotFoundError as error:
                raise MissingExtra(f"env {env_id!r}", extra) from error
