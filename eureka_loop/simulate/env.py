"""A task's Gymnasium environment: making it, its observation as flat rows, a first look at it, its texts."""

from __future__ import annotations

import copy
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Space, flatdim, flatten

from eureka_loop.envs.registry import PACKAGES, SCENE, given_id
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.play import GOAL_KEYS, MOST_NUMBERS, make, simulation
from eureka_loop.simulate.play import Env as Env

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
        BadInput: its `env_kwargs` don't fit, or nothing can be trained in its spaces.
    """
    if task.env_id == SCENE:
        importlib.import_module("eureka_loop.simulate.scene")
    extra = next((extra for start, extra in EXTRAS.items() if task.env_id.startswith(start)), "")
    try:
        if extra and task.env_id not in gymnasium.registry:
            importlib.import_module(PACKAGES[extra])
    except ModuleNotFoundError as error:
        raise MissingExtra(f"env {task.env_id!r}", extra) from error
    try:
        env = make(task.env_id, task.env_kwargs)
    except gymnasium.error.UnregisteredEnv as error:
        hint = "one of your own is named with the module that registers it: my_package:MyEnv-v0"
        raise UnknownName("env", task.env_id, gymnasium.registry, hint) from error
    except Exception as error:  # whatever the env's own code and MuJoCo raise
        words = " ".join(str(error).split()) or type(error).__name__
        with_these = f"with {dict(task.env_kwargs)}: {words}"
        if isinstance(error, ModuleNotFoundError):
            with_these += f" It is looked for among installed packages and in {Path.cwd()}."
        raise BadInput(f"env {given_id(task)!r} can't be made {with_these}") from error
    require_spaces(env)
    return env


def is_goal(space: Space[Any]) -> bool:
    """Whether observations are dicts with "observation", "achieved_goal" and "desired_goal"."""
    return isinstance(space, Dict) and {"observation", *GOAL_KEYS} <= set(space.spaces)


def flat_parts(space: Space[Any], obs: Any) -> dict[str, Any]:
    """Flat rows "obs" (of a goal env: its observation part) and the two goals, if there are any."""
    if is_goal(space):
        return {"obs": np.ravel(obs["observation"]), **{key: np.ravel(obs[key]) for key in GOAL_KEYS}}
    return {"obs": np.ravel(obs) if isinstance(space, Box) else flatten(space, obs)}


def numbers_of(value: Any) -> Array | None:
    """A number or an array of numbers, at most MOST_NUMBERS; None of anything else."""
    array = np.asarray(value if isinstance(value, int | float | np.generic | np.ndarray) else "")
    return array if array.dtype.kind in "biuf" and 0 < array.size <= MOST_NUMBERS else None


def finite(value: Any, shape: tuple[int, ...] = ()) -> Any:
    """A value as numbers of this shape; 0 where it is none, isn't finite or doesn't fit."""
    try:
        array = np.asarray(value, np.float64).reshape(shape)
    except (TypeError, ValueError):
        return 0.0
    return array if np.isfinite(array).all() else 0.0


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
        BadInput: the env isn't backed by MuJoCo.
    """
    obs, at_reset = env.reset(seed=0)
    data, space = simulation(env), env.action_space
    if data is None:
        name = env.spec.id if env.spec else type(env.unwrapped).__name__
        raise BadInput(
            f"env {name!r} has no MuJoCo model and data; only envs simulated by MuJoCo can be used"
        )
    model, pose = data.model, copy.copy(data)
    start = getattr(env.unwrapped, "init_qpos", pose.qpos)
    if np.shape(start) == pose.qpos.shape and np.allclose(pose.qpos, start, atol=MOST_NOISE):
        pose.qpos[:] = start
    mujoco.mj_kinematics(model, pose)
    mujoco.mj_comPos(model, pose)
    if isinstance(space, Box):
        middle = ((space.low + space.high) / 2.0).astype(space.dtype)
    else:
        own = copy.deepcopy(space)  # the env's goes on as if nothing had been drawn
        own.seed(0)
        middle = own.sample()
    after = env.step(middle)[4]
    current = copy.copy(data)
    mujoco.mj_kinematics(model, current)
    lags = not np.allclose(current.xpos, data.xpos, rtol=0.0, atol=1e-12)
    dt = round(float(data.time - pose.time), 12) or model.opt.timestep
    return FirstStep(pose, flat_parts(env.observation_space, obs), (at_reset, after), dt, lags)


def require_spaces(env: Env) -> None:
    """
    Raises:
        BadInput: observations that aren't numbers, or actions that no policy gives or that change nothing.
    """
    seen, acted = env.observation_space, env.action_space
    if not (isinstance(seen, Box) or is_goal(seen)) or flatdim(seen) > MOST_NUMBERS:
        most = f"one row of at most {MOST_NUMBERS:,} numbers"
        raise BadInput(f"observations {seen} can't be made {most}: wrap the env so that they are")
    if not isinstance(acted, Box | Discrete | MultiDiscrete):
        kinds = "a Box, Discrete, MultiDiscrete or MultiBinary"
        raise BadInput(f"actions {acted} can't be trained: wrap the env so that they are {kinds}")
    size = acted.n - 1 if isinstance(acted, Discrete) else int(np.prod(acted.shape))
    if not size or (isinstance(acted, Box) and not (acted.high > acted.low).any()):
        raise BadInput(
            f"actions {acted} leave nothing to decide, so nothing can be trained: give the env others"
        )


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
