"""A domain file's `Vectorised` env, ready to be computed for whole columns: observation, end, goals, info."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
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
    element,
    raw_needs,
    split,
)
from eureka_loop.simulate.env import is_goal
from eureka_loop.simulate.model import OBJECTS, identifier

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


class BatchedSpec:
    """
    Attributes:
        definitions: the env's, with goals and `info` computed by the domain's functions, and these functions.
        own: where in the policy's input the env's plain observation is.
        needs: raw columns that the functions are computed from, as they are now and were before the step.

    Raises:
        BadInput: a function needs a value that can't be had without the env.
    """

    def __init__(
        self, domain: Domain, vectorised: Vectorised, definitions: Definitions, env: gymnasium.Env[Any, Any]
    ) -> None:
        known = self.definitions = _with_functions(definitions, domain, vectorised, env)
        space = env.observation_space
        self._parts: tuple[str, ...] = (OBSERVATION,)
        if isinstance(space, gymnasium.spaces.Dict) and is_goal(space):
            self._parts = tuple(OBSERVATION if key == "observation" else key for key in space.spaces)
        own = self._parts.index(OBSERVATION)
        ends = np.cumsum([0, *(known[part].observable.shape[0] for part in self._parts)])
        self.own = slice(ends[own], ends[own + 1])
        functions = [name for name in (*self._parts, TERMINATED, APPLIED) if name in known]
        self.needs = tuple(dict.fromkeys(raw for name in functions for raw in _needs(name, known)))

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
        return np.concatenate([moment.value(part) for part in self._parts], axis=1, dtype=np.float64)


def _needs(name: str, definitions: Definitions) -> Iterator[Raw]:
    """The raw columns that a function is computed from, `action` left out.

    Raises:
        BadInput: it depends on the episode's start or on what adds up, or on a value outside MjData.
    """
    for need in definitions[name].needs:
        if isinstance(need, str):
            prefix, base = split(need, definitions)
            if prefix == "init_" or definitions[base].accumulate or need == "prev_action":
                raise BadInput(f"the env as functions can't depend on {need!r}, which has a memory")
            yield from _needs(base, definitions)
        elif isinstance(need, DataSlice | EnvAttribute):
            yield need
        elif name != "action":
            raise BadInput(f"the env as functions can't depend on {need}, which MjData doesn't hold")


def _with_functions(
    definitions: Definitions, domain: Domain, vectorised: Vectorised, env: gymnasium.Env[Any, Any]
) -> Definitions:
    """The env's definitions, those of the domain's functions, and of what their parameters name besides."""
    known = dict(definitions)
    at_reset = {f"info_{identifier(key)}" for key in env.reset(seed=0)[1]}
    observation = replace(definitions["obs"].observable, name=OBSERVATION)
    extra = {each.name: each for each in (observation, Observable(TERMINATED, ()), Observable(APPLIED, ()))}
    functions: dict[str, Callable[..., Any] | None] = {
        OBSERVATION: vectorised.observation,
        TERMINATED: vectorised.terminated,
        APPLIED: vectorised.applied,
        "achieved_goal": vectorised.achieved_goal,
        "desired_goal": vectorised.desired_goal,
        **{f"info_{identifier(key)}": function for key, function in vectorised.info.items()},
    }
    for name, function in functions.items():
        if function is None or (name not in definitions and name not in extra):
            continue
        origin = f"domain {domain.name!r} ({function.__module__})"
        needs: tuple[Raw | str, ...] = tuple(inspect.signature(function).parameters)
        for need in map(str, needs):
            try:
                split(need, known)
            except KeyError:
                known[need] = _raw_definition(need, env.unwrapped, origin)
        if name.startswith("info_") and name not in at_reset:
            needs, function = (*needs, StepValue("steps")), _zero_at_reset(function)
        observable = extra[name] if name in extra else definitions[name].observable
        known[name] = Definition(observable, needs, function, origin=origin)
    return known


def _zero_at_reset(function: Callable[..., Any]) -> Callable[..., Array]:
    """Of a key that a reset's `info` lacks."""

    def value(*arguments: Array) -> Array:
        *own, steps = arguments
        return np.where(steps == 0.0, 0.0, np.asarray(function(*own), np.float64).T).T

    return value


def _raw_definition(need: str, env: Any, origin: str) -> Definition:
    """An array of MjData, an orientation ("puck_geom_xmat"), or an attribute of the env."""
    raw: Raw | None = None
    array, key = getattr(env.data, need, None), need.replace("__", ".")
    value = reduce(lambda part, name: getattr(part, name, None), key.split("."), env)
    if isinstance(array, np.ndarray) and array.dtype == np.float64:
        raw = DataSlice(need, 0, array.size, array.shape)
    elif match := re.fullmatch(r"(\w+)_((geom|site)_xmat)", need):
        index = mujoco.mj_name2id(env.model, OBJECTS[match[3]], match[1])
        raw = element(match[2], index, 9) if index >= 0 else None
    elif isinstance(value, float | np.floating | np.ndarray) and np.asarray(value).dtype.kind == "f":
        raw = EnvAttribute(key, np.shape(value))
    if raw is None:
        raise BadInput(
            f"{origin}: {need!r} is neither an observable nor an array of numbers of MjData or of the env"
        )
    return Definition(Observable(need, raw.shape), (raw,))
