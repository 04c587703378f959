"""Following a program from its parameters to what it returns, every branch and every call of its helpers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eureka_loop.reward.problems import Problems, bracketed, code, quoted
from eureka_loop.reward.rows.array_form import where_form
from eureka_loop.reward.rows.broadcasting import broadcast
from eureka_loop.reward.rows.containers import with_key
from eureka_loop.reward.rows.expressions import ON_ROWS, Expressions
from eureka_loop.reward.rows.indexing import NewAxis, Rest, Span
from eureka_loop.reward.rows.values import (
    UNKNOWN,
    Helper,
    Items,
    Names,
    Nothing,
    Number,
    Rows,
    Terms,
    Value,
    has_rows,
    join,
    join_all,
)

MAX_CALLS_DEEP = 8
MAX_ROUNDS = 10_000  # of loops within loops, all told


@dataclass(slots=True)
class Returned:
    """Every `return` of one function, with its value."""

    places: list[tuple[ast.Return, Value]] = field(default_factory=list)

    @property
    def value(self) -> Value:
        return join_all(value for _, value in self.places) if self.places else Nothing()


class Tracer:
    """Runs a program's statements on `Value`s.

    Args:
        episode: rows are one episode in order, and may be reduced.
    """

    def __init__(self, problems: Problems, *, episode: bool) -> None:
        self._problems = problems
        self._expressions = Expressions(problems, episode=episode, run_helper=self._helper)
        self._globals = Names()
        self._running: list[ast.AST] = []
        self._rounds = 1

    def module(self, constants: Mapping[str, ast.expr], functions: Mapping[str, ast.FunctionDef]) -> None:
        """Take in what stands outside the functions."""
        for name, node in constants.items():
            self._globals.held[name] = self._expressions.value(node, self._globals)
        for name, function in functions.items():
            self._globals.held[name] = Helper(function, self._globals)

    def run(self, entry: ast.FunctionDef, parameters: Mapping[str, Value]) -> Returned:
        """Follow the entry point.

        Raises:
            TooMuch: loops and helpers come to more than can be followed.
        """
        names, returned = Names(self._globals), Returned()
        names.held.update(parameters)
        self._block(entry.body, names, returned)
        return returned

    def _helper(self, helper: Helper, values: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
        """The value of a call of one of the program's own functions."""
        if helper.node in self._running:
            return UNKNOWN  # refused as such
        if len(self._running) >= MAX_CALLS_DEEP:
            self._problems.add(helper.node, f"helpers call helpers more than {MAX_CALLS_DEEP} deep")
            return UNKNOWN
        names, returned = Names(helper.names), Returned()
        names.held.update(self._bound(helper, values, keywords))
        self._running.append(helper.node)
        try:
            if isinstance(helper.node, ast.Lambda):
                return self._expressions.value(helper.node.body, names)
            self._block(helper.node.body, names, returned)
        finally:
            self._running.pop()
        return returned.value

    def _bound(
        self, helper: Helper, values: Sequence[Value], keywords: Mapping[str, Value]
    ) -> dict[str, Value]:
        arguments = helper.node.args
        positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        bound: dict[str, Value] = dict.fromkeys(
            [*positional, *(each.arg for each in arguments.kwonlyargs)], UNKNOWN
        )
        defaults = arguments.defaults
        pairs = [*zip(positional[len(positional) - len(defaults) :], defaults, strict=True)]
        pairs += [(a.arg, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d]
        bound.update({name: self._expressions.value(default, self._globals) for name, default in pairs})
        bound.update(zip(positional, values, strict=False))
        bound.update({name: value for name, value in keywords.items() if name in bound})
        return bound

    def _block(self, statements: Sequence[ast.stmt], names: Names, returned: Returned) -> None:
        for statement in statements:
            handler = _HANDLERS.get(type(statement), Tracer._other)
            handler(self, statement, names, returned)

    def _assign(self, node: ast.Assign, names: Names, _: Returned) -> None:
        value = self._expressions.value(node.value, names)
        for target in node.targets:
            self._store(target, value, names, f"{bracketed(code(node.value))}.T")

    def _annotated(self, node: ast.AnnAssign, names: Names, _: Returned) -> None:
        if node.value is not None:
            self._store(node.target, self._expressions.value(node.value, names), names)

    def _store(self, target: ast.expr, value: Value, names: Names, source: str = "") -> None:
        if not isinstance(target, ast.Subscript):
            self._expressions.bind(target, value, names, source)
            return
        base = self._expressions.value(target.value, names)
        indices = self._expressions.indices(target, names)
        if isinstance(base, Rows) and base.source:
            self._input_changed(target, target.value, base)
        if not isinstance(target.value, ast.Name):
            return
        if isinstance(base, Terms):
            key = indices[0]
            known = UNKNOWN if isinstance(key, Span | Rest | NewAxis) else key
            names.held[target.value.id] = with_key(base, known, value)
        elif isinstance(base, Items):
            names.held[target.value.id] = Items(None, UNKNOWN)

    def _input_changed(self, node: ast.AST, base: ast.expr, value: Rows) -> None:
        whose = (
            f"`{value.source}`"
            if code(base) == value.source
            else f"{quoted(base)}, which is `{value.source}` itself"
        )
        copied = f"{code(base)} = {code(base)}.copy()"
        self._problems.add(
            node, f"{quoted(node)} changes the input {whose}; inputs are read-only: begin with `{copied}`"
        )

    def _augmented(self, node: ast.AugAssign, names: Names, _: Returned) -> None:
        old = self._expressions.value(node.target, names)
        added = self._expressions.value(node.value, names)
        value = self._expressions.operation(node, node.op, old, added, (node.target, node.value))
        if isinstance(node.target, ast.Name):
            if isinstance(old, Rows) and old.source:
                written = code(
                    ast.Assign([node.target], ast.BinOp(node.target, node.op, node.value), lineno=1)
                )
                changes = f"{quoted(node)} changes the input `{old.source}`"
                self._problems.add(node, f"{changes}; inputs are read-only: write `{written}`")
            names.held[node.target.id] = value
        else:
            self._store(node.target, value, names)

    def _if(self, node: ast.If, names: Names, returned: Returned) -> None:
        test = self._expressions.truth(node.test, names)
        if isinstance(test, Number) and test.value is not None:
            self._block(node.body if test.value else node.orelse, names, returned)
            return
        if has_rows(test):
            self._problems.add(node, f"`if` {ON_ROWS}. Write `{_if_replacement(node)}`.")
        before = dict(names.held)
        self._block(node.body, names, returned)
        after_body, names.held = names.held, before
        self._block(node.orelse, names, returned)
        names.held = _merged(after_body, names.held, ended=_ends(node.body), other_ended=_ends(node.orelse))
        if has_rows(test):  # what it would be, once written with np.where
            changed = {name: value for name, value in names.held.items() if before.get(name) != value}
            names.held.update({name: _chosen(test, value) for name, value in changed.items()})

    def _for(self, node: ast.For, names: Names, returned: Returned) -> None:
        items = self._expressions.loop(node.iter, names)
        rounds, exact = self._expressions.rounds(items)
        count = len(rounds) if exact or items is None else items.length or 1
        outer, self._rounds = self._rounds, self._rounds * max(count, 1)
        if self._rounds > MAX_ROUNDS:
            self._problems.add(
                node, f"loops within loops: {self._rounds:,} rounds; {MAX_ROUNDS:,} are allowed"
            )
        for item in rounds if exact else [*rounds] * 2:  # the second time with what the first has changed
            before = dict(names.held)
            self._expressions.bind(node.target, item, names)
            self._block(node.body, names, returned)
            if not exact:
                names.held = _merged(before, names.held)
        self._rounds = outer
        self._block(node.orelse, names, returned)

    def _return(self, node: ast.Return, names: Names, returned: Returned) -> None:
        value = self._expressions.value(node.value, names) if node.value else Nothing()
        returned.places.append((node, value))

    def _expression(self, node: ast.Expr, names: Names, _: Returned) -> None:
        self._expressions.value(node.value, names)

    def _function(self, node: ast.FunctionDef, names: Names, _: Returned) -> None:
        names.held[node.name] = Helper(node, names)

    def _other(self, node: ast.stmt, names: Names, returned: Returned) -> None:
        """A statement that is refused: what stands in it is looked at all the same."""
        for part in ("body", "orelse", "finalbody"):
            self._block(getattr(node, part, []), names, returned)


_HANDLERS: dict[type[ast.stmt], Callable[[Tracer, Any, Names, Returned], None]] = {
    ast.Assign: Tracer._assign,
    ast.AnnAssign: Tracer._annotated,
    ast.AugAssign: Tracer._augmented,
    ast.If: Tracer._if,
    ast.For: Tracer._for,
    ast.Return: Tracer._return,
    ast.Expr: Tracer._expression,
    ast.FunctionDef: Tracer._function,
    ast.ClassDef: lambda *_: None,
}


def always_returns(statements: Sequence[ast.stmt]) -> bool:
    """No way through ends without a `return`, as far as can be seen."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.If):
        return always_returns(last.body) and always_returns(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)


def _ends(statements: Sequence[ast.stmt]) -> bool:
    return always_returns(statements) or bool(
        statements and isinstance(statements[-1], ast.Continue | ast.Break)
    )


def _merged(
    one: dict[str, Value], other: dict[str, Value], *, ended: bool = False, other_ended: bool = False
) -> dict[str, Value]:
    """The names after two ways through that meet again; one that has ended doesn't count."""
    if ended != other_ended:
        return other if ended else one
    return {
        name: join(one[name], other[name])
        if name in one and name in other
        else one.get(name, other.get(name, UNKNOWN))
        for name in {**one, **other}
    }


def _chosen(test: Value, value: Value) -> Value:
    numeric = isinstance(value, Rows | Number)
    return (broadcast((test, value)) or UNKNOWN) if numeric else value


def _if_replacement(node: ast.If) -> str:
    """`x = np.where(test, a, b)` where both branches set the same name; else the bare pattern."""
    match node.body, node.orelse:
        case [ast.Assign(targets=[target], value=then)], [ast.Assign(targets=[other], value=otherwise)] if (
            code(target) == code(other)
        ):
            return f"{code(target)} = {where_form(node.test, code(then), code(otherwise))}"
        case [ast.Assign(targets=[ast.Name() as target], value=then)], []:
            return f"{code(target)} = {where_form(node.test, code(then), code(target))}"
        case [ast.AugAssign(target=target, op=ast.Add() | ast.Sub() as op, value=then)], []:
            sign = "+" if isinstance(op, ast.Add) else "-"
            return f"{code(target)} = {code(target)} {sign} {where_form(node.test, code(then), '0.0')}"
        case [ast.Return(value=ast.expr() as then)], [ast.Return(value=ast.expr() as otherwise)]:
            return f"return {where_form(node.test, code(then), code(otherwise))}"
    return where_form(node.test, "a", "b")
