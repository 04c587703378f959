"""A task's Gymnasium environment: making it, its observation as flat rows, a first look at it, its texts."""

from __future__ import annotations

import copy
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box, Dict, Space, flatten

from eureka_loop.envs.registry import PACKAGES
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.play import Env as Env
from eureka_loop.simulate.play import make

GOAL_KEYS = ("achieved_goal", "desired_goal")
EXTRAS = {
    **dict.fromkeys(("Fetch", "Hand", "Adroit", "Franka", "PointMaze", "AntMaze"), "robotics"),
    "Meta-World/": "metaworld",
}
"""Start of an env's id → the extra that installs it."""

MOST_NOISE = 0.5  # m or rad
REWARD_METHODS = ("_get_rew", "compute_reward", "step")  # where the task doesn't name the method
# The arguments and the history of versions name the reward's weights and terms, one by one.
LEFT_OUT = re.compile(r"reward|argument|version history|credit|referen", re.IGNORECASE)


def make_env(task: Task) -> Env:
    """The task's env, with its time limit and without Gymnasium's checker, which costs time at every step.

    Raises:
        UnknownName: the id isn't registered; the nearest ids are shown.
        MissingExtra: the package that registers it isn't installed.
        BadInput: its `env_kwargs` don't fit.
    """
    extra = next((extra for start, extra in EXTRAS.items() if task.env_id.startswith(start)), "")
    try:
        if extra and task.env_id not in gymnasium.registry:
            importlib.import_module(PACKAGES[extra])
    except ModuleNotFoundError as error:
        raise MissingExtra(f"env {task.env_id!r}", extra) from error
    try:
        return make(task.env_id, task.env_kwargs)
    except gymnasium.error.UnregisteredEnv as error:
        raise UnknownName("env", task.env_id, gymnasium.registry) from error
    except (gymnasium.error.Error, ModuleNotFoundError, TypeError) as error:
        raise BadInput(f"env {task.env_id!r} can't be made with {dict(task.env_kwargs)}: {error}") from error


def is_goal(space: Space[Any]) -> bool:
    """Whether observations are dicts with "observation", "achieved_goal" and "desired_goal"."""
    return isinstance(space, Dict) and {"observation", *GOAL_KEYS} <= set(space.spaces)


def flat_parts(space: Space[Any], obs: Any) -> dict[str, Any]:
    """Flat rows "obs" (of a goal env: its observation part) and the two goals, if there are any."""
    if is_goal(space):
        return {"obs": np.ravel(obs["observation"]), **{key: np.ravel(obs[key]) for key in GOAL_KEYS}}
    return {"obs": np.ravel(obs) if isinstance(space, Box) else flatten(space, obs)}


class FirstStep(NamedTuple):
    """Facts that a reset and one step show.

    Attributes:
        pose: MjData after the reset, without its noise where it was small.
        parts: the observation, see `flat_parts`.
        infos: `info` after the reset and after the step.
        dt: seconds the step took.
        lags: whether bodies' poses were left as the last physics substep found them, as in most envs.
    """

    pose: Any
    parts: Mapping[str, Array]
    infos: tuple[Mapping[str, Any], Mapping[str, Any]]
    dt: float
    lags: bool


def first_step(env: Env) -> FirstStep:
    """Reset with seed 0, then one step with an action in the middle of its range.

    Raises:
        BadInput: the env isn't backed by MuJoCo, or its actions aren't continuous.
    """
    inner: Any = env.unwrapped
    model, space = getattr(inner, "model", None), env.action_space
    if not isinstance(model, mujoco.MjModel) or not isinstance(getattr(inner, "data", None), mujoco.MjData):
        name = env.spec.id if env.spec else type(inner).__name__
        raise BadInput(
            f"env {name!r} has no MuJoCo model and data; only envs simulated by MuJoCo can be used"
        )
    if not isinstance(space, Box):
        raise BadInput(f"the env's actions are {space}; only continuous ones (Box) can be trained here")
    low, high = np.nan_to_num(space.low, neginf=-1.0), np.nan_to_num(space.high, posinf=1.0)
    obs, at_reset = env.reset(seed=0)
    pose = copy.copy(inner.data)
    start = getattr(inner, "init_qpos", pose.qpos)
    if np.shape(start) == pose.qpos.shape and np.allclose(pose.qpos, start, atol=MOST_NOISE):
        pose.qpos[:] = start
    mujoco.mj_kinematics(model, pose)
    mujoco.mj_comPos(model, pose)
    after = env.step(((low + high) / 2.0).astype(space.dtype))[4]
    current = copy.copy(inner.data)
    mujoco.mj_kinematics(model, current)
    lags = not np.allclose(current.xpos, inner.data.xpos, rtol=0.0, atol=1e-12)
    dt = round(float(inner.data.time - pose.time), 12)
    return FirstStep(pose, flat_parts(env.observation_space, obs), (at_reset, after), dt, lags)


def trimmed(text: str) -> str:
    """The text without sections (and their subsections) on rewards, and without other sentences on them."""
    kept: list[str] = []
    skip_below = 0  # level of the heading of the section being left out; 0 for none
    for line in text.splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        if heading and (not skip_below or len(heading[1]) <= skip_below):
            skip_below = len(heading[1]) if LEFT_OUT.search(heading[2]) else 0
        if not skip_below and "reward" in line.lower():
            sentences = re.split(r"(?<=[.!?])\s+", line)
            line = " ".join(sentence for sentence in sentences if "reward" not in sentence.lower())
        if not skip_below:
            kept.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def reward_source(env: Env, methods: Iterable[str]) -> str:
    """The source of the env's own reward: of these methods of its class, by default of the usual one."""
    kind = type(env.unwrapped)
    named = tuple(methods) or [name for name in REWARD_METHODS if hasattr(kind, name)][:1]
    known = [getattr(kind, name) for name in named if hasattr(kind, name)]
    return "\n\n".join(textwrap.dedent(inspect.getsource(inspect.unwrap(each))) for each in known)
