"""Which names a function binds, and which functions of the program it can call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from eureka_loop.reward.allowed import MODULES
from eureka_loop.reward.problems import Problems

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


class ScopedVisitor(ast.NodeVisitor):
    """Knows, wherever it is in a program, which names are bound there; reports names that can't be bound.

    Attributes:
        scope: of the function that is being visited.
        function: that function; None at the top level.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.scope = Scope()
        self.function: Function | None = None

    def report(self, node: ast.AST, message: str) -> None:
        self.problems.add(node, message)

    def check_bound(self, scope: Scope) -> None:
        for name, places in scope.bound.items():
            if name.startswith("__") or name in MODULES:
                self.report(places[0], f"`{name}` can't be a name of the program's own: rename it")
            elif name in scope.functions and len(places) > 1:
                self.report(places[-1], f"`{name}` is a function and something else: rename one")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._within(node, [node.body])

    def _within(self, node: Function, body: Iterable[ast.AST]) -> None:
        """A function's body; its defaults, annotations and decorators can hold no names."""
        outer, caller = self.scope, self.function
        self.scope, self.function = function_scope(node, outer), node
        self.check_bound(self.scope)
        for part in body:
            self.visit(part)
        self.scope, self.function = outer, caller

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], made: list[ast.expr]) -> None:
        outer = self.scope
        self.scope = comprehension_scope(generators, outer)
        self.check_bound(self.scope)
        for part in (*generators, *made):
            self.visit(part)
        self.scope = outer

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Without its annotation."""
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    # Refused as such; what is in them needs no errors of its own.

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        pass

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_Raise(self, node: ast.Raise) -> None:
        pass

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        for statement in node.body:
            self.visit(statement)


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
