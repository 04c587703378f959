"""The value of an expression, as far as it can be told without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eureka_loop.reward.allowed import MAX_POWER
from eureka_loop.reward.functions import MAX_RANGE
from eureka_loop.reward.parsing import module_path
from eureka_loop.reward.problems import NO_TEXT, Problems, code, quoted
from eureka_loop.reward.rows import comprehensions, operations
from eureka_loop.reward.rows.array_form import array_form, where_form
from eureka_loop.reward.rows.broadcasting import broadcast
from eureka_loop.reward.rows.builtin_calls import ALL_AT_ONCE
from eureka_loop.reward.rows.called import Called
from eureka_loop.reward.rows.calls import misfit
from eureka_loop.reward.rows.containers import looped, with_key
from eureka_loop.reward.rows.indexing import Index, indices, subscript
from eureka_loop.reward.rows.products import matrix_product
from eureka_loop.reward.rows.values import (
    NUMBER,
    UNKNOWN,
    Derived,
    Helper,
    Items,
    Names,
    Nothing,
    Number,
    Rows,
    Terms,
    Text,
    TooMuch,
    Value,
    each,
    has_rows,
    join,
    weight,
)

MAX_STEPS = 20_000  # expressions looked at, with loops and helpers followed
_A_STEP = 8  # values in a list or dict that weigh as much as a step
_KEYWORDS = {"dim": "axis", "keepdim": "keepdims"}  # refused, but understood
ON_ROWS = "on an array of N rows"

RunHelper = Callable[[Helper, Sequence[Value], Mapping[str, Value]], Value]


class Expressions:
    """Evaluates expressions to `Value`s, and reports what can't work on a batch.

    Args:
        episode: the rows are one episode (fitness, success), which may be reduced.
        run_helper: the value of a call of one of the program's own functions.
    """

    def __init__(self, problems: Problems, *, episode: bool, run_helper: RunHelper) -> None:
        self._problems, self._episode, self._run_helper = problems, episode, run_helper
        self._called = Called(problems, episode=episode)
        self._steps = 0

    def value(self, node: ast.expr, names: Names) -> Value:
        """
        Raises:
            TooMuch: loops, helpers, lists and dicts come to more than `MAX_STEPS`.
        """
        self._steps += 1
        handler = _HANDLERS.get(type(node))
        value = handler(self, node, names) if handler else UNKNOWN
        self._steps += weight(value) // _A_STEP
        if self._steps > MAX_STEPS:
            raise TooMuch
        return value

    def truth(self, node: ast.expr, names: Names) -> Value:
        """A condition's value; `and`, `or`, `not` and chains in it go unreported: the whole is reported."""
        match node:
            case ast.BoolOp(values=parts):
                return operations.both([self.truth(part, names) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return operations.opposite(self.truth(operand, names))
            case ast.Compare(left=first, comparators=[_, _, *_] as others):
                return operations.both([self.value(part, names) for part in (first, *others)])
        return self.value(node, names)

    def loop(self, node: ast.expr, names: Names) -> Items | None:
        """What a loop goes through; None, and a report, where that has no known end."""
        value = self.value(node, names)
        items = looped(value)
        if has_rows(value):
            self._report(node, f"looping over {quoted(node)} goes through the rows: {ALL_AT_ONCE}")
        elif items is None:
            self._report(
                node,
                f"how often this loops, over {quoted(node)}, can't be read off the program: "
                "loop over `range(6)`, or over a literal tuple",
            )
        return items

    def rounds(self, items: Items | None) -> tuple[Sequence[Value], bool]:
        """One value a round, and whether that is exact; one for all rounds where they aren't told apart."""
        if items is None or items.items is None:
            return ((items.each if items else UNKNOWN),), False
        return items.items, True

    def filtered(self, test: ast.expr, names: Names) -> None:
        """The condition of a comprehension."""
        if has_rows(self.truth(test, names)):
            self._report(test, f"`if` {ON_ROWS}. Write `{where_form(test, 'a', 'b')}`.")

    def bind(self, target: ast.expr, value: Value, names: Names, source: str = "….T") -> None:
        """Give a name, or several, a value.

        Args:
            source: what to write where an array's components are meant, not its rows.
        """
        if isinstance(target, ast.Name):
            names.held[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, Rows):
                shown = code(target).strip("()[]")
                self._report(
                    target, f"`{shown} = …` unpacks the rows of the batch: write `{shown} = {source}`"
                )
            for part, item in zip(target.elts, _unpacked(value, len(target.elts)), strict=True):
                self.bind(part, item, names)

    def operation(
        self, node: ast.AST, op: ast.operator, left: Value, right: Value, sides: tuple[ast.expr, ast.expr]
    ) -> Value:
        """`left op right`; also of `left op= right`, with the statement as `node`."""
        if isinstance(left, Text) or isinstance(right, Text):
            self._report(node, f"{quoted(node)}: {NO_TEXT}")
            return UNKNOWN
        if (
            isinstance(left, Items)
            and isinstance(op, ast.Add | ast.Mult)
            and isinstance(right, Items | Number)
        ):
            times = right.value if isinstance(right, Number) else None
            if times is not None and times > MAX_RANGE:
                self._report(node, f"{quoted(node)}: a list of more than {MAX_RANGE:,} items")
            return operations.listed_operation(left, right)
        if isinstance(op, ast.MatMult):
            return matrix_product(
                left, right, sides, node, self._episode, lambda message: self._report(node, message)
            )
        if isinstance(left, Number) and isinstance(right, Number):
            return self._arithmetic(node, op, left, right)
        return self._broadcast(node, left, right, sides)

    def indices(self, node: ast.Subscript, names: Names) -> list[Index]:
        return indices(node, lambda part: self.value(part, names))

    def _report(self, node: ast.AST, message: str) -> None:
        self._problems.add(node, message)

    def _broadcast(self, node: ast.AST, left: Value, right: Value, sides: tuple[ast.expr, ast.expr]) -> Value:
        result = broadcast((left, right))
        if result is None:
            texts = [code(side) for side in sides]
            self._report(node, misfit(code(node), (left, right), texts))
        return result or UNKNOWN

    def _arithmetic(self, node: ast.AST, op: ast.operator, left: Number, right: Number) -> Value:
        if isinstance(op, ast.Pow) and right.value is not None and abs(right.value) > MAX_POWER:
            self._report(node, f"{quoted(node)}: an exponent above {MAX_POWER}")
        return operations.arithmetic(op, left, right)

    def _constant(self, node: ast.Constant, _: Names) -> Value:
        match node.value:
            case bool() | int() | float() as number:
                return Number(number)
            case str() as text:
                return Text(text)
            case None:
                return Nothing()
        return UNKNOWN

    def _name(self, node: ast.Name, names: Names) -> Value:
        return names.find(node.id) or UNKNOWN

    def _attribute(self, node: ast.Attribute, names: Names) -> Value:
        module, name = module_path(node)
        if module:
            return Nothing() if name == "newaxis" else NUMBER
        return operations.attribute(self.value(node.value, names), node.attr)

    def _items(self, node: ast.Tuple | ast.List, names: Names) -> Value:
        return Items(tuple(self.value(part, names) for part in node.elts))

    def _dict(self, node: ast.Dict, names: Names) -> Value:
        terms = Terms()
        for key, part in zip(node.keys, node.values, strict=True):
            value = self.value(part, names)
            if key is not None:
                terms = with_key(terms, self.value(key, names), value)
            elif isinstance(value, Terms):
                terms = Terms(
                    tuple((dict(terms.terms) | dict(value.terms)).items()), terms.closed and value.closed
                )
            else:
                terms = Terms(terms.terms, closed=False)
        return terms

    def _binary(self, node: ast.BinOp, names: Names) -> Value:
        left, right = self.value(node.left, names), self.value(node.right, names)
        return self.operation(node, node.op, left, right, (node.left, node.right))

    def _unary(self, node: ast.UnaryOp, names: Names) -> Value:
        if isinstance(node.op, ast.Not):
            return self._condition(node, "`not`", names)
        value = self.value(node.operand, names)
        return operations.negative(value) if isinstance(node.op, ast.USub) else broadcast((value,)) or UNKNOWN

    def _boolean(self, node: ast.BoolOp, names: Names) -> Value:
        return self._condition(node, "`and`" if isinstance(node.op, ast.And) else "`or`", names)

    def _compare(self, node: ast.Compare, names: Names) -> Value:
        if len(node.comparators) > 1:
            return self._condition(node, "chained comparison", names)
        left, right = self.value(node.left, names), self.value(node.comparators[0], names)
        if isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn) or isinstance(left, Text):
            return NUMBER
        if isinstance(left, Number) and isinstance(right, Number):
            return operations.comparison(node.ops[0], left, right)
        return self._broadcast(node, left, right, (node.left, node.comparators[0]))

    def _condition(self, node: ast.expr, what: str, names: Names) -> Value:
        value = self.truth(node, names)
        if has_rows(value):
            self._report(node, f"{what} {ON_ROWS}. Write `{array_form(node)}`.")
        return value

    def _choice(self, node: ast.IfExp, names: Names) -> Value:
        test = self.truth(node.test, names)
        if isinstance(test, Number) and test.value is not None:
            return self.value(node.body if test.value else node.orelse, names)
        chosen = self.value(node.body, names), self.value(node.orelse, names)
        if not has_rows(test):
            return join(*chosen)
        written = where_form(node.test, code(node.body), code(node.orelse))
        self._report(node, f"`if` {ON_ROWS}. Write `{written}`.")
        return broadcast((test, *chosen)) or UNKNOWN

    def _subscript(self, node: ast.Subscript, names: Names) -> Value:
        base, taken = self.value(node.value, names), self.indices(node, names)
        return subscript(
            node, base, taken, episode=self._episode, report=lambda text: self._report(node, text)
        )

    def _call(self, node: ast.Call, names: Names) -> Value:
        values = [self.value(argument, names) for argument in node.args]
        named = [(_KEYWORDS.get(each.arg, each.arg), each.value) for each in node.keywords if each.arg]
        keywords = {name: self.value(value, names) for name, value in named}
        if isinstance(node.func, ast.Name):
            held = names.find(node.func.id)
            if isinstance(held, Helper):
                return self._run_helper(held, values, keywords)
            return self._called.function(node, node.func.id, values, keywords) if held is None else UNKNOWN
        if not isinstance(node.func, ast.Attribute):
            return UNKNOWN
        module, path = module_path(node.func)
        if module:
            return self._called.module_function(node, module, path, values, keywords)
        base = self.value(node.func.value, names)
        return self._called.method(node, node.func, base, values, keywords, names)

    def _lambda(self, node: ast.Lambda, names: Names) -> Value:
        return Helper(node, names)


_HANDLERS: dict[type[ast.AST], Callable[[Expressions, Any, Names], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Tuple: Expressions._items,
    ast.List: Expressions._items,
    ast.Dict: Expressions._dict,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.BoolOp: Expressions._boolean,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._choice,
    ast.Subscript: Expressions._subscript,
    ast.Call: Expressions._call,
    ast.ListComp: comprehensions.listed,
    ast.GeneratorExp: comprehensions.listed,
    ast.DictComp: comprehensions.keyed,
    ast.Lambda: Expressions._lambda,
}


def _unpacked(value: Value, count: int) -> Sequence[Value]:
    if isinstance(value, Items):
        return value.items if value.items is not None and len(value.items) == count else [each(value)] * count
    return [Derived() if has_rows(value) else UNKNOWN] * count
