"""A program's weights: the keyword-only parameters of its entry point, and the numbers they default to."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import TypeGuard

from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.reward.parsing import entry

_CONSTANTS = {"np.pi": math.pi, "math.pi": math.pi, "math.tau": math.tau, "np.e": math.e, "math.e": math.e}
_POWER_LIMIT = 64


def with_weights(source: str, weights: Mapping[str, float]) -> str:
    """The same text with new defaults; what keeps its value keeps its spelling.

    Raises:
        Refused: the text can't be parsed.
        UnknownName: the program has no such weight.
        BadInput: no entry point, or a value that is not finite.
    """
    own = defaults(source)
    places: list[tuple[int, int, str]] = []
    lines = _line_starts(source)
    for name, value in weights.items():
        if name not in own:
            raise UnknownName("weight", name, own, f"the program's are: {', '.join(own) or 'none'}")
        if not math.isfinite(value):
            raise BadInput(f"weight {name!r} can't be {value}; it must be a finite number")
        node = own[name]
        if number(node) != float(value):
            places.append((*_span(node, lines), repr(float(value))))
    text = source.encode()
    for start, end, literal in sorted(places, reverse=True):
        text = text[:start] + literal.encode() + text[end:]
    return text.decode()


def number(node: ast.expr) -> float | None:
    """What a literal stands for: "0.5", "-1e-3", "2 * np.pi"; None for anything else."""
    match node:
        case ast.Constant(value=value) if _is_number(value):
            return _finite(value)
        case ast.Attribute(value=ast.Name()):
            return _CONSTANTS.get(ast.unparse(node))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = number(operand)
            return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
        case ast.BinOp():
            return _arithmetic(node)
    return None


def _arithmetic(node: ast.BinOp) -> float | None:
    left, right = number(node.left), number(node.right)
    if left is None or right is None:
        return None
    match node.op:
        case ast.Add():
            return _finite(left + right)
        case ast.Sub():
            return _finite(left - right)
        case ast.Mult():
            return _finite(left * right)
        case ast.Div() if right != 0:
            return _finite(left / right)
        case ast.Pow() if (
            left > 0 and abs(right) <= _POWER_LIMIT and abs(math.log(left) * right) < _POWER_LIMIT
        ):
            return _finite(left**right)
    return None


def _finite(value: float) -> float | None:
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer beyond 1e308
        return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def defaults(source: str) -> dict[str, ast.expr]:
    """Weight → its default, as written.

    Raises:
        Refused: the text can't be parsed.
        BadInput: no entry point.
    """
    arguments = entry(source).args
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: default for argument, default in pairs if default is not None}


def _line_starts(source: str) -> list[int]:
    """Byte offset of every line, split as Python's tokenizer splits (a form feed is no line's end)."""
    starts = [0]
    text = source.encode()
    for index, byte in enumerate(text):
        lone_return = byte == 0x0D and text[index + 1 : index + 2] != b"\n"
        if byte == 0x0A or lone_return:
            starts.append(index + 1)
    return starts


def _span(node: ast.expr, lines: list[int]) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset
