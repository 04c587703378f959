"""The catalogue: every domain and task by name, with those that other packages add by entry points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Task
from eureka_loop.registry import Registry

from .domain import Domain

BUILTIN = {
    name: f"eureka_loop.envs.{name}:{attribute}"
    for name, attribute in {
        "halfcheetah": "DOMAIN",
        "hopper": "DOMAIN",
        "walker2d": "DOMAIN",
        "ant": "DOMAIN",
        "humanoid": "DOMAIN",
        "humanoidstandup": "DOMAIN",
        "swimmer": "DOMAIN",
        "reacher": "DOMAIN",
        "pusher": "DOMAIN",
        "inverted_pendulum": "DOMAIN",
        "inverted_double_pendulum": "DOMAIN",
        "fetch": "DOMAINS",
        "adroit": "DOMAINS",
        "shadow_hand": "DOMAINS",
        "maze": "DOMAINS",
        "kitchen": "DOMAIN",
        "metaworld": "DOMAIN",
    }.items()
}
"""Module → its domain, or its domains; in the catalogue's order."""

REGISTRY: Registry[Domain | Sequence[Domain]] = Registry("domain", "eureka_loop.domains", BUILTIN)

SCENE = "Scene/File-v0"
"""The environment of a scene file, its argument `xml_file`; see `simulate.scene`."""

PACKAGES = {"robotics": "gymnasium_robotics", "metaworld": "metaworld"}
"""Extra of this package → the package that registers its envs when it is imported."""


@cache
def domains() -> tuple[Domain, ...]:
    """Every env with a domain file, in the catalogue's order.

    Raises:
        BadInput: another package's domain can't be imported.
    """
    return tuple(domain for group in _groups().values() for domain in group)


def tasks() -> dict[str, Task]:
    """Every task of the catalogue by its name, in the catalogue's order."""
    return dict(_tasks())


def suites() -> dict[str, tuple[Task, ...]]:
    """The catalogue in groups: `gymnasium` holds each env's own task, `beyond` its other tasks. Domains that
    need an extra form a suite of its name, those of another package one of their entry point's name.
    """
    found: dict[str, list[Task]] = {"gymnasium": [], "beyond": []}
    for name, group in _groups().items():
        for domain in group:
            if domain.extra or name not in BUILTIN:
                found.setdefault(domain.extra or name, []).extend(domain.tasks)
            else:
                own, *others = domain.tasks
                found["gymnasium"].append(own)
                found["beyond"].extend(others)
    return {suite: tuple(members) for suite, members in found.items()}


def find_task(name: str) -> Task:
    """The catalogue's task of that name.

    Raises:
        UnknownName: with the nearest names.
    """
    known = _tasks()
    if name not in known:
        raise UnknownName(
            "task",
            name,
            known,
            hint="`eureka tasks` lists them, `eureka look --env ID` an environment's names",
        )
    return known[name]


def full_id(env_id: str) -> str:
    """The id with its version and without a needless module, where its env has a domain file.

    "HalfCheetah" and "gymnasium.envs.mujoco:HalfCheetah-v5" → "HalfCheetah-v5"
    """
    module, _, name = env_id.rpartition(":")
    if module.partition(".")[0] not in ("", "gymnasium", *PACKAGES.values()):
        return env_id
    known = (each.env_id for each in domains())
    return next((each for each in known if name in (each, re.sub(r"-v\d+$", "", each))), env_id)


def given_id(task: Task) -> str:
    """A task's env as --env takes it: of a scene its file."""
    return str(task.env_kwargs.get("xml_file", SCENE)) if task.env_id == SCENE else task.env_id


def find_domain(env_id: str) -> Domain:
    """The domain of a Gymnasium id; without one, the automatic vocabulary and SB3's defaults.

    Another version of a known env ("HalfCheetah-v4") counts as unknown: its model and reward differ.
    """
    for domain in domains():
        if domain.env_id in (env_id, env_id.rpartition(":")[2]):
            return domain
    return Domain(
        name="",
        env_id=env_id,
        hyperparameters={"ppo": {"n_envs": 1}, "sac": {"n_envs": 1}},
        hyperparameters_source="Stable-Baselines3's defaults",
    )


def installed(extra: str) -> bool:
    """Whether the envs of an extra can be made here; "" needs nothing."""
    return not extra or find_spec(PACKAGES[extra]) is not None


@cache
def _groups() -> dict[str, tuple[Domain, ...]]:
    """Registered name → its domains."""
    found = {name: REGISTRY.load(name) for name in REGISTRY.names()}
    return {name: (each,) if isinstance(each, Domain) else tuple(each) for name, each in found.items()}


@cache
def _tasks() -> dict[str, Task]:
    found: dict[str, Task] = {}
    for domain in domains():
        for task in domain.tasks:
            if task.name in found:
                raise BadInput(
                    f"domain {domain.name!r}: there is a task {task.name!r} already; give it another name"
                )
            found[task.name] = task
    return found
