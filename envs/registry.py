"""The catalogue: every domain and task by name. A new domain file is added to `domains`."""

from __future__ import annotations

from functools import cache

from eureka_loop.errors import UnknownName
from eureka_loop.records import Task

from . import (
    adroit,
    ant,
    fetch,
    halfcheetah,
    hopper,
    humanoid,
    humanoidstandup,
    inverted_double_pendulum,
    inverted_pendulum,
    kitchen,
    maze,
    metaworld,
    pusher,
    reacher,
    shadow_hand,
    swimmer,
    walker2d,
)
from .domain import Domain


def domains() -> tuple[Domain, ...]:
    """Every env with a domain file, in the order in which the catalogue shows them."""
    return (
        halfcheetah.DOMAIN,
        hopper.DOMAIN,
        walker2d.DOMAIN,
        ant.DOMAIN,
        humanoid.DOMAIN,
        humanoidstandup.DOMAIN,
        swimmer.DOMAIN,
        reacher.DOMAIN,
        pusher.DOMAIN,
        inverted_pendulum.DOMAIN,
        inverted_double_pendulum.DOMAIN,
        *fetch.DOMAINS,
        *adroit.DOMAINS,
        *shadow_hand.DOMAINS,
        *maze.DOMAINS,
        kitchen.DOMAIN,
        metaworld.DOMAIN,
    )


@cache
def _tasks() -> dict[str, Task]:
    return {task.name: task for domain in domains() for task in domain.tasks}


def tasks() -> dict[str, Task]:
    """Every task of the catalogue by its name, in the catalogue's order."""
    return dict(_tasks())


def suites() -> dict[str, tuple[Task, ...]]:
    """The catalogue in groups: `gymnasium` holds each env's own task, `beyond` what else these bodies can do;
    what needs an extra is named as the extra is.
    """
    found: dict[str, list[Task]] = {"gymnasium": [], "beyond": []}
    for domain in domains():
        own, *others = domain.tasks
        if domain.extra:
            found.setdefault(domain.extra, []).extend(domain.tasks)
        else:
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
        raise UnknownName("task", name, known, hint="`eureka tasks` lists them")
    return known[name]


def find_domain(env_id: str) -> Domain:
    """The domain of a Gymnasium id; where none is written, the automatic vocabulary and SB3's defaults.

    Another version of a known env ("HalfCheetah-v4") counts as unknown: its model and reward differ.
    """
    for domain in domains():
        if domain.env_id == env_id:
            return domain
    return Domain(
        name="",
        env_id=env_id,
        hyperparameters={"ppo": {"n_envs": 1}, "sac": {"n_envs": 1}},
        hyperparameters_source="Stable-Baselines3's defaults",
    )
