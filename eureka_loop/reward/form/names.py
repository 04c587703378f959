"""Which names, attributes and functions a program may use: all of them known."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from eureka_loop.errors import UnknownName
from eureka_loop.reward.allowed import (
    ATTRIBUTES,
    BUILTINS,
    CONTAINER_METHODS,
    MATH,
    MATH_CONSTANTS,
    METHODS,
    MODULES,
    NUMPY,
    NUMPY_CONSTANTS,
    NUMPY_TYPES,
    TYPES,
    Signature,
)
from eureka_loop.reward.form import advice, foreign
from eureka_loop.reward.form.arguments import check_arguments, types_in
from eureka_loop.reward.form.layout import Layout
from eureka_loop.reward.form.scopes import Function, ScopedVisitor, recursive
from eureka_loop.reward.functions import SHAPING_SIGNATURES
from eureka_loop.reward.parsing import module_path
from eureka_loop.reward.problems import Problems, code, quoted
from eureka_loop.reward.vocabulary import Vocabulary

_OF_MODULE: dict[str, Mapping[str, Signature]] = {"numpy": NUMPY, "math": MATH}
_VALUES_OF_MODULE = {"numpy": NUMPY_CONSTANTS | NUMPY_TYPES, "math": MATH_CONSTANTS}
_FUNCTIONS = {**BUILTINS, **SHAPING_SIGNATURES}
_ANY_METHOD = {**METHODS, **CONTAINER_METHODS}


def check_names(
    layout: Layout, vocabulary: Vocabulary, hidden: bool, told: set[str], problems: Problems
) -> None:
    """Report every name that is not known where it stands.

    Args:
        told: parameters that were reported already; what hangs on them isn't reported again.
    """
    _Names(layout, vocabulary, hidden, told, problems).check()


class _Names(ScopedVisitor, ast.NodeVisitor):
    def __init__(
        self, layout: Layout, vocabulary: Vocabulary, hidden: bool, told: set[str], problems: Problems
    ) -> None:
        super().__init__(problems)
        self._layout, self._vocabulary, self._hidden, self._told = layout, vocabulary, hidden, told
        self._calls: dict[Function, set[Function]] = {}
        self._translated: set[ast.AST] = set()  # within a call whose translation was given as a whole

    def check(self) -> None:
        for name, value in self._layout.constants.items():
            self.visit(value)  # it sees the constants above it
            self.scope.bind(name, value)
        for name, function in self._layout.functions.items():
            self.scope.bind(name, function, function)
        self.check_bound(self.scope)
        entries = [self._layout.entry] if self._layout.entry else []
        for definition in (*self._layout.functions.values(), *entries):
            self.visit(definition)
        circle = recursive(self._calls)
        if circle is not None:
            name = getattr(circle, "name", "lambda")
            self.report(circle, f"`{name}` calls itself, and may never end: write a loop over `range(10)`")

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            return
        name, holder = node.id, self.scope.holder(node.id)
        if holder is not None:
            if name in holder.functions:
                self.report(node, f"`{name}` is a function: call it, `{name}(...)`")
        elif name in _FUNCTIONS or name in MODULES:
            if name not in TYPES:
                told = f"`{name}.<name>`" if name in MODULES else f"`{name}(...)`"
                self.report(node, f"`{name}` can't be used as a value: write {told}")
        elif name not in self._told:
            self.report(node, self._unknown(name))

    def _unknown(self, name: str) -> str:
        observable = self._vocabulary.find(name, hidden=self._hidden)
        if observable is None:
            known = () if self.problems.full else {*self.scope.names(), *_FUNCTIONS}
            return advice.unknown_name(name, known)
        entry = self._layout.entry.name if self._layout.entry else "the entry point"
        inside = self.function is not None and self.function is not self._layout.entry
        handed = f", and of `{getattr(self.function, 'name', 'lambda')}`" if inside else ""
        return f"`{name}` is an observable, {observable.facts}: name it as a parameter of `{entry}`{handed}"

    # Attributes that aren't called

    def visit_Attribute(self, node: ast.Attribute) -> None:
        module, path = module_path(node)
        if not isinstance(node.ctx, ast.Load):
            self.report(node, f"{quoted(node)} can't be set: give the value a name of its own")
        elif module and self.scope.holder(module) is None:
            self._module_value(node, module, path)
        elif not self._outside(node):
            if node.attr not in ATTRIBUTES:
                self.report(node, advice.attribute_problem(node, _ANY_METHOD))
            self._base(node.value)

    def _base(self, node: ast.expr) -> None:
        """What stands before the dot."""
        if isinstance(node, ast.Constant):
            self.report(node, f"{quoted(node)} has nothing that a program can use")
        else:
            self.visit(node)

    def _module_value(self, node: ast.expr, module: str, path: str) -> None:
        kind = MODULES[module]
        if path in _OF_MODULE[kind]:
            self.report(node, f"{quoted(node)} is a function: call it, `{code(node)}(...)`")
        elif path not in _VALUES_OF_MODULE[kind]:
            self.report(node, advice.numpy_problem(path) if kind == "numpy" else advice.math_problem(path))

    def _outside(self, node: ast.Attribute) -> bool:
        """`self.speed`, `env.data.qpos`, `torch.pi`: of things a program hasn't got; reported."""
        name = foreign.root(node)
        known = self.scope.holder(name) is not None and name not in self._told
        if not name or known or node in self._translated:
            return node in self._translated
        if name in foreign.MODULES:
            self.report(node, f"there is no {quoted(node)}: arrays are numpy's, write `np` functions")
        elif name in advice.SURROUNDINGS:
            self.report(node, f"there is no {quoted(node)}: {self._as_parameter(node.attr)}")
        return name in (*foreign.MODULES, *advice.SURROUNDINGS) or name in self._told

    def _as_parameter(self, name: str) -> str:
        if self.problems.full:
            return "name the quantity as a parameter"
        try:
            self._vocabulary.resolve(name, hidden=self._hidden)
        except UnknownName as unknown:
            return f"name the quantity as a parameter ({unknown})"
        return f"name it as a parameter, `{name}`"

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store):
            self._item_set(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._told:
            self.visit(node.slice)
        else:
            self.generic_visit(node)

    def _item_set(self, node: ast.Subscript) -> None:
        """`x[...] = …`: only of what a function made itself, never of a constant."""
        if not isinstance(node.value, ast.Name):
            self.report(node, f"{quoted(node)}: give {quoted(node.value)} a name, then set its items")
            return
        holder = self.scope.holder(node.value.id)
        if holder is not None and holder.outer is None:
            self.report(
                node, f"{quoted(node)} changes the constant `{node.value.id}`: a program has no memory"
            )

    # Calls

    def visit_Call(self, node: ast.Call) -> None:
        name = ""
        if isinstance(node.func, ast.Name):
            name = self._function_call(node, node.func)
        elif isinstance(node.func, ast.Attribute):
            name = self._attribute_call(node, node.func)
        else:
            self.report(node, f"{quoted(node.func)} can't be called: call functions by their name")
            self.visit(node.func)
        types = types_in(node, name)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if argument not in types:
                self.visit(argument)
            elif isinstance(argument, ast.Attribute) and not module_path(argument)[0]:
                self._base(argument.value)  # of x.dtype

    def _function_call(self, node: ast.Call, function: ast.Name) -> str:
        name, holder = function.id, self.scope.holder(function.id)
        own = holder.functions.get(name) if holder is not None else None
        if own is not None:
            self._own_call(node, name, own)
        elif holder is not None:
            told = "is a value: it can't be called"
            hides = "is a variable here, and hides the function: rename the variable"
            self.report(node, f"`{name}` {hides if name in _FUNCTIONS else told}")
        elif name in _FUNCTIONS:
            check_arguments(node, name, _FUNCTIONS[name], self.problems)
        else:
            self.report(node, self._unknown(name))
        return name

    def _own_call(self, node: ast.Call, name: str, function: Function) -> None:
        if self.function is not None:
            self._calls.setdefault(self.function, set()).add(function)
        arguments = function.args
        known = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        positional = len(arguments.posonlyargs) + len(arguments.args)
        check_arguments(node, name, Signature(positional, frozenset(known)), self.problems, own=True)

    def _attribute_call(self, node: ast.Call, function: ast.Attribute) -> str:
        module, path = module_path(function)
        if module and self.scope.holder(module) is None:
            signature = _OF_MODULE[MODULES[module]].get(path)
            if signature is None:
                self._module_value(function, module, path)
            else:
                check_arguments(node, path, signature, self.problems)
            return path
        outside = self.scope.holder(foreign.root(function)) is None and bool(foreign.root(function))
        if function.attr in _ANY_METHOD and not outside:
            check_arguments(node, function.attr, _ANY_METHOD[function.attr], self.problems)
            self._base(function.value)
        else:
            self._refused_call(node, function, outside)
        return function.attr

    def _refused_call(self, node: ast.Call, function: ast.Attribute, outside: bool) -> None:
        """A method that arrays haven't got here, or a function of something that isn't here."""
        if node in self._translated:
            pass
        elif outside and foreign.root(function) in foreign.MODULES:
            written = foreign.translated(node)
            self.report(
                node,
                f"there is no {quoted(function)}: write " + (f"`{written}`" if written else "`np` functions"),
            )
            self._translated.update(ast.walk(node) if written else ())
        elif not self._outside(function):
            self.report(node, advice.method_problem(node, function.attr))
            self._translated.update(ast.walk(node) if foreign.translated(node) else ())
        if not isinstance(function.value, ast.Constant) and not outside:
            self.visit(function.value)
