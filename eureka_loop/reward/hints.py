"""From a failure of the dry run to its cause and the code to write instead.

`for_exception` goes by the exception and the expression that raised it, with its operands' shapes.
`for_terms` goes by the terms that failed; where rows turned out to be mixed, it finds what mixes rows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from eureka_loop.errors import Problem, RewardFailure
from eureka_loop.reward.allowed import ALONG_AXIS, NUMPY, REDUCTIONS
from eureka_loop.reward.parsing import code, module_path, parse

Shape = tuple[int, ...]
_NO_LOOP = "arrays hold all rows at once: write array operations, without the loop"
_CONTAINER = ast.List | ast.Tuple | ast.ListComp | ast.Dict | ast.DictComp
_MOST = 8  # places that mix rows


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a program raised an exception.

    Attributes:
        path: the syntax nodes around the expression that raised it, from that expression outwards.
        function: the program's function that was running.
        rows: how many rows the batch had.
        shape: the shape of a subexpression's value there; None where it is no array or number.
        inputs: observable to the shape of one row.
    """

    path: tuple[ast.AST, ...]
    function: str
    rows: int
    shape: Callable[[ast.expr], Shape | None]
    inputs: Mapping[str, Shape]

    @property
    def node(self) -> ast.AST:
        return self.path[0]

    def mixed_before(self) -> str:
        """The places that may have mixed rows, so that something here has no batch axis any more."""
        assert isinstance(self.path[-1], ast.Module)
        return "\n".join(["", *map(str, _mixing(self.path[-1], self.inputs))])

    def described(self, node: ast.expr) -> str:
        """ "`torso_pos` is (N, 3)"."""
        shape = self.shape(node)
        return f"`{code(node)}` is {with_n(shape, self.rows) if shape is not None else 'no array'}"


def for_exception(text: str, spot: Spot) -> str:
    """Cause and replacement for an exception, "AxisError: axis 1 is ..."; "" where none is known."""
    for pattern, hint in _HINTS:
        if re.search(pattern, text):
            return hint(spot, text)
    return ""


def with_n(shape: Shape, rows: int) -> str:
    """A shape as text, with the batch axis as N: "(N, 3)"."""
    inner = ["N" if size == rows and rows > 1 else str(size) for size in shape]
    return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"


def _condition(spot: Spot, _: str) -> str:
    """A condition on an array: in `if`, `and`, `or`, `not`, `a < x < b`, `max(x, 0)`."""
    test = spot.node
    for parent in spot.path:
        if isinstance(parent, ast.If | ast.IfExp) and test in (parent.test, parent):
            return f"`if` on an array of N rows. Write `{_where(parent)}`."
        negated = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        if not (parent is test or negated or isinstance(parent, ast.BoolOp)):
            break
        test = parent
    if isinstance(test, ast.Call) and (name := code(test.func)) in ("max", "min"):
        arguments = ", ".join(map(code, test.args))
        written = (
            f"np.{name}imum({arguments})" if len(test.args) == 2 else f"np.{name}([{arguments}], axis=0)"
        )
        return f"`{name}` compares whole arrays: write `{written}`"
    written = _elementwise(test)
    return f"`{code(test)}` on an array of N rows. Write `{written}`." if written != code(test) else ""


def _where(node: ast.If | ast.IfExp) -> str:
    condition = _elementwise(node.test)
    if isinstance(node, ast.IfExp):
        return f"np.where({condition}, {code(node.body)}, {code(node.orelse)})"
    match node.body, node.orelse:
        case [ast.Assign(targets=[x], value=a)], [ast.Assign(targets=[y], value=b)] if code(x) == code(y):
            return f"{code(x)} = np.where({condition}, {code(a)}, {code(b)})"
        case [ast.Assign(targets=[x], value=a)], []:
            return f"{code(x)} = np.where({condition}, {code(a)}, {code(x)})"
        case [ast.AugAssign(target=x, op=ast.Add(), value=a)], []:
            return f"{code(x)} = {code(x)} + np.where({condition}, {code(a)}, 0.0)"
    return f"np.where({condition}, a, b)"


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


def _one_number(spot: Spot, _: str) -> str:
    """`math.exp(x)`, `float(x)`, `range(x)` of an array."""
    if not isinstance(spot.node, ast.Call):
        return ""
    name, arguments = code(spot.node.func).removeprefix("math."), ", ".join(map(code, spot.node.args))
    instead = arguments if name in ("float", "int", "bool") else f"np.{name}({arguments})"
    known = instead == arguments or name in NUMPY
    return f"`{code(spot.node)}` takes one number, not an array: " + (
        f"write `{instead}`" if known else _NO_LOOP
    )


def _axis(spot: Spot, _: str) -> str:
    """A reduction over `axis=1` of what has no such axis."""
    x = _operand(spot.node)
    if x is None or len(spot.shape(x) or ()) != 1:
        return ""
    written = f"np.abs({code(x)})" if code(spot.node).startswith("np.linalg.norm(") else code(x)
    return f"{spot.described(x)}, one number a row already: write `{written}`"


def _index(spot: Spot, text: str) -> str:
    """An index that the array hasn't got."""
    if not isinstance(spot.node, ast.Subscript):
        return ""
    value = spot.node.value
    if spot.shape(value) == ():
        return f"{spot.described(value)}{spot.mixed_before()}"
    if "too many indices" in text:
        return f"{spot.described(value)}, it has no components: write `{code(value)}`"
    shape = spot.shape(value) or ()
    if len(shape) < 2 or shape[0] != spot.rows:
        return ""
    return f"{spot.described(value)}: its last component is `{_base(value)}[:, {shape[-1] - 1}]`"


def _broadcast(spot: Spot, _: str) -> str:
    """Two arrays whose shapes don't fit row by row."""
    shapes = {each: shape for each in _operands(spot.node) if (shape := spot.shape(each))}
    if len(shapes) < 2:
        return ""
    told = " and ".join(map(spot.described, shapes))
    if isinstance(spot.node, ast.BinOp) and isinstance(spot.node.op, ast.MatMult):
        return f"{told}: write `dot({code(spot.node.left)}, {code(spot.node.right)})`"
    if any(shape[0] != spot.rows for shape in shapes.values()) and (mixed := spot.mixed_before()):
        return f"{told}, which don't fit row by row{mixed}"
    narrow = [each for each, shape in shapes.items() if len(shape) == 1 and shape[0] == spot.rows]
    wide = [each for each, shape in shapes.items() if len(shape) > 1]
    if narrow and wide:
        column = f"`{_base(narrow[0])}[:, None]`, or take a component, `{_base(wide[0])}[:, 0]`"
        return f"{told}, which don't fit row by row: write {column}"
    longest = max(shapes, key=lambda each: shapes[each][-1])
    least = min(shape[-1] for shape in shapes.values())
    return f"{told}, which don't fit row by row: write `{_base(longest)}[:, :{least}]`"


def _unpack(spot: Spot, _: str) -> str:
    """`x, y, z = torso_pos` goes through the rows."""
    for node in spot.path:
        if isinstance(node, ast.Assign) and spot.shape(node.value):
            target = code(node.targets[0]).strip("()")
            return f"{spot.described(node.value)}: write `{target} = {_base(node.value)}.T`"
    return ""


def _read_only(spot: Spot, _: str) -> str:
    """A statement that changes an input or a constant."""
    for node in spot.path:
        match node:
            case ast.AugAssign(target=ast.Name(id=name)):
                written = f"{name} = {code(ast.BinOp(ast.Name(name), node.op, node.value))}"
                return f"the inputs are read-only: write `{written}`"
            case ast.AugAssign(target=ast.Subscript(value=x)) | ast.Assign(targets=[ast.Subscript(value=x)]):
                return f"the inputs are read-only: begin with `{code(x)} = {_base(x)}.copy()`"
    return "the inputs are read-only: work on a copy, `x = x.copy()`"


def _undefined(spot: Spot, text: str) -> str:
    name = text.partition("'")[2].partition("'")[0]
    if "UnboundLocal" in text:
        return f"`{name}` has no value yet: assign it before, or rename it where it hides a function"
    if spot.function.startswith("<"):
        return f"`{name}` is not defined here"
    call = f"{spot.function}(..., {name})"
    return f"`{name}` is not defined in `{spot.function}`: pass it as a parameter, `{call}`"


def _hidden_function(spot: Spot, _: str) -> str:
    name = code(spot.node.func) if isinstance(spot.node, ast.Call) else "it"
    return f"`{name}` is a variable here, and hides the function: rename the variable, `{name}_value`"


def _ragged(spot: Spot, _: str) -> str:
    return f"`{code(spot.node)}`: give numbers a row axis, `0.0 * x + w`, or write `np.maximum(x, w)`"


_HINTS: tuple[tuple[str, Callable[[Spot, str], str]], ...] = (
    (r"truth value of an array", _condition),
    (r"only (length-1|0-dimensional|integer scalar) arrays", _one_number),
    (r"AxisError|axis \d+ is out of bounds for array", _axis),
    (r"IndexError", _index),
    (r"could not be broadcast|shape mismatch|matmul|not aligned|must match exactly|same shape", _broadcast),
    (r"to unpack", _unpack),
    (r"read-only|WRITEABLE", _read_only),
    (r"NameError|UnboundLocalError", _undefined),
    (r"object is not callable", _hidden_function),
    (r"inhomogeneous", _ragged),
)


def _operand(node: ast.AST) -> ast.expr | None:
    """The array that a reduction is given: `x` in `x.sum(axis=1)` and in `np.sum(x, axis=1)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if module_path(node.func)[0]:
        return node.args[0] if node.args else None
    return node.func.value


def _operands(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
            return [left, right]
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            return [ast.Name(name, ast.Load()), value]
        case ast.Call(args=[ast.List(elts=items), *_]):
            return items
        case ast.Call(args=arguments):
            return arguments
    return []


def _base(node: ast.AST) -> str:
    """An expression as it may stand before `.name` or `[index]`."""
    simple = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    return code(node) if simple else f"({code(node)})"


# Terms, and what mixes rows


def for_terms(failure: RewardFailure, source: str, shapes: Mapping[str, Shape]) -> str:
    """A failure's message with the line of each term that it names, and what to write instead.

    Args:
        shapes: parameter to the shape of one row.
    """
    tree = parse(source)
    values, lines = _term_values(tree), str(failure).split("\n")
    if failure.kind == "wrong_terms":
        last = max((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)), default=1)
        return f"Line {last}: {failure}"
    mixing = _mixing(tree, shapes) if failure.kind in ("rows_not_independent", "wrong_shape") else []
    if "shape (N, N)" in str(failure):
        mixing = _columns(tree) or mixing
    for place, line in enumerate(lines):
        term, shape = re.match(r"Term '([^']+)'", line), re.search(r"has shape (\(.*?\)), expected", line)
        value = values.get(term[1]) if term else None
        if shape and not mixing:
            lines[place] += _for_shape(
                shape[1], _base(value) if value is not None else "x", next(iter(shapes))
            )
        if value is not None:
            lines[place] = f"Line {value.lineno}: {lines[place]}"
    if failure.kind == "rows_not_independent" and not mixing:
        lines.append(
            "A row's terms may depend on that row alone: reduce over `axis=1`, never over the N rows."
        )
    return "\n".join([*lines, *map(str, mixing)])


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


def _for_shape(shape: str, value: str, observable: str) -> str:
    """What to write for a term of that shape, "(N, 3)", and that expression."""
    if shape == "()":
        return f": write `{value} * np.ones(len({observable}))`, or add `axis=1` to the reduction"
    if shape == "(N, N)":
        return ": an (N,) and an (N, 1) array were combined"
    if shape.startswith("(N, "):
        return f": write `{value}[:, 0]`" + ("" if shape == "(N, 1)" else f", or `{value}.sum(axis=1)`")
    return ": it was reduced over the N rows, or joins them: reduce over `axis=1`"


def _mixing(tree: ast.Module, shapes: Mapping[str, Shape]) -> list[Problem]:
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


def _columns(tree: ast.Module) -> list[Problem]:
    """Where a program takes one component that keeps its axis, (N, 1)."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=x, slice=ast.Tuple(elts=[ast.Slice(), ast.Slice(lower=first)])):
                written = f"{_base(x)}[:, {code(first) if first else 0}]"
                found.append(Problem(node.lineno, f"`{code(node)}` may be (N, 1): write `{written}`"))
            case ast.Call(keywords=[*_, ast.keyword(arg="keepdims")]):
                found.append(Problem(node.lineno, f"`{code(node)}` is (N, 1): write it without `keepdims`"))
    return found[:_MOST]


def _instead(node: ast.AST, shapes: Mapping[str, Shape], lists: set[str]) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute()) if (x := _operand(node)) is not None:
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
                yield f"write `{_base(x)}[:, {code(rest)}]`"
        case ast.For(iter=ast.Name(id=x)) if x in shapes:
            yield _NO_LOOP
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            if any(re.match(r"len\(|.*\.shape\[0\]", code(each)) for each in arguments):
                yield _NO_LOOP


def _instead_of_call(node: ast.Call, x: ast.expr, rank: int, is_list: bool) -> Iterator[str]:
    """
    Args:
        x: what the function is given, or the method is called on.
        rank: 1 where x is (N,), 2 where it is (N, k), 0 where that isn't known.
    """
    module, path = module_path(node.func)
    name = path or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    axis = _axis_of(node, 9 if name in ("diff", "roll") else bool(module))
    if name in REDUCTIONS and axis in (None, 0, -2) and not (is_list and axis == 0):
        written = f"`{_with_axis(node, 0 if is_list else 1)}`"
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
        yield f"it drops the batch axis when N is 1: write `{_base(x)}[:, 0]`"
    elif name in ("dot", "inner"):
        written = (
            f"{code(x)} * {code(node.args[-1])}" if rank == 1 else f"dot({code(x)}, {code(node.args[-1])})"
        )
        yield f"write `{written}`"
    elif name == "einsum" and not code(x).strip("'").partition("->")[2]:
        yield "keep the batch's index in the output, `np.einsum('ni,ni->n', a, b)`"


def _rank(x: ast.expr, shapes: Mapping[str, Shape]) -> int:
    return 1 + len(shapes[x.id]) if isinstance(x, ast.Name) and x.id in shapes else 0


def _axis_of(node: ast.Call, place: int) -> int | None:
    """The axis that a call is given, by name or in that place; 99 where it is no number, None without one."""
    given = [each.value for each in node.keywords if each.arg == "axis"] or node.args[place:][:1]
    text = code(given[0]) if given else "None"
    return None if text == "None" else int(text) if re.fullmatch(r"-?\d+", text) else 99


def _with_axis(node: ast.Call, axis: int) -> str:
    kept = node.args[:1] if module_path(node.func)[0] else []
    return code(ast.Call(node.func, kept, [ast.keyword("axis", ast.Constant(axis))]))


def _takes_rows(index: ast.expr) -> bool:
    """Whether an index selects among the rows: `x[2]`, `x[-1]`, `x[::-1]`, `x[[0, 1]]`, `x[0, 2]`."""
    first = index.elts[0] if isinstance(index, ast.Tuple) and index.elts else index
    return bool(re.match(r"-?\d|\[|.*:.*\d|\d.*:", code(first)))
