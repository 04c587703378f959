"""Lists and dicts made by a comprehension, round by round."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Protocol

from eureka_loop.reward.rows.containers import with_key
from eureka_loop.reward.rows.values import Items, Names, Terms, Value, join_all


class Evaluates(Protocol):
    """What a comprehension asks of `Expressions`."""

    def value(self, node: ast.expr, names: Names) -> Value: ...
    def filtered(self, test: ast.expr, names: Names) -> None: ...
    def loop(self, node: ast.expr, names: Names) -> Items | None: ...
    def rounds(self, items: Items | None) -> tuple[Sequence[Value], bool]: ...
    def bind(self, target: ast.expr, value: Value, names: Names) -> None: ...


def listed(expressions: Evaluates, node: ast.ListComp | ast.GeneratorExp, names: Names) -> Value:
    inner = Names(names)
    exact, values = True, []
    for told_apart in _rounds(expressions, node.generators, inner):
        exact = exact and told_apart
        values.append(expressions.value(node.elt, inner))
    return Items(tuple(values)) if exact else Items(None, join_all(values))


def keyed(expressions: Evaluates, node: ast.DictComp, names: Names) -> Value:
    inner, terms, exact = Names(names), Terms(), True
    for told_apart in _rounds(expressions, node.generators, inner):
        exact = exact and told_apart
        terms = with_key(terms, expressions.value(node.key, inner), expressions.value(node.value, inner))
    return Terms(terms.terms, terms.closed and exact)


def _rounds(expressions: Evaluates, generators: Sequence[ast.comprehension], names: Names) -> Iterator[bool]:
    """Binds the targets round by round; says whether the round is one of those that will be run."""
    if not generators:
        yield True
        return
    first = generators[0]
    values, exact = expressions.rounds(expressions.loop(first.iter, names))
    for value in values:
        expressions.bind(first.target, value, names)
        for test in first.ifs:
            expressions.filtered(test, names)
        for told_apart in _rounds(expressions, generators[1:], names):
            yield exact and told_apart and not first.ifs
