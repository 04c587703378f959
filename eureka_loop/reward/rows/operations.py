"""What operators and attributes give."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence

from eureka_loop.reward.rows.broadcasting import broadcast
from eureka_loop.reward.rows.values import (
    NUMBER,
    UNKNOWN,
    Count,
    Derived,
    Fixed,
    Items,
    Number,
    Rows,
    Shape,
    Value,
    each,
    has_rows,
    join,
)

_MAX_FOLDED = 1e12
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda base, exponent: base**exponent if base > 0 and exponent < 20 else float("nan"),
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def arithmetic(op: ast.operator, left: Number, right: Number) -> Number:
    """Of two numbers; with its value where both are known and small."""
    function = _ARITHMETIC.get(type(op))
    if function is None or left.value is None or right.value is None:
        return NUMBER
    if max(abs(left.value), abs(right.value)) > _MAX_FOLDED:
        return NUMBER
    try:
        value = function(left.value, right.value)
    except (ZeroDivisionError, OverflowError):
        return NUMBER
    return Number(value) if abs(value) <= _MAX_FOLDED else NUMBER  # not a NaN either


def comparison(op: ast.cmpop, left: Number, right: Number) -> Number:
    """Of two numbers."""
    function = _COMPARISONS.get(type(op))
    known = function is not None and left.value is not None and right.value is not None
    return Number(function(left.value, right.value)) if known and function else NUMBER  # type: ignore[arg-type]


def negative(value: Value) -> Value:
    if isinstance(value, Number):
        return Number(-value.value) if value.value is not None else value
    return broadcast((value,)) or UNKNOWN


def opposite(value: Value) -> Value:
    """`not value`"""
    if isinstance(value, Number):
        return Number(not value.value) if value.value is not None else value
    return value if has_rows(value) else UNKNOWN


def both(values: Sequence[Value]) -> Value:
    """`and`, `or`, a chain: whether rows take part is all that matters."""
    if any(has_rows(value) for value in values):
        result = broadcast(values)
        return result if result is not None and has_rows(result) else Derived()
    return NUMBER if all(isinstance(value, Number | Count) for value in values) else UNKNOWN


def listed_operation(left: Items, right: Items | Number) -> Value:
    """`[a] + [b]`, `[a] * 3`"""
    if isinstance(right, Number):
        return Items(None, each(left))
    if left.items is not None and right.items is not None:
        return Items(left.items + right.items)
    return Items(None, join(each(left), each(right)))


def attribute(value: Value, name: str) -> Value:
    """`value.shape`, `.ndim`, `.T` …"""
    match name, value:
        case "T", Rows(shape=()) | Number():
            return value
        case "T", Rows() | Derived():
            return Derived()
        case "T", Fixed(shape=shape):
            return Fixed(shape[::-1] if shape is not None else None)
        case "shape", Rows(shape=shape) if shape is not None:
            return Items((Count(), *_numbers(shape)))
        case "shape", Fixed(shape=shape) if shape is not None:
            return Items(tuple(_numbers(shape)))
        case "ndim", Rows(shape=shape) if shape is not None:
            return Number(len(shape) + 1)
        case "ndim" | "size", _:
            return NUMBER
    return UNKNOWN


def _numbers(shape: Shape) -> list[Number]:
    return [Number(dim) for dim in shape]
