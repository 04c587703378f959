"""How an observable is computed: raw columns copied at every step, and functions of them over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import BadInput
from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import PREFIXES, Observable

Shape = tuple[int, ...]
Indices = npt.NDArray[np.intp]
Accumulate = Callable[[Array, Indices, Array], Array]
"""Rows of the function (R, ...), indices of rows with a known value, these values → values (R, ...)."""


@dataclass(frozen=True, slots=True)
class DataSlice:
    """Entries [start, stop) of one of MjData's arrays, flattened."""

    field: str
    start: int
    stop: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class StepValue:
    """A value that the env's reset or step takes or returns.

    `key`: "obs", "action", "reward", "terminated", "steps" (since the reset), "achieved_goal",
    "desired_goal", or "contacts" (the `Contacts` that sums are computed from).
    """

    key: str
    shape: Shape = ()


CONTACTS = StepValue("contacts")


@dataclass(frozen=True, slots=True)
class InfoValue:
    """A number, or an array of fixed shape, of the env's `info`; 0 where a step or a reset lacks it."""

    key: str
    shape: Shape = ()


@dataclass(frozen=True, slots=True)
class ContactSum:
    """A sum over the contacts at the step's end that carry force.

    `what`: "net" force (3,) on the body, "ground" the part of it from static geoms, "touch" () the number of
    contacts with static geoms. `body` is the model's index; 0 with "touch" means any body.
    """

    what: Literal["net", "ground", "touch"]
    body: int

    @property
    def shape(self) -> Shape:
        return () if self.what == "touch" else (3,)


@dataclass(frozen=True, slots=True)
class EnvAttribute:
    """A number or an array that a reset sets on the env and that stays the same for the episode."""

    key: str
    shape: Shape = ()


Raw = DataSlice | StepValue | InfoValue | ContactSum | EnvAttribute


def as_is(column: Array) -> Array:
    """The function of an observable that is a raw column."""
    return column


@dataclass(frozen=True, slots=True)
class Definition:
    """An observable and how its column is computed.

    Attributes:
        needs: raw columns and names of other observables (`prev_` and `init_` too): the function's arguments.
        function: arrays (R, ...) in, (R, *shape) out, row by row.
        accumulate: for what adds up over an episode: turns the function's rows into values. At a reset the
            value is 0.
        origin: the domain file that an error names; "" for an automatic observable.
    """

    observable: Observable
    needs: tuple[Raw | str, ...]
    function: Callable[..., Any] = as_is
    accumulate: Accumulate | None = None
    origin: str = ""

    @property
    def name(self) -> str:
        return self.observable.name

    def compute(self, arguments: Iterable[Array], rows: int) -> Array:
        """The function's result (rows, *shape), in its own memory.

        Raises:
            BadInput: it has another shape.
        """
        arguments = tuple(arguments)
        for argument in arguments:
            argument.flags.writeable = False  # a function that writes into one would change other observables
        values = np.array(self.function(*arguments), np.float64)
        if values.shape != (rows, *self.observable.shape):
            raise BadInput(
                f"{self.origin}: observable {self.name!r} returned shape {values.shape} for N = {rows} rows, "
                f"but its declaration says {self.observable.shape_text}; correct one of the two"
            )
        return values


Definitions = Mapping[str, Definition]


def automatic(
    name: str,
    unit: str,
    description: str,
    *needs: Raw | str,
    shape: Shape = (),
    frame: str = "world",
    group: str = "state",
    function: Callable[..., Any] = as_is,
    accumulate: Accumulate | None = None,
    hidden: bool = False,
) -> Definition:
    """An observable of every env; a raw column as it is has that column's shape."""
    if function is as_is and not isinstance(needs[0], str):
        shape = needs[0].shape
    observable = Observable(name, shape, unit, frame, description, group, hidden=hidden)
    return Definition(observable, needs, function, accumulate)


def element(field: str, index: int, width: int, shape: Shape | None = None) -> DataSlice:
    """Row `index` of an array of MjData with `width` numbers a row."""
    return DataSlice(field, index * width, (index + 1) * width, (width,) if shape is None else shape)


def split(parameter: str, definitions: Definitions) -> tuple[str, str]:
    """A parameter as prefix ("", "prev_" or "init_") and name; an exact name wins.

    Raises:
        KeyError: no such observable.
    """
    if parameter in definitions:
        return "", parameter
    for prefix in PREFIXES:
        if parameter.startswith(prefix) and parameter.removeprefix(prefix) in definitions:
            return prefix, parameter.removeprefix(prefix)
    raise KeyError(parameter)


def raw_needs(definitions: Definitions, names: Iterable[Raw | str]) -> tuple[Raw, ...]:
    """The raw columns that parameters are computed from, each once."""

    def walk(need: Raw | str) -> Iterator[Raw]:
        if not isinstance(need, str):
            yield need
        elif (base := split(need, definitions)[1]) not in seen:
            seen.add(base)
            for part in definitions[base].needs:
                yield from walk(part)

    seen: set[str] = set()
    return tuple(dict.fromkeys(raw for name in names for raw in walk(name)))


def running_sum(added: Array, starts: Indices, known: Array) -> Array:
    """(R, ...) sums of `added` from each start on, where the value is `known`. An `Accumulate`.

    Summed start by start: differences of one long cumulative sum would lose digits.
    """
    total = np.array(added)
    total[starts] = known
    for begin, end in pairwise([*starts.tolist(), len(total)]):
        np.cumsum(total[begin:end], axis=0, out=total[begin:end])
    return total


def time_since(dt: float) -> Accumulate:
    """Seconds since the function was last above 0, or since the episode's start; counted in whole steps."""

    def accumulate(event: Array, starts: Indices, known: Array) -> Array:
        steps = np.zeros(len(event))
        steps[starts] = np.rint(known / dt)
        zero = event > 0.0
        zero[starts] = True
        rows = np.arange(len(event))
        last = np.maximum.accumulate(np.where(zero, rows, 0))
        return np.asarray((rows - last + steps[last]) * dt)

    return accumulate
