"""What to write instead: the second half of every error about a name."""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Iterable

from eureka_loop.reward.allowed import ATTRIBUTES, MATH, NUMPY, NUMPY_CONSTANTS
from eureka_loop.reward.form import foreign
from eureka_loop.reward.problems import code, quoted

SURROUNDINGS = ("self", "env", "physics", "model", "data", "sim", "cfg")  # what other interfaces hand over

_FUNCTIONS = {  # Python's, and what a reward has no use for
    "print": "nothing is shown; to log a value return it as a term whose name begins with `_`",
    "isinstance": "the inputs are always arrays: leave the check out",
    "hasattr": "the inputs are always arrays: leave the check out",
    "map": "write array operations, or a list comprehension",
    "filter": "write `np.where`",
    "pow": "write `x ** 2`",
    "sorted": "write `np.sort(x, axis=1)`",
    "reversed": "write `[::-1]`",
    "set": "write a tuple",
    "str": "text can't be built: write it out, as a literal",
    "device": "arrays are numpy's: leave it out",
}
_WHOLE_BATCH = "write array operations on the whole batch"
_NUMPY = {
    "random": "programs are deterministic: there is no randomness",
    "vectorize": _WHOLE_BATCH,
    "apply_along_axis": _WHOLE_BATCH,
    "frompyfunc": _WHOLE_BATCH,
    "piecewise": "write `np.where` or `np.select`",
    "nonzero": "write `np.where(condition, a, b)`",
    "argwhere": "write `np.where(condition, a, b)`",
    "append": "write `np.concatenate([a, b], axis=1)`",
    "ndarray": "leave the check or the annotation out",
    "trapz": "sum the products: `(x * dt).sum()`",
    "trapezoid": "sum the products: `(x * dt).sum()`",
    "unwrap": "ask for a tracker, such as `<body>_yaw_total`; `wrap` is for the difference of angles",
    "vdot": "write `dot(a, b)`",
    "float_": "write `float`",
}
_LITERAL = "text can't be built: write the key as a literal string"
_METHODS = {
    "item": "arrays stay arrays: leave it out",
    "tolist": "arrays stay arrays: leave it out",
    "format": _LITERAL,
    "format_map": _LITERAL,
    "join": _LITERAL,
    "sort": "write `np.sort(x, axis=1)`, which leaves its input as it is",
    "fill": "write `np.full(len(x), value)`",
    "setdefault": "write `terms[key] = value`",
}


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """ "; did you mean `x` or `y`?", or nothing."""
    close = difflib.get_close_matches(name, list(known), n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(f'`{prefix}{each}`' for each in close)}?" if close else ""


def unknown_name(name: str, known: Iterable[str]) -> str:
    """About a name that stands for nothing here."""
    if name in _FUNCTIONS:
        return f"`{name}` can't be used: {_FUNCTIONS[name]}"
    if name in foreign.MODULES:
        return f"there is no `{name}`: arrays are numpy's, write `np` functions"
    if name in SURROUNDINGS:
        return f"there is no `{name}`: name the quantity as a parameter"
    return f"unknown name `{name}`{nearest(name, known)}"


def numpy_problem(name: str) -> str:
    """About `np.<name>`, which isn't allowed."""
    first = name.split(".")[0]
    instead = foreign.instead_of(first)
    hint = _NUMPY.get(first) or (f"write `{instead}`" if instead else "")
    known = [*NUMPY, *NUMPY_CONSTANTS]
    return f"`np.{name}` can't be used" + (f": {hint}" if hint else nearest(name, known, "np."))


def math_problem(name: str) -> str:
    """About `math.<name>`, which isn't allowed."""
    return f"`math.{name}` can't be used{nearest(name, MATH, 'math.')}"


def method_problem(call: ast.Call, name: str) -> str:
    """About `x.<name>(...)`, which isn't allowed."""
    if name in _METHODS:
        return f"`.{name}()` can't be used: {_METHODS[name]}"
    written = foreign.translated(call)
    return f"`.{name}()` can't be used" + (f": write `{written}`" if written else "; write an `np` function")


def attribute_problem(node: ast.Attribute, methods: Iterable[str]) -> str:
    """About `x.<name>`, which isn't allowed."""
    if node.attr in methods:
        return f"{quoted(node)} is a method: call it, `{code(node)}(...)`"
    known = (
        ""
        if node.attr.startswith("_")
        else f"; arrays have {', '.join(f'`.{a}`' for a in sorted(ATTRIBUTES))}"
    )
    return f"`.{node.attr}` can't be used{known}"


def with_axis(call: ast.Call, axis: str, position: int) -> str:
    """The call with `axis=...` put in, in place of one that may have stood at `position`."""
    changed = copy.deepcopy(call)
    changed.args = changed.args[:position]
    changed.keywords = [keyword for keyword in changed.keywords if keyword.arg not in ("axis", "dim")]
    changed.keywords.insert(0, ast.keyword("axis", ast.parse(axis, mode="eval").body))
    return code(changed)
