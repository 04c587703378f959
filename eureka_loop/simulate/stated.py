"""What a domain file states of its env, made ready for whole columns: observation, end, start, info."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.envs.domain import Domain, StartFunction, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.program.vocabulary import Observable
from eureka_loop.records import Array, Task
from eureka_loop.simulate.evaluation import split
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.quantities import FromInfo, Given, Quantity, Raw, Slice, as_is
from eureka_loop.simulate.recorder import raw_columns

KEPT_ARGUMENTS = frozenset({"max_episode_steps"})  # of gymnasium.make: those a domain's functions hold with
GIVEN = frozenset({"obs", "action", "terminated", "steps"})  # of what an env returns: known without it
OBSERVATION, TERMINATED = "~observation", "~terminated"

Columns = Mapping[Raw, Array]


@dataclass(frozen=True, slots=True)
class Stated:
    """
    Attributes:
        quantities: the env's, with those of `info` computed by the domain's functions.
        raws: what `observe` and `ended` look at.
        observe: columns of one moment → observations (N, D), of their own memory.
        ended: likewise → (N,) whether the env ends the episode.
        start: see `Vectorised`.
    """

    quantities: Mapping[str, Quantity]
    raws: tuple[Raw, ...]
    observe: Callable[[Columns], Array]
    ended: Callable[[Columns], npt.NDArray[np.bool_]]
    start: StartFunction

    @classmethod
    def of(cls, domain: Domain, vectorised: Vectorised, instruments: Instruments, data: Any) -> Stated:
        """
        Raises:
            BadInput: a function needs what isn't there.
        """
        quantities = _with_functions(instruments.quantities, domain, vectorised, data)
        observe = _momentary(OBSERVATION, quantities)
        own = [OBSERVATION]
        ended: Callable[[Columns], Any] = _never
        if vectorised.terminated is not None:
            own.append(TERMINATED)
            ended = _momentary(TERMINATED, quantities)
        return cls(
            quantities=quantities,
            raws=raw_columns(quantities, own),
            observe=lambda columns: np.array(observe(columns), np.float64),
            ended=lambda columns: np.asarray(ended(columns), np.bool_),
            start=vectorised.start,
        )

    @property
    def observation_size(self) -> int:
        return self.quantities[OBSERVATION].observable.shape[0]

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


def vectorised_of(task: Task, domain: Domain) -> Vectorised:
    """
    Raises:
        BadInput: nothing is stated, or not for an env with these settings.
    """
    if domain.vectorised is None:
        raise BadInput(f"no domain file states {task.env_id} as vectorised functions")
    if others := sorted(set(task.env_kwargs) - KEPT_ARGUMENTS):
        changed = ", ".join(others)
        raise BadInput(f"domain {domain.name!r} states the env with its own settings, not with {changed}")
    return domain.vectorised


def _with_functions(
    quantities: Mapping[str, Quantity], domain: Domain, vectorised: Vectorised, data: Any
) -> dict[str, Quantity]:
    """All of the env's quantities, and the functions as quantities; arrays of MjData that these name, too."""
    known = dict(quantities)
    seen = Observable(OBSERVATION, quantities["obs"].observable.shape)
    functions: list[tuple[Observable, Callable[..., Any]]] = [(seen, vectorised.observation)]
    if vectorised.terminated is not None:
        functions.append((Observable(TERMINATED, ()), vectorised.terminated))
    for key, function in vectorised.info.items():
        if (name := f"info_{identifier(key)}") in quantities:
            functions.append((quantities[name].observable, function))
    for observable, function in functions:
        origin = f"domain {domain.name!r} ({function.__module__})"
        needs = tuple(inspect.signature(function).parameters)
        for need in needs:
            _add_array(need, known, data, origin)
        known[observable.name] = Quantity(observable, needs, function, origin=origin)
    return known


def _add_array(need: str, known: dict[str, Quantity], data: Any, origin: str) -> None:
    try:
        split(need, known)
    except KeyError:
        array = getattr(data, need, None)
        if not isinstance(array, np.ndarray) or array.dtype != np.float64:
            raise BadInput(
                f"{origin}: {need!r} is neither an observable nor an array of numbers of MjData"
            ) from None
        raw = Slice(need, 0, array.size, array.shape)
        known[need] = Quantity(Observable(need, array.shape), (raw,), as_is)


def _momentary(name: str, quantities: Mapping[str, Quantity]) -> Callable[[Columns], Any]:
    """A quantity as a function of the columns of one moment.

    Raises:
        BadInput: it depends on the past, or on what MjData doesn't hold.
    """
    quantity = quantities.get(name)
    if quantity is None or quantity.memory != "none":
        raise BadInput(f"an observation or an episode's end can't depend on {name!r}, which has a memory")
    needs = quantity.needs
    parts = [_momentary(need, quantities) if isinstance(need, str) else _picked(need) for need in needs]
    function = quantity.function
    return lambda columns: function(*[part(columns) for part in parts])


def _picked(raw: Raw) -> Callable[[Columns], Any]:
    if not isinstance(raw, Slice):
        raise BadInput(f"an observation or an episode's end can't depend on {raw}, which MjData doesn't hold")
    return lambda columns: columns[raw]


def _never(columns: Columns) -> npt.NDArray[np.bool_]:
    return np.zeros(len(next(iter(columns.values()))), np.bool_)
