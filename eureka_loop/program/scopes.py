"""Which names a function binds, and which functions of the program it can call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.Lambda


@dataclass(slots=True)
class Scope:
    """The names of a function, or of the module, and those around it.

    Attributes:
        bound: every name bound in it, and where.
        functions: those of them that are functions.
    """

    outer: Scope | None = None
    bound: dict[str, list[ast.AST]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)

    def holder(self, name: str) -> Scope | None:
        """The innermost scope that binds the name."""
        if name in self.bound:
            return self
        return self.outer.holder(name) if self.outer else None

    def names(self) -> set[str]:
        return set(self.bound) | (self.outer.names() if self.outer else set())

    def bind(self, name: str, place: ast.AST, function: Function | None = None) -> None:
        self.bound.setdefault(name, []).append(place)
        if function is not None:
            self.functions[name] = function


def function_scope(node: Function, outer: Scope) -> Scope:
    """The scope of a function: parameters, and what its body binds."""
    scope = Scope(outer)
    arguments = node.args
    for each in (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ):
        if each is not None:
            scope.bind(each.arg, each)
    for statement in node.body if isinstance(node, ast.FunctionDef) else []:
        _bind_in(statement, scope)
    return scope


def comprehension_scope(generators: Iterable[ast.comprehension], outer: Scope) -> Scope:
    scope = Scope(outer)
    for generator in generators:
        for node in ast.walk(generator.target):
            if isinstance(node, ast.Name):
                scope.bind(node.id, node)
    return scope


def _bind_in(node: ast.AST, scope: Scope) -> None:
    """What a statement binds in its own function, not in functions or comprehensions within it."""
    match node:
        case ast.FunctionDef(name=name):
            scope.bind(name, node, node)
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as value):
            scope.bind(name, node, value)
        case ast.Name(id=name, ctx=ast.Store()):
            scope.bind(name, node)
        case (
            ast.Lambda()
            | ast.ListComp()
            | ast.GeneratorExp()
            | ast.DictComp()
            | ast.SetComp()
            | ast.ClassDef()
        ):
            pass
        case _:
            if isinstance(node, ast.ExceptHandler) and node.name:
                scope.bind(node.name, node)
            for child in ast.iter_child_nodes(node):
                _bind_in(child, scope)


def recursive(calls: Mapping[Function, set[Function]]) -> Function | None:
    """A function that can come to call itself, if there is one."""
    for start in calls:
        waiting, seen = list(calls[start]), set[Function]()
        while waiting:
            function = waiting.pop()
            if function is start:
                return start
            if function not in seen:
                seen.add(function)
                waiting.extend(calls.get(function, ()))
    return None
