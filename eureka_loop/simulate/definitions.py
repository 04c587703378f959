"""How an observable is computed: raw columns copied at every step, and functions of them over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import BadInput
from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import PREFIXES, Observable

Indices = npt.NDArray[np.intp]
Accumulate = Callable[[Array, Indices], Array]
"""Rows (R, ...), right at the given indices and else the function's → values (R, ...)."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw column, copied at every reset and step.

    Attributes:
        key: with `source` "data": an array of MjData, flattened, read from entry `index` on. "step": what the
            env's reset or step takes or returns: "obs", "action", "reward", "terminated", "steps" (since the
            reset), a goal, or `CONTACTS`. "info": a key of the env's `info`; 0 where a step or a reset lacks
            it. "env": an attribute of the env that a reset sets and that stays the same for the episode.
            "contacts": a sum over the contacts of body `index` (0: of any) that carry force at the step's
            end: "net" force, "ground" the part of it from static geoms, "touch" the number of these.
        shape: of one row.
    """

    source: Literal["data", "step", "info", "env", "contacts"]
    key: Any
    shape: tuple[int, ...] = ()
    index: int = 0


STEPS = Raw("step", "steps")
CONTACTS = Raw("step", "contacts")  # of `read_contacts`, which the sums are computed from


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

    def compute(self, arguments: Sequence[Array], rows: int) -> Array:
        """The function's result (rows, *shape).

        Raises:
            BadInput: it has another shape.
        """
        for argument in arguments:
            argument.flags.writeable = False  # a function that writes into one would change other observables
        values = np.asarray(self.function(*arguments), np.float64)
        if values.shape != (rows, *self.observable.shape):
            raise BadInput(
                f"{self.origin}: observable {self.name!r} returned shape {values.shape} for N = {rows} rows, "
                f"but its declaration says {self.observable.shape_text}; correct one of the two"
            )
        return values


Definitions = Mapping[str, Definition]


class Columns:
    """Columns computed on demand, each once: of many envs at one moment.

    Args:
        known: raw columns and observables, (N, *shape).
        before: the moment before the step, for `prev_`.
    """

    def __init__(self, definitions: Definitions, known: Any, before: Columns | None = None) -> None:
        self._definitions, self._known, self._before = definitions, dict(known), before

    def __getitem__(self, need: Raw | str) -> Any:
        """A raw column, an observable, or `prev_`/`init_` of one."""
        if need not in self._known:
            if isinstance(need, Raw):
                raise BadInput(f"the env as functions can't depend on {need}, which MjData doesn't hold")
            self._known[need] = self._column(need)
        return self._known[need]

    def _column(self, name: str) -> Any:
        prefix, base = split(name, self._definitions)
        definition = self._definitions[base]
        if definition.accumulate or prefix == "init_":
            raise BadInput(f"the env as functions can't depend on {name!r}, which has a memory")
        if prefix:
            assert self._before is not None
            return self._before[base]
        return definition.function(*[self[need] for need in definition.needs])


def defined(
    name: str,
    unit: str,
    description: str,
    *needs: Raw | str,
    function: Callable[..., Any] = as_is,
    accumulate: Accumulate | None = None,
    origin: str = "",
    **facts: Any,
) -> Definition:
    """A definition with its `Observable`, which takes `facts`; a raw column as it is has its own shape."""
    if function is as_is and isinstance(needs[0], Raw):
        facts["shape"] = needs[0].shape
    facts = {"shape": (), "frame": "world", "group": "state", **facts}
    observable = Observable(name, unit=unit, description=description, **facts)
    return Definition(observable, needs, function, accumulate, origin)


def element(field: str, index: int, *shape: int) -> Raw:
    """Row `index` of an array of MjData whose rows have this shape."""
    return Raw("data", field, shape, index * int(np.prod(shape)))


def view(data: Any, raw: Raw) -> Array:
    """A raw column of MjData, in MuJoCo's own memory."""
    part = slice(raw.index, raw.index + int(np.prod(raw.shape)))
    return np.asarray(getattr(data, raw.key).reshape(-1)[part].reshape(raw.shape))


def split(parameter: str, definitions: Definitions) -> tuple[str, str]:
    """A parameter as prefix ("", "prev_" or "init_") and name; an exact name wins.

    Raises:
        KeyError: no such observable.
    """
    for prefix in ("", *PREFIXES):
        if parameter.startswith(prefix) and parameter.removeprefix(prefix) in definitions:
            return prefix, parameter.removeprefix(prefix)
    raise KeyError(parameter)


def raw_needs(definitions: Definitions, names: Iterable[Raw | str]) -> tuple[Raw, ...]:
    """The raw columns that parameters are computed from, each once."""

    def walk(need: Raw | str) -> Iterator[Raw]:
        if isinstance(need, Raw):
            yield need
        elif (base := split(need, definitions)[1]) not in seen:
            seen.add(base)
            for part in definitions[base].needs:
                yield from walk(part)

    seen: set[str] = set()
    return tuple(dict.fromkeys(raw for name in names for raw in walk(name)))


def running_sum(rows: Array, starts: Indices) -> Array:
    """Sums from each start on, start by start: differences of one long sum would lose digits."""
    for begin, end in pairwise([*starts.tolist(), len(rows)]):
        np.cumsum(rows[begin:end], axis=0, out=rows[begin:end])
    return rows


def sum_of_stretch(rows: Array, starts: Indices) -> Array:
    """As `running_sum`, which begins again after every row that is not a number; such a row has 0."""
    broken = np.asarray(np.isnan(rows).reshape(len(rows), -1).any(axis=1))
    rows[broken] = 0.0
    ends = np.flatnonzero(broken & ~np.append(broken[1:], False))  # few, where most rows are none
    sums = running_sum(rows, np.union1d(starts, ends))
    sums[broken] = 0.0
    return sums


def time_since(dt: float) -> Accumulate:
    """Seconds since the function was last above 0, or since the episode's start; counted in whole steps."""

    def accumulate(rows: Array, starts: Indices) -> Array:
        steps = np.zeros(len(rows))
        steps[starts] = np.rint(rows[starts] / dt)
        zero = rows > 0.0
        zero[starts] = True
        places = np.arange(len(rows))
        last = np.maximum.accumulate(np.where(zero, places, 0))
        return np.asarray((places - last + steps[last]) * dt)

    return accumulate
