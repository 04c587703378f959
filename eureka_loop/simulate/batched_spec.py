"""A domain file's `Vectorised` env, ready to be computed for whole columns: observation, end, goals, info."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop.envs.domain import Domain, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.definitions import (
    DataSlice,
    Definition,
    Definitions,
    EnvAttribute,
    InfoValue,
    Raw,
    StepValue,
    as_is,
    element,
    raw_needs,
    split,
)
from eureka_loop.simulate.env import is_goal
from eureka_loop.simulate.model import identifier

KEPT_ARGUMENTS = frozenset({"max_episode_steps"})  # of gymnasium.make: a domain's functions hold with any
KNOWN_VALUES = frozenset({"obs", "action", "terminated", "steps"})  # step values that need no env
OBSERVATION, TERMINATED, APPLIED = "~observation", "~terminated", "~applied"
"""The domain's functions among the definitions: no name of an observable."""


def vectorised_of(task: Task, domain: Domain) -> Vectorised:
    """
    Raises:
        BadInput: the domain file states none, or not for an env with these settings.
    """
    stated = domain.vectorised
    vectorised = stated(task) if callable(stated) else stated
    if vectorised is None:
        raise BadInput(
            domain.not_vectorised or f"no domain file states {task.env_id} as vectorised functions"
        )
    if others := sorted(set(task.env_kwargs) - KEPT_ARGUMENTS - vectorised.settings):
        changed = ", ".join(others)
        raise BadInput(f"domain {domain.name!r} states the env with its own settings, not with {changed}")
    return vectorised


@dataclass
class Moment:
    """Values of all envs at one moment, computed when they are asked for.

    Attributes:
        values: raw column or name → (N, ...).
        before: the moment before the step.
    """

    definitions: Definitions
    values: dict[Raw | str, Array]
    before: Moment | None = None

    def value(self, need: Raw | str) -> Any:
        if need not in self.values:
            prefix, name = split(str(need), self.definitions)
            if prefix:
                assert self.before is not None
                return self.before.value(name)
            definition = self.definitions[name]
            self.values[need] = definition.function(*map(self.value, definition.needs))
        return self.values[need]


@dataclass(frozen=True, slots=True)
class BatchedSpec:
    """
    Attributes:
        definitions: the env's, with goals and `info` computed by the domain's functions, and these functions.
        parts: names that a policy sees side by side, in the order of the observation space.
        own: where in that the env's plain observation is.
        now: raw columns that the functions look at after a step.
        before: those that they look at as they were before it.
    """

    vectorised: Vectorised
    definitions: Definitions
    parts: tuple[str, ...]
    own: slice
    now: tuple[Raw, ...]
    before: tuple[Raw, ...] = field(default=())

    @classmethod
    def of(
        cls, domain: Domain, vectorised: Vectorised, definitions: Definitions, env: gymnasium.Env[Any, Any]
    ) -> BatchedSpec:
        """
        Raises:
            BadInput: a function needs a value that can't be had without the env.
        """
        known = dict(_with_functions(definitions, domain, vectorised, env))
        space = env.observation_space
        parts: tuple[str, ...] = (OBSERVATION,)
        if isinstance(space, gymnasium.spaces.Dict) and is_goal(space):
            parts = tuple(OBSERVATION if key == "observation" else key for key in space.spaces)
        sizes = [known[part].observable.shape[0] for part in parts]
        start = sum(sizes[: parts.index(OBSERVATION)])
        now: dict[Raw, None] = {}
        before: dict[Raw, None] = {}
        for name in (*parts, TERMINATED, APPLIED):
            if name in known:
                for raw, past in _looked_at(name, known):
                    (before if past else now)[raw] = None
        own = slice(start, start + sizes[parts.index(OBSERVATION)])
        return cls(vectorised, known, parts, own, tuple(now), tuple(before))

    def recorded(self, names: Iterable[str]) -> tuple[Raw, ...]:
        """The raw columns that parameters are computed from.

        Raises:
            BadInput: only the env's own Python knows one.
        """
        names = tuple(names)
        for name in names:
            for raw in raw_needs(self.definitions, [name]):
                if isinstance(raw, InfoValue) or (isinstance(raw, StepValue) and raw.key not in KNOWN_VALUES):
                    raise BadInput(f"only the env itself knows {name!r}")
        return raw_needs(self.definitions, names)

    def observe(self, moment: Moment) -> Array:
        """(N, D), the policy's input in its own memory; of a goal env all parts, as SB3 concatenates them."""
        return np.concatenate([moment.value(part) for part in self.parts], axis=1, dtype=np.float64)


def _looked_at(name: str, definitions: Definitions, *, past: bool = False) -> Iterator[tuple[Raw, bool]]:
    """The raw columns that a function needs, each with whether it is the one before the step.

    Raises:
        BadInput: it depends on the episode's start or on what adds up, or on a value outside MjData.
    """
    for need in definitions[name].needs:
        if not isinstance(need, str):
            if isinstance(need, DataSlice | EnvAttribute):
                yield need, past
            elif name != "action" or past:
                raise BadInput(f"the env as functions can't depend on {need}, which MjData doesn't hold")
            continue
        prefix, base = split(need, definitions)
        if prefix == "init_" or definitions[base].accumulate:
            raise BadInput(f"the env as functions can't depend on {need!r}, which has a memory")
        yield from _looked_at(base, definitions, past=past or prefix == "prev_")


def _with_functions(
    definitions: Definitions, domain: Domain, vectorised: Vectorised, env: gymnasium.Env[Any, Any]
) -> Mapping[str, Definition]:
    """The env's definitions, those of the domain's functions, and of what their parameters name besides."""
    known = dict(definitions)
    at_reset = {f"info_{identifier(key)}" for key in env.reset(seed=0)[1]}
    for observable, function in _functions(definitions, vectorised):
        origin = f"domain {domain.name!r} ({function.__module__})"
        needs: tuple[Raw | str, ...] = tuple(inspect.signature(function).parameters)
        for need in needs:
            _add_raw(str(need), known, env.unwrapped, origin)
        if observable.group == "info" and observable.name not in at_reset:
            needs, function = (*needs, StepValue("steps")), _zero_at_reset(function)
        known[observable.name] = Definition(observable, needs, function, origin=origin)
    return known


def _functions(
    definitions: Definitions, vectorised: Vectorised
) -> Iterator[tuple[Observable, Callable[..., Any]]]:
    yield replace(definitions["obs"].observable, name=OBSERVATION), vectorised.observation
    if vectorised.terminated is not None:
        yield Observable(TERMINATED, ()), vectorised.terminated
    if vectorised.applied is not None:
        yield Observable(APPLIED, ()), vectorised.applied
    named = {f"info_{identifier(key)}": function for key, function in vectorised.info.items()}
    goals = {"achieved_goal": vectorised.achieved_goal, "desired_goal": vectorised.desired_goal}
    for name, function in {**goals, **named}.items():
        if name in definitions and function is not None:
            yield definitions[name].observable, function


def _zero_at_reset(function: Callable[..., Any]) -> Callable[..., Array]:
    """Of a key that a reset's `info` lacks."""

    def value(*arguments: Array) -> Array:
        *own, steps = arguments
        return np.where(steps == 0.0, 0.0, np.asarray(function(*own), np.float64).T).T

    return value


def _add_raw(need: str, known: dict[str, Definition], env: Any, origin: str) -> None:
    """An array of MjData, an orientation, or an attribute of the env becomes a definition."""
    try:
        split(need, known)
        return
    except KeyError:
        pass
    raw = _array(need, env.data) or _orientation(need, env.model) or _attribute(need, env)
    if raw is None:
        raise BadInput(
            f"{origin}: {need!r} is neither an observable nor an array of numbers of MjData or of the env"
        )
    known[need] = Definition(Observable(need, raw.shape), (raw,), as_is)


def _array(need: str, data: Any) -> Raw | None:
    array = getattr(data, need, None)
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        return None
    return DataSlice(need, 0, array.size, array.shape)


def _orientation(need: str, model: Any) -> Raw | None:
    """ "puck_geom_xmat": the part of "geom_xmat" of the geom "puck"; likewise of sites."""
    kinds = {
        "geom_xmat": (mujoco.mjtObj.mjOBJ_GEOM, model.ngeom),
        "site_xmat": (mujoco.mjtObj.mjOBJ_SITE, model.nsite),
    }
    for field_name, (kind, count) in kinds.items():
        for index in range(count):
            if need == f"{identifier(mujoco.mj_id2name(model, kind, index) or '')}_{field_name}":
                return element(field_name, index, 9)
    return None


def _attribute(need: str, env: Any) -> Raw | None:
    key = need.replace("__", ".")
    try:
        value = attrgetter(key)(env)
    except AttributeError:
        return None
    number = isinstance(value, float | np.floating | np.ndarray) and np.asarray(value).dtype.kind == "f"
    return EnvAttribute(key, np.shape(value)) if number else None
