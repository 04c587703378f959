"""Making a task's environment, with one clear line where it can't be made."""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium

from eureka_loop.envs.extras import PACKAGES
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Task
from eureka_loop.simulate.observation import is_goal
from eureka_loop.simulate.seeded import Seeded

METAWORLD = "Meta-World/"
EXTRAS = {
    **dict.fromkeys(("Fetch", "Hand", "Adroit", "Franka", "PointMaze", "AntMaze"), "robotics"),
    METAWORLD: "metaworld",
}
"""How the ids begin that an extra brings."""


def make_env(task: Task) -> gymnasium.Env[Any, Any]:
    """The task's env, with its time limit and without Gymnasium's checker, which costs time at every step.

    Raises:
        UnknownName: nobody registered the id; the nearest ids are shown.
        MissingExtra: the package that brings it isn't installed.
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


def _without_nested_goals(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """The kitchen's goals are dicts of their own, always the same: no policy takes them, none needs them."""
    space = env.observation_space
    if not is_goal(space) or not isinstance(space["desired_goal"], gymnasium.spaces.Dict):  # type: ignore[index]
        return env
    plain = space["observation"]  # type: ignore[index]
    return gymnasium.wrappers.TransformObservation(env, lambda obs: obs["observation"], plain)


def _import_package(env_id: str) -> None:
    if env_id in gymnasium.registry:
        return
    for start, extra in EXTRAS.items():
        if env_id.startswith(start):
            try:
                importlib.import_module(PACKAGES[extra])
            except ModuleNotFoundError as error:
                raise MissingExtra(f"env {env_id!r}", extra) from error
