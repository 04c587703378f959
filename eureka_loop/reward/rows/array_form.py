"""Conditions as arrays need them: `a > 0 and b > 0` → `(a > 0) & (b > 0)`."""

from __future__ import annotations

import ast

from eureka_loop.reward.problems import code

LIMIT = 160  # replacement code is worth more than brevity


def array_form(condition: ast.expr) -> str:
    """The condition's text with `and`, `or`, `not` and chained comparisons written for arrays."""
    match condition:
        case ast.BoolOp(op=op, values=parts):
            return f" {'&' if isinstance(op, ast.And) else '|'} ".join(_operand(part) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"~{_operand(operand)}" if _is_mask(operand) else f"np.logical_not({array_form(operand)})"
        case ast.Compare(left=first, ops=[_, _, *_] as ops, comparators=others):
            sides = [first, *others]
            pairs = [ast.Compare(sides[i], [op], [sides[i + 1]]) for i, op in enumerate(ops)]
            return " & ".join(f"({code(pair, LIMIT)})" for pair in pairs)
    return code(condition, LIMIT)


def where_form(condition: ast.expr, then: str, otherwise: str) -> str:
    return f"np.where({array_form(condition)}, {then}, {otherwise})"


def _is_mask(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare | ast.BoolOp)


def _operand(node: ast.expr) -> str:
    if _is_mask(node):
        return f"({array_form(node)})"
    negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return array_form(node) if negated else f"({code(node, LIMIT)} != 0)"
