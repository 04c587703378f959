"""A program's weights: the keyword-only parameters of its entry point, and the numbers they default to."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from eureka_loop.errors import BadInput
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.parsing import parse

_CONSTANTS = {"np.pi": math.pi, "math.pi": math.pi, "math.tau": math.tau, "np.e": math.e, "math.e": math.e}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,  # of floats: bounded, where `**` of integers is not
}


def defaults(source: str) -> dict[str, ast.expr]:
    """Weight to its default, as written.

    Raises:
        Refused: the text can't be parsed.
        BadInput: there is no entry point.
    """
    functions = {node.name: node for node in parse(source).body if isinstance(node, ast.FunctionDef)}
    entry = next((functions[name] for name in ENTRY_POINTS.values() if name in functions), None)
    if entry is None:
        raise BadInput(f"the program defines none of {', '.join(ENTRY_POINTS.values())}")
    arguments = entry.args
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: default for argument, default in pairs if default is not None}


def number(node: ast.expr) -> float | None:
    """The finite number that an expression of literals stands for (`0.5`, `-1e-3`, `2 * np.pi`), or None."""
    try:
        value = _value(node)
    except (ArithmeticError, ValueError):
        return None
    return value if value is not None and math.isfinite(value) else None


def _value(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Attribute(value=ast.Name()):
            return _CONSTANTS.get(ast.unparse(node))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = _value(operand)
            return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            left, right = _value(node.left), _value(node.right)
            return None if left is None or right is None else _OPERATORS[type(op)](left, right)
    return None
