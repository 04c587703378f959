"""Replacements for terms of a wrong shape, and for code that mixes the rows of a batch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from eureka_loop.errors import Problem, RewardFailure
from eureka_loop.reward.allowed import ALONG_AXIS, REDUCTIONS
from eureka_loop.reward.parsing import code, module_path, parse

Shape = tuple[int, ...]
NO_LOOP = "arrays hold all rows at once: write array operations, without the loop"
_CONTAINER = ast.List | ast.Tuple | ast.ListComp | ast.Dict | ast.DictComp
_AXIS_THIRD = ("linalg.norm", "percentile", "quantile", "diff", "roll")  # `axis` is their third parameter
_MOST = 8  # places that mix rows


def for_terms(failure: RewardFailure, source: str, shapes: Mapping[str, Shape]) -> str:
    """A failure's message with the line of each term that it names, and what to write instead.

    Args:
        shapes: parameter to the shape of one row.
    """
    if failure.kind in ("exception", "mutated_input", "timed_out", "out_of_memory", "killed"):
        return str(failure)  # the process names the line
    tree = parse(source)
    if failure.kind == "wrong_terms":
        last = max((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)), default=1)
        return f"Line {last}: {failure}"
    places: list[Problem] = []
    if failure.kind in ("rows_not_independent", "wrong_shape") and str(failure).startswith("Term"):
        places = mixing(tree, shapes)
    values, lines = _term_values(tree), []
    for line in str(failure).split("\n"):
        term, shape = re.match(r"Term '([^']+)'", line), re.search(r"has shape (\(.*?\)), expected", line)
        value = values.get(term[1]) if term else None
        hint = _for_shape(shape[1], base(value) if value else "x", *shapes) if shape and not places else ""
        lines.append(f"Line {value.lineno}: {line}{hint}" if value else f"{line}{hint}")
    if failure.kind == "rows_not_independent" and not places:
        lines.append("A row's terms may depend on that row alone: reduce over `axis=1`, not over the rows.")
    return "\n".join([*lines, *map(str, places)])


def _term_values(tree: ast.Module) -> dict[str, ast.expr]:
    """Term to the expression that it is given, where its key is a literal."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        found[key.value] = value
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as name))], value=value):
                found[name] = value
    return found


def _for_shape(shape: str, value: str, observable: str, *_: str) -> str:
    """The replacement for a term of that shape, "(N, 3)", and that expression."""
    if shape == "()":
        return f": write `{value} * np.ones(len({observable}))`, or add `axis=1` to the reduction"
    if shape == "(N, N)":
        return ": an (N,) and an (N, 1) array were combined: write `x[:, 0]` in place of `x[:, :1]`"
    if shape.startswith("(N, "):
        return f": write `{value}[:, 0]`" + ("" if shape == "(N, 1)" else f", or `{value}.sum(axis=1)`")
    return ": it was reduced over the N rows, or joins them: reduce over `axis=1`"


def mixing(tree: ast.Module, shapes: Mapping[str, Shape]) -> list[Problem]:
    """Where a program may mix the rows of a batch, with what to write instead."""
    lists = {
        node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, _CONTAINER)
    }
    found = [
        Problem(getattr(node, "lineno", 1), f"`{code(node)}` mixes rows: {instead}")
        for node in ast.walk(tree)
        for instead in _instead(node, shapes, lists)
    ]
    return sorted(found, key=lambda problem: problem.line)[:_MOST]


def _instead(node: ast.AST, shapes: Mapping[str, Shape], lists: set[str]) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute()) if (x := operand(node)) is not None:
            is_list = isinstance(x, _CONTAINER) or (isinstance(x, ast.Name) and x.id in lists)
            yield from _instead_of_call(node, x, _rank(x, shapes), is_list)
        case ast.Call(func=ast.Name(id="sum" | "max" | "min" as name), args=[ast.Name(id=x)]) if x in shapes:
            yield f"write `{f'np.{name}({x}, axis=1)' if shapes[x] else x}`"
        case ast.Subscript(value=ast.Name() | ast.BinOp() as x, slice=index, ctx=ast.Load()):
            is_list = isinstance(x, ast.Name) and (x.id in lists or x.id.isupper())
            if _rank(x, shapes) == 1:
                yield f"write `{code(x)}`, one number a row; for the value before the step `prev_{code(x)}`"
            elif _takes_rows(index) and not is_list:
                rest = index.elts[-1] if isinstance(index, ast.Tuple) else index
                yield f"write `{base(x)}[:, {code(rest)}]`"
        case ast.For(iter=ast.Name(id=x)) if x in shapes:
            yield NO_LOOP
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            if any(re.match(r"len\(|.*\.shape\[0\]", code(each)) for each in arguments):
                yield NO_LOOP


def _instead_of_call(node: ast.Call, x: ast.expr, rank: int, is_list: bool) -> Iterator[str]:
    """
    Args:
        x: what the function is given, or the method is called on.
        rank: 1 where x is (N,), 2 where it is (N, k), 0 where that isn't known.
    """
    module, path = module_path(node.func)
    name = path or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    place = 1 + (name in _AXIS_THIRD) if module else 0
    axis = _axis_of(node, place)
    if name in REDUCTIONS and axis in (None, 0, -2) and not (is_list and axis == 0):
        new_axis = ast.keyword("axis", ast.Constant(0 if is_list else 1))
        written = f"`{code(ast.Call(node.func, node.args[:place], [new_axis]))}`"
        alone = f"`np.abs({code(x)})`" if name == "linalg.norm" else f"`{code(x)}`"
        yield f"write {f'{alone}, one number a row already' if rank == 1 else written}" + (
            "" if rank or is_list else f", or, where it is (N,), {alone}"
        )
    elif name in ALONG_AXIS and (axis in (0, -2) or (axis is None and rank != 2)):
        if name in ("diff", "roll", "gradient"):
            yield f"for the change over a step write `{code(x)} - prev_{code(x)}`"
        elif name.startswith("cum"):
            yield "what adds up over an episode is a tracker, or a difference to `init_<observable>`"
        else:
            yield f"write `np.{name}({code(x)}, axis=1)`"
    elif name == "concatenate" and axis in (None, 0):
        yield f"write `np.stack({code(x)}, axis=1)` of (N,), `np.concatenate({code(x)}, axis=1)` of (N, k)"
    elif name == "squeeze" and axis is None:
        yield f"it drops the batch axis when N is 1: write `{base(x)}[:, 0]`"
    elif name in ("dot", "inner"):
        written = (
            f"{code(x)} * {code(node.args[-1])}" if rank == 1 else f"dot({code(x)}, {code(node.args[-1])})"
        )
        yield f"write `{written}`"


def _rank(x: ast.expr, shapes: Mapping[str, Shape]) -> int:
    return 1 + len(shapes[x.id]) if isinstance(x, ast.Name) and x.id in shapes else 0


def _axis_of(node: ast.Call, place: int) -> int | None:
    """The axis that a call is given, by name or in that place; 99 where it is no number, None without one."""
    given = [each.value for each in node.keywords if each.arg == "axis"] or node.args[place:][:1]
    text = code(given[0]) if given else "None"
    return None if text == "None" else int(text) if re.fullmatch(r"-?\d+", text) else 99


def _takes_rows(index: ast.expr) -> bool:
    """Whether an index selects among the rows: `x[2]`, `x[-1]`, `x[::-1]`, `x[[0, 1]]`, `x[0, 2]`."""
    first = index.elts[0] if isinstance(index, ast.Tuple) and index.elts else index
    return bool(re.match(r"-?\d|\[|.*:.*\d|\d.*:", code(first)))


def with_n(shape: Shape, rows: int) -> str:
    """A shape as text, with the batch axis as N: "(N, 3)"."""
    inner = ["N" if size == rows and rows > 1 else str(size) for size in shape]
    return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"


def operand(node: ast.AST) -> ast.expr | None:
    """The array that a reduction is given: `x` in `x.sum(axis=1)` and in `np.sum(x, axis=1)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if module_path(node.func)[0]:
        return node.args[0] if node.args else None
    return node.func.value


def base(node: ast.AST) -> str:
    """An expression as it may stand before `.name` or `[index]`."""
    simple = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    return code(node) if simple else f"({code(node)})"
