"""All observables of an env: the vocabulary, and how each name is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import gymnasium

from eureka_loop.envs.domain import Domain, DomainObservable
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.simulate.definitions import Definition, Definitions, split
from eureka_loop.simulate.documentation import documentation
from eureka_loop.simulate.env import first_step, make_env
from eureka_loop.simulate.model import Namer, constants, model_of
from eureka_loop.simulate.model_observables import (
    info_observables,
    joint_names,
    model_observables,
    state_observables,
    step_observables,
)
from eureka_loop.simulate.step_buffer import StepBuffer


class ObservableRegistry:
    """Every observable of an env by name.

    Making it resets the env and takes one step, to see what its `info` holds: reset the env (with the seed
    you want) before use.

    Attributes:
        definitions: name → how it is computed; the domain's own first, hidden ones last.
        vocabulary: the same as designers see it, without ranges.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], domain: Domain) -> None:
        """
        Raises:
            BadInput: the env isn't MuJoCo's, or a domain file's observable can't be computed.
        """
        self._model = model = model_of(env)
        first = first_step(env)
        horizon = env.spec.max_episode_steps if env.spec else None
        of_env = [
            *step_observables(env, first.dt, horizon),
            *info_observables(first.infos),
            *state_observables(model, first.dt),
        ]
        own = [_of_domain(domain, each) for each in domain.observables]
        names = Counter(each.name for each in (*own, *of_env))
        if clash := next((each for each in own if names[each.name] > 1), None):
            raise BadInput(f"{clash.origin}: {clash.name!r} is there already; give it another name")
        namer = Namer(each.name for each in [*own, *of_env])
        joints = joint_names(model, namer)
        automatic = [
            replace(each, observable=replace(each.observable, hidden=True))
            if each.name.startswith(domain.left_out)
            else each
            for each in (*of_env, *model_observables(model, joints, namer, first.dt))
        ]
        everything = sorted([*own, *automatic], key=_place)
        self.definitions: Definitions = {each.name: each for each in everything}
        for definition in own:
            _check_needs(definition, self.definitions)
        self.vocabulary = Vocabulary(
            env_id=env.spec.id if env.spec else type(env.unwrapped).__name__,
            observables=tuple(each.observable for each in everything),
            constants=constants(model, joints, first.dt, lags=first.lags),
            horizon=horizon,
            dt=first.dt,
            documentation=documentation(env),
        )

    @classmethod
    def of_task(cls, task: Task, domain: Domain) -> ObservableRegistry:
        """Of a task's env, which is made for it and closed.

        Raises:
            BadInput: the env can't be made or measured.
        """
        env = make_env(task)
        try:
            return cls(env, domain)
        finally:
            env.close()

    def buffer(self, names: Iterable[str], n_envs: int) -> StepBuffer:
        """A buffer that records these parameters (`prev_` and `init_` allowed) of `n_envs` such envs.

        Raises:
            UnknownName: with the nearest names.
        """
        names = tuple(names)
        for name in names:
            self.vocabulary.resolve(name, hidden=True)
        return StepBuffer(self.definitions, names, n_envs, self._model.mj)


def _place(definition: Definition) -> int:
    """Place in the table: the domain's own first, then bodies and joints, the state, hidden ones."""
    if definition.observable.hidden:
        return 3
    if definition.origin:
        return 0
    return 2 if definition.observable.group == "state" else 1


def _of_domain(domain: Domain, declared: DomainObservable) -> Definition:
    observable = Observable(
        declared.name, declared.shape, declared.unit, declared.frame, declared.description, domain.name,
        hidden=declared.hidden,
    )  # fmt: skip
    origin = f"domain {domain.name!r} ({declared.function.__module__})"
    return Definition(observable, declared.needs, declared.function, origin=origin)


def _check_needs(definition: Definition, definitions: Definitions) -> None:
    """
    Raises:
        BadInput: it needs a name that doesn't exist, or itself.
    """

    def visit(current: Definition, path: tuple[str, ...]) -> None:
        if current.name in path:
            circle = " → ".join((*path[path.index(current.name) :], current.name))
            raise BadInput(f"{definition.origin}: observables need each other in a circle: {circle}")
        for need in current.needs:
            if not isinstance(need, str):
                continue
            try:
                base = split(need, definitions)[1]
            except KeyError:
                unknown = UnknownName("observable", need, definitions)
                raise BadInput(f"{current.origin}: observable {current.name!r} needs an {unknown}") from None
            visit(definitions[base], (*path, current.name))

    visit(definition, ())
