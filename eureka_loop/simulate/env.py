"""Making a task's environment, with one clear line where it can't be made."""

from __future__ import annotations

import difflib
from typing import Any

import gymnasium

from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Task

# Envs of packages that come with an extra, by the beginning of their ids.
EXTRAS = {
    **dict.fromkeys(("Fetch", "Hand", "Adroit", "FrankaKitchen", "PointMaze", "AntMaze"), "robotics"),
    "Meta-World": "metaworld",
}


def make_env(task: Task) -> gymnasium.Env[Any, Any]:
    """The task's env, with its time limit and without Gymnasium's checker, which costs time at every step.

    Raises:
        UnknownName: nobody registered the id; the nearest ids are shown.
        MissingExtra: the package that brings it isn't installed.
        BadInput: its `env_kwargs` don't fit.
    """
    try:
        return gymnasium.make(task.env_id, disable_env_checker=True, **task.env_kwargs)
    except gymnasium.error.UnregisteredEnv as error:
        extra = next((extra for start, extra in EXTRAS.items() if task.env_id.startswith(start)), None)
        if extra and not _registered(task.env_id):
            raise MissingExtra(f"env {task.env_id!r}", extra) from error
        raise UnknownName("env", task.env_id, gymnasium.registry) from error
    except gymnasium.error.DependencyNotInstalled as error:
        raise BadInput(f"env {task.env_id!r} needs a package that isn't installed: {error}") from error
    except (gymnasium.error.Error, TypeError) as error:
        raise BadInput(f"env {task.env_id!r} can't be made with {dict(task.env_kwargs)}: {error}") from error


def _registered(env_id: str) -> bool:
    """Whether the package is there, so that the id is merely misspelt."""
    return bool(difflib.get_close_matches(env_id, gymnasium.registry, n=1, cutoff=0.9))
