"""From a program's failure to its cause and the code to write instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence

from eureka_loop.errors import Problem, RewardFailure
from eureka_loop.reward.allowed import NUMPY, REDUCTIONS, TYPES
from eureka_loop.reward.contract import Program
from eureka_loop.reward.parsing import code, module_path, parse

Shape = tuple[int, ...]
Path = Sequence[ast.AST]  # the expression that raised an exception, and the nodes around it, outwards

_NO_LOOP = "arrays hold all rows at once: write array operations, without the loop"
_CONTAINER, _LIST = ast.List | ast.Tuple | ast.ListComp | ast.Dict | ast.DictComp, -1
_OF_MIXING = ("exception", "rows_not_independent", "wrong_shape")  # failures that it may cause
_MOST = 8  # places that mix rows
_ALONG_ROWS = ("diff", "roll", "gradient", "cumsum", "cumprod", "sort")  # and the reductions


def for_failure(failure: RewardFailure, program: Program, shapes: Mapping[str, Shape]) -> str:
    """A failure's message with the line of each term that it names, and what to write instead.

    Args:
        shapes: parameter to the shape of one row.
    """
    text, tree = str(failure), parse(program.source)
    if failure.kind == "wrong_terms":
        last = max((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)), default=1)
        return f"Line {last}: {text}"
    # A message that holds a replacement needs no other.
    may_mix = program.kind == "reward" and failure.kind in _OF_MIXING and "rite `" not in text
    places = [str(place) for place in mixing(tree, shapes)] if may_mix else []
    if failure.kind == "rows_not_independent" and not places:
        places = ["A row's terms may depend on that row alone: reduce over `axis=1`, not over the rows."]
    values, lines = _term_values(tree), []
    for line in text.split("\n"):
        term, shape = re.match(r"Term '([^']+)'", line), re.search(r"has shape (\(.*?\)), expected", line)
        value = values.get(term[1]) if term else None
        if term and shape and not places:
            line += _for_shape(shape[1], _base(value) if value else "x", next(iter(shapes)))
        lines.append(f"Line {value.lineno}: {line}" if value else line)
    return "\n".join([*lines, *places])


def _term_values(tree: ast.Module) -> dict[object, ast.expr]:
    """Term to the expression that it is given, where its key is a literal."""
    found: dict[object, ast.expr] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                found |= {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=value):
                found[name] = value
    return found


def _for_shape(shape: str, value: str, observable: str) -> str:
    """The replacement for a term of that shape, "(N, 3)", with that expression as its value."""
    if shape == "()":
        return f": write `{value} * np.ones(len({observable}))`, or add `axis=1` to the reduction"
    if shape.startswith("(N, "):
        return f": write `{value}[:, 0]`" + ("" if shape == "(N, 1)" else f", or `{value}.sum(axis=1)`")
    return ": it was reduced over the N rows, or joins them: reduce over `axis=1`"


# Code that mixes the rows of a batch


def mixing(tree: ast.Module, shapes: Mapping[str, Shape]) -> list[Problem]:
    """Where a program may mix the rows of a batch, with what to write instead.

    Args:
        shapes: parameter to the shape of one row.
    """
    nodes, ranks = list(ast.walk(tree)), {name: 1 + len(shape) for name, shape in shapes.items()}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, _CONTAINER):
            ranks[code(node.targets[0])] = _LIST
    found = [
        Problem(getattr(node, "lineno", 1), f"`{code(node)}` mixes rows: {instead}")
        for node in nodes
        if (instead := _instead(node, ranks))
    ]
    return sorted(found, key=lambda problem: problem.line)[:_MOST]


def _rank(x: ast.expr, ranks: Mapping[str, int]) -> int:
    """1 for (N,), 2 or more for (N, k), `_LIST` for a list or a constant, 0 for what isn't known."""
    name = x.id if isinstance(x, ast.Name) else ""
    return _LIST if isinstance(x, _CONTAINER) or name.isupper() else ranks.get(name, 0)


def _instead(node: ast.AST, ranks: Mapping[str, int]) -> str:
    match node:
        case ast.Call(func=ast.Attribute() as function) if (x := _operand(node)) is not None:
            return _instead_of_call(node, module_path(function)[1] or function.attr, x, _rank(x, ranks))
        case ast.Call(func=ast.Name(id="sum" | "max" | "min" as name), args=[x]) if _rank(x, ranks) > 0:
            return f"write `{f'np.{name}({code(x)}, axis=1)' if _rank(x, ranks) > 1 else code(x)}`"
        case ast.Subscript(value=ast.Name() | ast.BinOp() as x, slice=index, ctx=ast.Load()):
            return _instead_of_index(x, index, _rank(x, ranks))
        case ast.For(iter=x) if _rank(x, ranks) > 0:
            return _NO_LOOP
        case ast.Call(func=ast.Name(id="range")) if re.search(r"\(len\(|\.shape\[0\]", code(node)):
            return _NO_LOOP
    return ""


def _instead_of_call(node: ast.Call, name: str, x: ast.expr, rank: int) -> str:
    """
    Args:
        name: of the function or method.
        x: the argument of the function, or the array with the method.
    """
    axes = [each.value for each in node.keywords if each.arg == "axis"]
    axes += [each for each in node.args if name in REDUCTIONS and code(each).lstrip("-").isdigit()]
    axis = code(axes[0]).removeprefix("None") if axes else ""
    if axis not in ("", "0", "-2") or (rank == _LIST and axis == "0"):
        return ""
    alone = f"np.abs({code(x)})" if name == "linalg.norm" else code(x)
    if name in REDUCTIONS and rank == 1:
        return f"write `{alone}`, one number a row already"
    if name in REDUCTIONS:
        others = [each for each in node.args if each not in axes]
        keyword = ast.keyword("axis", ast.Constant(0 if rank == _LIST else 1))
        written = f"write `{code(ast.Call(node.func, others, [keyword]))}`"
        return written + ("" if rank else f", or, where it is (N,), `{alone}`")
    if name == "dot":
        a, b = code(x), code(node.args[-1] if node.args else x)
        return f"write `dot({a}, {b})` of (N, k), `{a} * {b}` of (N,)"
    if name in _ALONG_ROWS and (axis or rank < 2):
        return f"take `axis=1` of (N, k); for the change over a step write `{alone} - prev_{alone}`"
    return ""


def _instead_of_index(x: ast.expr, index: ast.expr, rank: int) -> str:
    parts = [code(each) for each in (index.elts if isinstance(index, ast.Tuple) else [index])] or ["()"]
    if rank == 1:
        return f"write `{code(x)}`, one number a row; for the value before the step `prev_{code(x)}`"
    if rank != _LIST and re.match(
        r"-?\d|\[|.*:.*\d|\d.*:", parts[0]
    ):  # `x[2]`, `x[-1]`, `x[::-1]`, `x[[0, 1]]`
        return f"write `{_base(x)}[:, {parts[-1]}]`"
    kept = re.fullmatch(r"(\d+):(\d+)", parts[-1])  # `x[:, 2:3]` is (N, 1), which (N,) joins to (N, N)
    return f"write `{_base(x)}[:, {kept[1]}]`" if kept and int(kept[2]) == int(kept[1]) + 1 else ""


def _operand(node: ast.AST) -> ast.expr | None:
    """The array that a reduction is given: `x` in `x.sum(axis=1)` and in `np.sum(x, axis=1)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if module_path(node.func)[0]:
        return node.args[0] if node.args else None
    return node.func.value


def _base(node: ast.AST) -> str:
    """An expression as it may stand before `.name` or `[index]`."""
    simple = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    return code(node) if simple else f"({code(node)})"


# Exceptions


def for_exception(text: str, path: Path, rows: int) -> str:
    """Cause and replacement for an exception, "AxisError: axis 1 is ..."; "" where none is known.

    Args:
        rows: of the batch; shapes in numpy's messages begin with it.
    """
    text = re.sub(r",(?=\d)", ", ", text.replace(f"({rows},", "(N,"))
    for pattern, hint in _HINTS:
        if found := re.search(pattern, text):
            return hint(path) if callable(hint) else hint.format(*found.groups(), **_parts(path))
    return ""


def _parts(path: Path) -> dict[str, str]:
    """Parts of the expression that raised an exception, and of the statement around it, as text."""
    parts = {"changed": "x"}
    for node in reversed(path):
        match node:
            case ast.FunctionDef(name=name):
                parts["function"] = name
            case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Subscript() as target]):
                parts["changed"] = code(target.value if isinstance(target, ast.Subscript) else target)
            case ast.Assign(targets=[target], value=value):
                parts |= {"target": code(target).strip("()"), "value": _base(value)}
            case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
                parts |= {"left": _base(left), "right": _base(right)}
            case ast.Subscript(value=x):
                parts["x"] = _base(x)
            case ast.Call(func=function, args=arguments):
                name, given = code(function).removeprefix("math."), ", ".join(map(code, arguments))
                parts |= {"x": code(_operand(node) or node), "call": code(node)}
                if name in NUMPY | TYPES:
                    parts["numpy"] = f"np.{name}({given})" if name in NUMPY else given
    return parts


def _condition(path: Path) -> str:
    """A condition on an array: in `if`, `and`, `or`, `not`, `a < x < b`, `max(x, 0)`."""
    test = path[0]
    for parent in path:
        if isinstance(parent, ast.If | ast.IfExp) and test in (parent.test, parent):
            values = (
                f"{code(parent.body)}, {code(parent.orelse)}" if isinstance(parent, ast.IfExp) else "a, b"
            )
            return f"`if` on an array of N rows. Write `np.where({_elementwise(parent.test)}, {values})`."
        joins = isinstance(parent, ast.BoolOp) or isinstance(getattr(parent, "op", None), ast.Not)
        if not (parent is test or joins):
            break
        test = parent
    if isinstance(test, ast.Call) and (name := code(test.func)) in ("max", "min"):
        two, arguments = len(test.args) == 2, ", ".join(map(code, test.args))
        written = f"np.{name}imum({arguments})" if two else f"np.{name}([{arguments}], axis=0)"
        return f"`{name}` compares whole arrays: write `{written}`"
    written = _elementwise(test)
    return f"`{code(test)}` on an array of N rows. Write `{written}`." if written != code(test) else ""


def _elementwise(node: ast.AST) -> str:
    """A condition as it is written for arrays."""
    match node:
        case ast.BoolOp(op=op, values=values):
            sign = " & " if isinstance(op, ast.And) else " | "
            return sign.join(f"({_elementwise(each)})" for each in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"~({_elementwise(operand)})"
        case ast.Compare(left=left, ops=ops, comparators=right) if len(ops) > 1:
            pairs = zip([left, *right], ops, right, strict=False)
            return " & ".join(f"({code(ast.Compare(a, [op], [b]))})" for a, op, b in pairs)
    return code(node)


_UNFIT = "`{left}` is {} and `{right}` is {}, which don't fit row by row: write "
_HINTS: tuple[tuple[str, str | Callable[[Path], str]], ...] = (
    (r"truth value of an array", _condition),
    (r"only (?:length-1|0-dimensional) arrays", "`{call}` takes one number, not an array: write `{numpy}`"),
    (r"only integer scalar arrays", _NO_LOOP),
    (r"AxisError.* dimension 1$", "`{x}` is (N,), one number a row already: write `{x}`"),
    (r"array is 1-dimensional", "`{x}` is (N,), it has no components: write `{x}`"),
    (r"for axis 1 with size", "there is no such component: the last is `{x}[:, -1]`"),
    (r"matmul", "`@` is no product row by row: write `dot({left}, {right})`"),
    (r"broadcast.* (\(N,\)) (\(N, .*\))", _UNFIT + "`{left}[:, None]`, or take a component, `{right}[:, 0]`"),
    (r"broadcast.* (\(N, .*\)) (\(N,\))", _UNFIT + "`{right}[:, None]`, or take a component, `{left}[:, 0]`"),
    (r"to unpack", "an array is unpacked row by row: write `{target} = {value}.T`"),
    (r"read-only|WRITEABLE", "the inputs are read-only: begin with `{changed} = {changed}.copy()`"),
    (r"local variable '(\w+)'", "`{}` has no value yet: assign it before this line"),
    (
        r"NameError: name '(\w+)'",
        "`{0}` is not defined in `{function}`: pass it as a parameter, `{function}(..., {0})`",
    ),
)
