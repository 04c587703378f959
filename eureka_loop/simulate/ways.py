"""Who may share a batch of envs, so that nobody's motion depends on what the others record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Task
from eureka_loop.simulate.choice import Way, manner_of, way_of
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.stated import Stated, vectorised_of

DEMANDING: tuple[Way, ...] = ("straight", "split", "staged", "pool")
"""A batch goes the last of those that one of its columns needs."""


def ways(task: Task, domain: Domain, asked: Sequence[Iterable[str]], threads: int = 1) -> list[Way]:
    """How `BatchedEnvs` that record each of these sets of names step.

    Raises:
        BadInput: as `BatchedEnvs`.
    """
    vectorised = vectorised_of(task, domain)
    env = make_env(task)
    try:
        stated = Stated.of(domain, vectorised, Instruments(env, domain), env)
        inner = env.unwrapped
        manner = manner_of(vectorised, inner)
        return [way_of(inner, stated.moving(names), threads, manner) for names in asked]
    finally:
        env.close()


def demands(task: Task, domain: Domain, names: Sequence[str], threads: int = 1) -> dict[str, int]:
    """Name → how much it asks of a step, for those that make envs step in another way than nothing does.

    Raises:
        BadInput: as `BatchedEnvs`.
    """
    usual, *found = ways(task, domain, [(), *((name,) for name in names)], threads)
    return {name: DEMANDING.index(way) for name, way in zip(names, found, strict=True) if way != usual}
