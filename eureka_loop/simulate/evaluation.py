"""Quantities over all rows of all timelines at once: each needed one computed one time, in order of need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import BadInput
from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.simulate.memory import Indices, count_since, running_sum
from eureka_loop.simulate.quantities import Quantity, Raw
from eureka_loop.simulate.timeline import RESET, Timeline


@dataclass(frozen=True, slots=True)
class Rows:
    """The timelines of all envs, one after the other; R rows, resets and carried ones included.

    Attributes:
        raw: raw columns (R, ...).
        flags: (R,), see `timeline`.
        env_index: (R,).
        previous: (R,) index of the row before; a reset row's own.
        first: (R,) index of the episode's reset row.
        carried: indices of rows that the last take computed already.
        starts: indices of reset rows and carried rows, rising.
        kept: for every timeline with rows, indices of the two that the next take carries.
    """

    raw: Mapping[Raw, Array]
    flags: npt.NDArray[np.uint8]
    env_index: Indices
    previous: Indices
    first: Indices
    carried: Indices
    starts: Indices
    kept: Indices

    @classmethod
    def of(cls, timelines: Sequence[Timeline]) -> Rows:
        tables = [line.table() for line in timelines]
        return cls.joined(
            {key: np.concatenate([table[key] for table in tables]) for key in tables[0]},
            np.concatenate([line.flags[: line.length] for line in timelines]),
            [line.length for line in timelines],
            [line.carried for line in timelines],
        )

    @classmethod
    def joined(
        cls,
        raw: Mapping[Raw, Array],
        flags: npt.NDArray[np.uint8],
        lengths: Sequence[int],
        carried_rows: Sequence[int],
    ) -> Rows:
        """From all timelines' rows in one piece; then, per timeline, how many it has, how many carried."""
        offsets = np.cumsum([0, *lengths[:-1]])
        rows = np.arange(len(flags))
        carried = [at + row for at, count in zip(offsets, carried_rows, strict=True) for row in range(count)]
        resets = flags == RESET
        origin = resets.copy()
        origin[carried[::2]] = True  # the first of each pair is the episode's reset row
        first = np.maximum.accumulate(np.where(origin, rows, 0))
        fresh = origin.copy()
        fresh[carried] = True
        ends = [at + n - 1 for at, n in zip(offsets, lengths, strict=True) if n]
        return cls(
            raw=raw,
            flags=flags,
            env_index=np.repeat(np.arange(len(lengths)), lengths),
            previous=np.where(fresh, rows, rows - 1),
            first=first,
            carried=np.array(carried, np.intp),
            starts=np.flatnonzero(fresh),
            kept=np.array([row for end in ends for row in (first[end], end)], np.intp),
        )


class Evaluation:
    """Columns of one set of rows.

    Args:
        saved: values of the carried rows as the last take computed them: what they were computed from
            (their own `prev_`, a tracker's past) is gone.
    """

    def __init__(self, quantities: Mapping[str, Quantity], rows: Rows, saved: Mapping[str, Array]) -> None:
        self._quantities, self._rows, self._saved = quantities, rows, saved
        self.computed: dict[str, Array] = {}

    def column(self, need: Raw | str) -> Array:
        """(R, *shape) of a raw column, a quantity, or `prev_`/`init_` of one."""
        if not isinstance(need, str):
            return self._rows.raw[need]
        if need in self._quantities:
            if need not in self.computed:
                self.computed[need] = self._compute(self._quantities[need])
            return self.computed[need]
        prefix, base = split(need, self._quantities)
        rows = self._rows.previous if prefix == "prev_" else self._rows.first
        return self.column(base)[rows]

    def _compute(self, quantity: Quantity) -> Array:
        arguments = [self.column(need) for need in quantity.needs]
        return self._remember(quantity, applied(quantity, arguments, len(self._rows.flags)))

    def _remember(self, quantity: Quantity, values: Array) -> Array:
        rows = self._rows
        known = self._saved.get(quantity.name)
        if quantity.memory != "none":
            at_starts = np.zeros((len(values), *values.shape[1:]))
            if known is not None:
                at_starts[rows.carried] = known
            if quantity.memory == "sum":
                return running_sum(values, rows.starts, at_starts[rows.starts])
            return count_since(values > 0.0, rows.starts, at_starts[rows.starts])
        if known is not None:
            values[rows.carried] = known
        return values


def applied(quantity: Quantity, arguments: Sequence[Array], rows: int) -> Array:
    """(rows, *shape) that a quantity's function gives, of its own memory.

    Raises:
        BadInput: it returns something else.
    """
    for argument in arguments:
        argument.flags.writeable = False  # a domain's function that writes into one would change the others
    values = np.array(quantity.function(*arguments), np.float64)
    wanted = (rows, *quantity.observable.shape)
    if values.shape != wanted:
        raise BadInput(
            f"{quantity.origin}: observable {quantity.name!r} returned shape {values.shape} for "
            f"N = {rows} rows, but its declaration says {quantity.observable.shape_text}; "
            "correct one of the two"
        )
    return values


def split(parameter: str, quantities: Mapping[str, Quantity]) -> tuple[str, str]:
    """A parameter as prefix ("", "prev_" or "init_") and name; an exact name wins.

    Raises:
        KeyError: no such quantity.
    """
    if parameter in quantities:
        return "", parameter
    for prefix in PREFIXES:
        if parameter.startswith(prefix) and parameter.removeprefix(prefix) in quantities:
            return prefix, parameter.removeprefix(prefix)
    raise KeyError(parameter)
