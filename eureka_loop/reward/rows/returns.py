"""What a program may return: a dict of terms, (N,) each; or one number an episode."""

from __future__ import annotations

import ast

from eureka_loop.reward.contract import MAX_TERMS, TERM_NAME, Kind, is_diagnostic
from eureka_loop.reward.problems import Problems, bracketed, code
from eureka_loop.reward.rows.tracing import Returned, always_returns
from eureka_loop.reward.rows.values import (
    Count,
    Fixed,
    Items,
    Nothing,
    Number,
    Rows,
    Terms,
    Text,
    Value,
    has_rows,
    shape_text,
)

TOTALS = ("total", "reward", "total_reward", "reward_total", "sum", "overall", "final_reward")
SUM = "the reward is the sum of the terms"


def check_returned(kind: Kind, entry: ast.FunctionDef, returned: Returned, problems: Problems) -> None:
    """Hold every `return` of the entry point to the contract."""
    wanted = 'return {"name": term}' if kind == "reward" else "return number"
    if not always_returns(entry.body) and not _loops_last(entry):
        problems.add(entry.body[-1], f"`{entry.name}` can end without a `return`: end it with `{wanted}`")
    already = bool(problems)
    for node, value in returned.places:
        if kind == "reward":
            _Reward(entry, node, problems, already).check(value)
        else:
            _check_number(kind, node, value, problems)


def _loops_last(entry: ast.FunctionDef) -> bool:
    return isinstance(entry.body[-1], ast.While | ast.With | ast.Try)  # refused anyway


class _Reward:
    """One `return` of a reward program."""

    def __init__(self, entry: ast.FunctionDef, node: ast.Return, problems: Problems, already: bool) -> None:
        self._entry, self._node, self._problems, self._already = entry, node, problems, already

    def check(self, value: Value) -> None:
        if isinstance(value, Terms):
            self._terms(value)
        elif isinstance(value, Items):
            self._problems.add(self._node, f"return the dict alone{self._dict_in(value)}; {SUM}")
        elif has_rows(value) or isinstance(value, Number | Fixed | Nothing | Text):
            text = code(self._node.value) if self._node.value else "..."
            self._problems.add(
                self._node, f'return a dict of terms: `return {{"{_term_name(text)}": {text}}}`; {SUM}'
            )
        elif not self._already:
            self._problems.add(
                self._node,
                'return a dict whose keys are literal strings: `return {"speed": speed, "effort": effort}`',
            )

    def _dict_in(self, value: Items) -> str:
        parts = self._node.value.elts if isinstance(self._node.value, ast.Tuple) else []
        items = value.items or ()
        dicts = [code(part) for part, item in zip(parts, items, strict=False) if isinstance(item, Terms)]
        return f": `return {dicts[0]}`" if dicts else ': `return {"name": term}`'

    def _terms(self, value: Terms) -> None:
        names = [name for name, _ in value.terms]
        if not value.closed:
            self._problems.add(
                self._node, "every key of the returned dict must be a literal string: it names a term"
            )
        elif not names:
            self._problems.add(self._node, 'no terms are returned: `return {"name": term}`')
        elif all(map(is_diagnostic, names)):
            self._problems.add(
                self._node, f"every term's name begins with `_`, so nothing is rewarded; {SUM} without `_`"
            )
        if len(names) > MAX_TERMS:
            self._problems.add(self._node, f"{len(names)} terms; {MAX_TERMS} are allowed")
        for name, term in value.terms:
            self._name(name, names)
            self._shape(name, term)

    def _name(self, name: str, names: list[str]) -> None:
        if not TERM_NAME.fullmatch(name):
            self._say(name, f"term {name!r}: a name has 1 to 64 letters, digits, `_`, `-`, `.`, `/`")
        others = [other for other in names if other != name and not is_diagnostic(other)]
        if name.lower() in TOTALS and others:
            self._say(name, f"term {name!r} would count the other terms twice: leave it out; {SUM}")

    def _shape(self, name: str, term: Value) -> None:
        told = f"term {name!r} has shape {shape_text(term)}, expected (N,)"
        match term:
            case Rows(shape=(1,)):
                self._say(name, f"{told}: write `{{0}}[:, 0]`")
            case Rows(shape=(_, *_) as shape):
                axis = "1" if len(shape) == 1 else str(tuple(range(1, len(shape) + 1)))
                self._say(name, f"{told}: write `{{0}}.sum(axis={axis})`")
            case Number() | Count():
                first = self._entry.args.args[0].arg if self._entry.args.args else "action"
                self._say(name, f"{told}: write `{{0}} * np.ones(len({first}))`")
            case Fixed():
                self._say(
                    name,
                    f"term {name!r} has no batch axis, expected (N,): it must follow from the observables",
                )
            case Terms() | Items() | Text() | Nothing():
                self._say(name, f"term {name!r} is not an array (N,): one key, one array")

    def _say(self, name: str, message: str) -> None:
        """About a term, at the line where it is made; `{0}` stands for its expression."""
        written = self._written(name)
        text = bracketed(code(written)) if written is not None else "x"
        self._problems.add(written or self._node, message.replace("{0}", text))

    def _written(self, name: str) -> ast.expr | None:
        """The expression that makes the term, where it can be found."""
        for node in ast.walk(self._entry):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == name:
                        return value
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                key = node.targets[0].slice
                if isinstance(key, ast.Constant) and key.value == name:
                    return node.value
        return None


def _term_name(text: str) -> str:
    return text if text.isidentifier() and text not in TOTALS else "reward"


def _check_number(kind: Kind, node: ast.Return, value: Value, problems: Problems) -> None:
    text = code(node.value) if node.value else "..."
    if has_rows(value) or (isinstance(value, Fixed) and value.shape != ()):
        size = shape_text(value) or "an array"
        problems.add(
            node,
            f"`{kind}` gives one number an episode, not {size}: write `return {bracketed(text)}.mean()`",
        )
    elif isinstance(value, Terms | Items | Text | Nothing):
        problems.add(node, f"`{kind}` gives one number an episode: write `return number`")
