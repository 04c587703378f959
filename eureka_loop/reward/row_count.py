"""Where a reward program computes with the number of rows, which may only give an array its shape.

A program that branches on it can behave in the dry run and otherwise in training. This finds what people and
models write; a number that is hidden better shows by behaviour, in `sandbox.trial` and `sandbox.recheck`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set
from typing import NamedTuple

from eureka_loop.errors import Problem
from eureka_loop.reward.allowed import CREATION
from eureka_loop.reward.parsing import bindings, code, module_path

_SHAPING = CREATION | {"reshape", "broadcast_to", "repeat", "tile"}
_LOOPS = {"range", "enumerate", "zip"}  # the dry run has better words for these
_CONTAINER = ast.List | ast.Tuple | ast.ListComp
_PASSES = 5  # over all assignments: a helper below its caller takes a second one
_TEXT = "the number of rows is no value to compute with: a row's terms depend on that row alone"


def computed_with(tree: ast.Module, parameters: list[str]) -> list[Problem]:
    """Each expression that computes with the number of rows.

    Args:
        parameters: observables of the entry point, arrays of N rows.
    """
    nodes, names = list(ast.walk(tree)), _Names({*parameters}, set(), set())
    signatures = {each.name: each.args.args for each in nodes if isinstance(each, ast.FunctionDef)}
    for _ in range(_PASSES):
        for node in nodes:
            match node:
                case ast.Assign(targets=[target], value=value):
                    names.assign(target, value)
                case ast.Call(func=ast.Name(id=name), args=args) if name in signatures:
                    for parameter, argument in zip(signatures[name], args, strict=False):
                        names.assign(ast.Name(parameter.arg), argument)
    parents = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
    giving = _SHAPING | _LOOPS | bindings(tree)[1]
    uses = (_use(node, parents, names, giving) for node in nodes if names.is_count(node))
    return [Problem(use.lineno, f"`{code(use, 80)}`: {_TEXT}") for use in uses if use is not None]


def _use(
    node: ast.AST, parents: Mapping[ast.AST, ast.AST], names: _Names, giving: Set[str]
) -> ast.expr | None:
    """The expression that computes with a number of rows; None where that gives a shape or a name."""
    while True:
        inner, node = node, parents[node]
        match node:
            case ast.Assign():
                return None
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in giving:
                return None
            case ast.BinOp(left=left, right=right):
                other = right if inner is left else left
                if isinstance(other, _CONTAINER):
                    return None
                if names.is_array(other):
                    return node
            case ast.Tuple() | ast.List() | ast.keyword():
                pass
            case ast.expr():
                return node
            case _:
                return inner if isinstance(inner, ast.expr) else None


class _Names(NamedTuple):
    """Names of arrays of N rows, of their shapes, and of numbers of rows; scopes aren't told apart."""

    arrays: set[str]
    shapes: set[str]
    counts: set[str]

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Include a name that is given a value."""
        match target:
            case ast.Tuple(elts=[ast.Name(id=name), *_]) if self._is_shape(value):
                self.counts.add(name)
            case ast.Name(id=name) if self._is_shape(value):
                self.shapes.add(name)
            case ast.Name(id=name) if self._counts(value):
                self.counts.add(name)
            case ast.Name(id=name) if self.is_array(value):
                self.arrays.add(name)

    def is_count(self, node: ast.AST) -> bool:
        """Whether it is a number of rows, as it stands."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[value]) | ast.Attribute(attr="size", value=value):
                return self.is_array(value)
            case ast.Subscript(value=value, slice=ast.Constant(value=0)):
                return self._is_shape(value)
        return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.counts

    def is_array(self, node: ast.AST) -> bool:
        """Whether it is computed from an array of N rows, as far as is known, row by row."""
        match node:
            case ast.Name(id=name):
                return name in self.arrays
            case ast.Subscript(value=value) | ast.UnaryOp(operand=value):
                return self.is_array(value)
            case ast.BinOp(left=left, right=right):
                return self.is_array(left) or self.is_array(right)
            case ast.Call(func=ast.Attribute(value=value) as function, args=args):
                return any(map(self.is_array, args if module_path(function)[0] else [value]))
        return False

    def _is_shape(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(attr="shape", value=value):
                return self.is_array(value)
        return isinstance(node, ast.Name) and node.id in self.shapes

    def _counts(self, node: ast.AST) -> bool:
        """Whether it is a number of rows, or arithmetic with one."""
        match node:
            case ast.BinOp(left=left, right=right):
                return self._counts(left) or self._counts(right)
        return self.is_count(node)
