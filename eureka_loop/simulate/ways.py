"""Who may share a batch of envs, so that nobody's motion depends on what the others record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Task
from eureka_loop.simulate.choice import Way, manner_of, way_of
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.stated import Stated, vectorised_of


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
