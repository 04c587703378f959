"""A domain's vectorised functions: its observation, termination and info as quantities like all others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from eureka_loop.envs.domain import Domain, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.program.vocabulary import Observable
from eureka_loop.records import Array
from eureka_loop.simulate.evaluation import split
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.quantities import Quantity, Raw, Slice, as_is

OBSERVATION, TERMINATED = "~observation", "~terminated"

Columns = Mapping[Raw, Array]


def with_functions(
    quantities: Mapping[str, Quantity], domain: Domain, vectorised: Vectorised, data: Any
) -> dict[str, Quantity]:
    """The env's quantities, those of `info` computed by the domain's functions, and `OBSERVATION` and
    `TERMINATED`. Parameters that are no quantity but an array of MjData become one.

    Raises:
        BadInput: a function needs something that doesn't exist.
    """
    functions: dict[str, tuple[Observable, Callable[..., Any]]] = {}
    for key, function in vectorised.info.items():
        name = f"info_{identifier(key)}"
        if name in quantities:
            functions[name] = quantities[name].observable, function
    seen = Observable(OBSERVATION, quantities["obs"].observable.shape)
    functions[OBSERVATION] = (seen, vectorised.observation)
    if vectorised.terminated is not None:
        functions[TERMINATED] = (Observable(TERMINATED, ()), vectorised.terminated)
    known = dict(quantities)
    for observable, function in functions.values():
        needs = tuple(inspect.signature(function).parameters)
        origin = f"domain {domain.name!r} ({function.__module__})"
        for need in needs:
            _add_array(need, known, data, origin)
        known[observable.name] = Quantity(observable, needs, function, origin=origin)
    return known


def momentary(name: str, quantities: Mapping[str, Quantity]) -> Callable[[Columns], Any]:
    """A quantity as a function of the columns of one moment.

    Raises:
        BadInput: it depends on the past, or on what MjData doesn't hold.
    """
    quantity = quantities.get(name)
    if quantity is None or quantity.memory != "none":
        raise BadInput(f"an observation or termination can't depend on {name!r}, which has a memory")
    needs = quantity.needs
    parts = [momentary(need, quantities) if isinstance(need, str) else _picked(need) for need in needs]
    function = quantity.function
    return lambda columns: function(*[part(columns) for part in parts])


def _picked(raw: Raw) -> Callable[[Columns], Any]:
    if not isinstance(raw, Slice):
        raise BadInput(f"an observation or termination can't depend on {raw}, which MjData doesn't hold")
    return lambda columns: columns[raw]


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
