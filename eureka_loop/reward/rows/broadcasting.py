"""What an elementwise operation does to the shapes of its operands, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from eureka_loop.reward.rows.values import (
    NUMBER,
    UNKNOWN,
    Derived,
    Fixed,
    Rows,
    Shape,
    Unknown,
    Value,
    as_array,
    has_rows,
    own,
)

_Full = tuple["int | Literal['N'] | None", ...]
BATCH: Literal["N"] = "N"


def broadcast(values: Sequence[Value]) -> Value | None:
    """What an elementwise operation gives; None where the shapes can't go together row by row."""
    parts = [as_array(value) for value in values]
    rowful = any(has_rows(part) for part in parts)
    if any(isinstance(part, Unknown | Derived) for part in parts):
        return Derived() if rowful else UNKNOWN
    arrays = [part for part in parts if isinstance(part, Rows | Fixed)]
    if not arrays:
        return NUMBER
    if len(arrays) == 1:
        return own(arrays[0])
    if any(array.shape is None for array in arrays):
        return Derived() if rowful else Fixed()
    return _broadcast(arrays)


def _broadcast(arrays: Sequence[Rows | Fixed]) -> Value | None:
    result: _Full | None = ()
    for array in arrays:
        if result is not None:
            result = _wider(result, _full(array))
    if result is None or result.count(BATCH) > 1:
        return None  # (N,) with (N, 1) is (N, N): every row meets every other
    if BATCH not in result:
        return Fixed(_dims(result))
    return Rows(_dims(result[1:])) if result[0] == BATCH else Derived()


def _full(array: Rows | Fixed) -> _Full:
    shape = array.shape or ()
    return (BATCH, *shape) if isinstance(array, Rows) else shape


def _dims(full: _Full) -> Shape:
    return tuple(dim if isinstance(dim, int) else None for dim in full)


def _wider(one: _Full, other: _Full) -> _Full | None:
    """Numpy's broadcasting, with N taken for a number that equals no other."""
    length = max(len(one), len(other))
    pairs = zip((1,) * (length - len(one)) + one, (1,) * (length - len(other)) + other, strict=True)
    result: list[int | Literal["N"] | None] = []
    for a, b in pairs:
        if a == 1 or b == 1 or a == b:
            result.append(b if a == 1 else a)
        elif a is None or b is None:
            result.append(a if b is None else b)
        else:
            return None
    return tuple(result)
