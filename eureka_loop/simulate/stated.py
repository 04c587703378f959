"""What a domain file states of its env, made ready for whole columns: observation, end, start, info."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import gymnasium
import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.envs.domain import Domain, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.evaluation import split
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.observation import is_goal
from eureka_loop.simulate.quantities import (
    FromContacts,
    FromInfo,
    Given,
    Noted,
    Quantity,
    Raw,
    Slice,
    as_is,
    slice_of,
)
from eureka_loop.simulate.recorder import raw_columns

KEPT_ARGUMENTS = frozenset({"max_episode_steps"})  # of gymnasium.make: those a domain's functions hold with
GIVEN = frozenset({"obs", "action", "terminated", "steps"})  # of what an env returns: known without it
OBSERVATION, TERMINATED, APPLIED = "~observation", "~terminated", "~applied"


@dataclass(frozen=True, slots=True)
class Before:
    """A raw column as it was before the step."""

    raw: Raw


Columns = Mapping[Raw | Before, Array]
Momentary = Callable[[Columns], Any]
"""A quantity as a function of the columns of one moment."""


@dataclass(frozen=True, slots=True)
class Stated:
    """
    Attributes:
        quantities: the env's, with goals and those of `info` computed by the domain's functions.
        raws: what the functions look at.
        remembered: what `observe` looks at as it was `Before` the step.
        acted_on: what `applied` looks at.
        observe: columns of one moment → what a policy sees (N, D), of its own memory: of a goal env all parts
            side by side, as SB3 joins them.
        own: where in that `obs` is.
        ended: likewise → (N,) whether the env ends the episode.
        applied: columns before a step, and actions (N, A) → arrays to write into MjData, `ctrl` among them.
        vectorised: what it is made of.
    """

    quantities: Mapping[str, Quantity]
    raws: tuple[Raw, ...]
    remembered: tuple[Raw, ...]
    acted_on: tuple[Raw, ...]
    observe: Callable[[Columns], Array]
    own: slice
    ended: Callable[[Columns], npt.NDArray[np.bool_]]
    applied: Callable[[Columns, Array], dict[str, Array]] | None
    vectorised: Vectorised

    @classmethod
    def of(
        cls,
        domain: Domain,
        vectorised: Vectorised,
        instruments: Instruments,
        env: gymnasium.Env[Any, Any],
    ) -> Stated:
        """
        Raises:
            BadInput: a function needs what isn't there.
        """
        quantities = _with_functions(instruments.quantities, domain, vectorised, env)
        parts = _parts(env.observation_space)
        functions = [name for name in (OBSERVATION, TERMINATED, APPLIED) if name in quantities]
        sizes = [quantities[part].observable.shape[0] for part in parts]
        before = sum(sizes[: parts.index(OBSERVATION)])
        past = [need for need in quantities[OBSERVATION].needs if str(need) not in quantities]
        return cls(
            quantities=quantities,
            raws=raw_columns(quantities, [*functions, *parts]),
            remembered=raw_columns(quantities, [need for need in past if isinstance(need, str)]),
            acted_on=_besides_action(quantities) if APPLIED in quantities else (),
            observe=_joined([_momentary(part, quantities, looks_back=True) for part in parts]),
            own=slice(before, before + sizes[parts.index(OBSERVATION)]),
            ended=_momentary(TERMINATED, quantities) if TERMINATED in quantities else _never,
            applied=_applied(quantities) if APPLIED in quantities else None,
            vectorised=vectorised,
        )

    def recorded(self, names: Iterable[str]) -> tuple[Raw, ...]:
        """The raw columns that parameters come down to.

        Raises:
            BadInput: only the env's own Python knows one.
        """
        names = tuple(names)
        for name in names:
            for raw in raw_columns(self.quantities, [name]):
                if isinstance(raw, FromInfo) or (isinstance(raw, Given) and raw.key not in GIVEN):
                    raise BadInput(f"only the env itself knows {name!r}")
        return raw_columns(self.quantities, names)

    def moving(self, names: Iterable[str]) -> list[Raw]:
        """What physics has to give, for these parameters and the functions.

        Raises: as `recorded`.
        """
        needed = dict.fromkeys([*self.recorded(names), *self.raws])
        return [raw for raw in needed if isinstance(raw, Slice | FromContacts)]


def vectorised_of(task: Task, domain: Domain) -> Vectorised:
    """
    Raises:
        BadInput: nothing is stated, or not for an env with these settings.
    """
    stated = domain.vectorised
    vectorised = stated(task) if callable(stated) else stated
    if vectorised is None:
        raise BadInput(domain.unserved or f"no domain file states {task.env_id} as vectorised functions")
    if others := sorted(set(task.env_kwargs) - KEPT_ARGUMENTS - vectorised.settings):
        changed = ", ".join(others)
        raise BadInput(f"domain {domain.name!r} states the env with its own settings, not with {changed}")
    return vectorised


def _with_functions(
    quantities: Mapping[str, Quantity], domain: Domain, vectorised: Vectorised, env: gymnasium.Env[Any, Any]
) -> dict[str, Quantity]:
    """All of the env's quantities, and the functions as quantities, with arrays and attributes they name."""
    known, inner = dict(quantities), env.unwrapped
    at_reset = {f"info_{identifier(key)}" for key in env.reset(seed=0)[1]}
    for observable, function in _functions(quantities, vectorised):
        origin = f"domain {domain.name!r} ({function.__module__})"
        needs: tuple[Raw | str, ...] = tuple(inspect.signature(function).parameters)
        for need in needs:
            _add_array(str(need), known, inner, origin)
        if observable.group == "info" and observable.name not in at_reset:
            needs, function = (*needs, Given("steps")), _after_a_step(function)
        known[observable.name] = Quantity(observable, needs, function, origin=origin)
    return known


def _functions(
    quantities: Mapping[str, Quantity], vectorised: Vectorised
) -> Iterator[tuple[Observable, Callable[..., Any]]]:
    """What a domain states, each with what it stands for."""
    yield Observable(OBSERVATION, quantities["obs"].observable.shape), vectorised.observation
    if vectorised.terminated is not None:
        yield Observable(TERMINATED, ()), vectorised.terminated
    if vectorised.applied is not None:
        yield Observable(APPLIED, ()), vectorised.applied
    named = {f"info_{identifier(key)}": function for key, function in vectorised.info.items()}
    goals = {"achieved_goal": vectorised.achieved_goal, "desired_goal": vectorised.desired_goal}
    for name, function in {**goals, **named}.items():
        if name in quantities and function is not None:
            yield quantities[name].observable, function


def _after_a_step(function: Callable[..., Any]) -> Callable[..., Array]:
    """0 at a reset, whose `info` lacks this."""

    def value(*arguments: Array) -> Array:
        *own, steps = arguments
        result = np.array(function(*own), np.float64)
        result[steps == 0.0] = 0.0
        return result

    return value


def _add_array(need: str, known: dict[str, Quantity], inner: Any, origin: str) -> None:
    try:
        split(need, known)
        return
    except KeyError:
        pass
    raw = _array(need, inner.data) or _element(need, inner.model) or _noted(need, inner)
    if raw is None:
        raise BadInput(
            f"{origin}: {need!r} is neither an observable nor an array of numbers of MjData or of the env"
        )
    known[need] = Quantity(Observable(need, raw.shape), (raw,), as_is)


def _array(need: str, data: Any) -> Raw | None:
    array = getattr(data, need, None)
    if not isinstance(array, np.ndarray) or array.dtype != np.float64:
        return None
    return Slice(need, 0, array.size, array.shape)


def _element(need: str, model: Any) -> Raw | None:
    """The orientation of a geom or site, "puck_geom_xmat": its part of "geom_xmat"."""
    for kind, field in ((mujoco.mjtObj.mjOBJ_GEOM, "geom_xmat"), (mujoco.mjtObj.mjOBJ_SITE, "site_xmat")):
        for index in range(model.ngeom if field == "geom_xmat" else model.nsite):
            if need == f"{identifier(mujoco.mj_id2name(model, kind, index) or '')}_{field}":
                return slice_of(field, index, 9)
    return None


def _noted(need: str, inner: Any) -> Raw | None:
    key = need.replace("__", ".")
    try:
        kept = attrgetter(key)(inner)
    except AttributeError:
        return None
    number = isinstance(kept, float | np.floating | np.ndarray) and np.asarray(kept).dtype.kind == "f"
    return Noted(key, np.shape(kept)) if number else None


def _parts(space: gymnasium.Space[Any]) -> list[str]:
    """The quantities that a policy sees side by side."""
    if not is_goal(space):
        return [OBSERVATION]
    assert isinstance(space, gymnasium.spaces.Dict)
    return [OBSERVATION if key == "observation" else key for key in space.spaces]


def _joined(parts: Sequence[Momentary]) -> Callable[[Columns], Array]:
    if len(parts) == 1:
        return lambda columns: np.array(parts[0](columns), np.float64)
    return lambda columns: np.concatenate([part(columns) for part in parts], axis=1)


def _applied(quantities: Mapping[str, Quantity]) -> Callable[[Columns, Array], dict[str, Array]]:
    function, (action,) = _momentary(APPLIED, quantities, acts=True), raw_columns(quantities, ["action"])
    return lambda columns, actions: dict(function({**columns, action: actions}))


def _besides_action(quantities: Mapping[str, Quantity]) -> tuple[Raw, ...]:
    return tuple(raw for raw in raw_columns(quantities, [APPLIED]) if not isinstance(raw, Given))


def _momentary(
    name: str,
    quantities: Mapping[str, Quantity],
    *,
    looks_back: bool = False,
    past: bool = False,
    acts: bool = False,
) -> Momentary:
    """
    Args:
        looks_back: it may need `prev_` of something.
        past: what it needs is from before the step.
        acts: it may need the action.

    Raises:
        BadInput: it depends on the past, or on what MjData doesn't hold.
    """
    quantity = quantities.get(name)
    if quantity is None and looks_back and name.startswith("prev_"):
        return _momentary(name.removeprefix("prev_"), quantities, past=True)
    if quantity is None or quantity.memory != "none":
        raise BadInput(f"an observation or an episode's end can't depend on {name!r}, which has a memory")
    options = {"looks_back": looks_back, "past": past, "acts": acts}
    parts = [
        _momentary(need, quantities, **options) if isinstance(need, str) else _picked(need, past, acts)
        for need in quantity.needs
    ]
    function = quantity.function
    return lambda columns: function(*[part(columns) for part in parts])


def _picked(raw: Raw, past: bool, acts: bool) -> Momentary:
    action = acts and isinstance(raw, Given) and raw.key == "action"
    if not isinstance(raw, Slice | Noted) and not action:
        raise BadInput(f"an observation or an episode's end can't depend on {raw}, which MjData doesn't hold")
    key = Before(raw) if past else raw
    return lambda columns: columns[key]


def _never(columns: Columns) -> npt.NDArray[np.bool_]:
    return np.zeros(len(next(iter(columns.values()))), np.bool_)
