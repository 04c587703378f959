"""A fitness program taken apart: its named intermediate values, and the factors and summands it returns.

The pieces are computed by a program of their own, which runs in a locked process as the fitness itself does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from eureka_loop.reward.contract import Program
from eureka_loop.reward.parsing import code, number, parse

MOST_PIECES = 12
LABEL = 60  # characters of code that name a piece
CLOCK = {"dt", "time", "time_left"}  # pieces of these alone say nothing


def pieces(program: Program) -> tuple[Program, tuple[str, ...]]:
    """A reward program with a term for each piece, the same number in every row, and the pieces' code.

    The piece of an array is its mean over time. Without pieces, or with code that isn't straight from the
    first line to the one `return` at its end, there are no labels, and the program is not to be run.
    """
    tree = parse(program.source)
    function = next(
        each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == program.kind
    )
    *body, last = function.body
    returns = [each for each in ast.walk(function) if isinstance(each, ast.Return)]
    if not isinstance(last, ast.Return) or returns != [last] or last.value is None:
        return program, ()
    found: dict[str, ast.expr] = {name: ast.Name(name, ast.Load()) for name in _locals(body)}
    found |= {code(each, LABEL): each for each in _parts(last.value)}
    labels = [label for label, each in found.items() if not _names(each) <= CLOCK][:MOST_PIECES]
    rows = next((each for each in program.parameters if each not in found), program.parameters[0])
    terms = ", ".join(
        f"'p{n}': np.full(len({rows}), np.mean({ast.unparse(found[label])}))"
        for n, label in enumerate(labels)
    )
    function.name = "compute_reward"
    function.body = [*body, *ast.parse(f"return {{{terms}}}").body]
    source = ast.unparse(ast.fix_missing_locations(tree))
    return Program("reward", source, program.parameters, {}), tuple(labels)


def _locals(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that the function's own lines assign."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[*targets]):
                for target in targets:
                    parts = target.elts if isinstance(target, ast.Tuple) else [target]
                    yield from (each.id for each in parts if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The factors and summands of an expression, below a mean or a sum over time."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="mean" | "sum"), args=[]):
            yield from _parts(inner)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="mean" | "sum"), args=[inner]):
            yield from _parts(inner)
        case ast.Call(func=ast.Name(id="float"), args=[inner]) | ast.UnaryOp(op=ast.USub(), operand=inner):
            yield from _parts(inner)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            yield from _parts(left)
            yield from _parts(right)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if _names(left) and _names(right):
            yield from _parts(left)
            yield from _parts(right)
        case _ if number(node) is None:
            yield node


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} - {"np", "math"}
