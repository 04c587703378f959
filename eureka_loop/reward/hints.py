"""From an exception of a program to its cause and the code to write instead.

A hint goes by the exception's text and the expression that raised it, with the shapes of its operands.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from eureka_loop.reward.allowed import NUMPY
from eureka_loop.reward.parsing import code
from eureka_loop.reward.term_hints import NO_LOOP, Shape, base, mixing, operand, with_n


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a program raised an exception.

    Attributes:
        path: the syntax nodes around the expression that raised it, from that expression outwards.
        function: the program's function that was running.
        rows: how many rows the batch had.
        shape: the shape of a subexpression's value there; None where it is no array or number.
        inputs: parameter to the shape of one row; None where rows may be mixed (fitness, success).
    """

    path: tuple[ast.AST, ...]
    function: str
    rows: int
    shape: Callable[[ast.expr], Shape | None]
    inputs: Mapping[str, Shape] | None

    @property
    def node(self) -> ast.AST:
        return self.path[0]

    def mixed_before(self) -> str:
        """The places that may have mixed rows, so that something here has no batch axis any more."""
        if self.inputs is None or not isinstance(self.path[-1], ast.Module):
            return ""
        return "\n".join(["", *map(str, mixing(self.path[-1], self.inputs))])

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
        f"write `{instead}`" if known else NO_LOOP
    )


def _axis(spot: Spot, _: str) -> str:
    """A reduction over `axis=1` of what has no such axis."""
    x = operand(spot.node)
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
    return f"{spot.described(value)}: its last component is `{base(value)}[:, {shape[-1] - 1}]`"


def _broadcast(spot: Spot, _: str) -> str:
    """Two arrays with shapes that don't fit row by row."""
    shapes = {each: shape for each in _operands(spot.node) if (shape := spot.shape(each))}
    if len(shapes) < 2:
        return ""
    both = " and ".join(map(spot.described, shapes))
    if isinstance(spot.node, ast.BinOp) and isinstance(spot.node.op, ast.MatMult):
        return f"{both}: write `dot({code(spot.node.left)}, {code(spot.node.right)})`"
    if any(shape[0] != spot.rows for shape in shapes.values()) and (mixed := spot.mixed_before()):
        return f"{both}, which don't fit row by row{mixed}"
    narrow = [each for each, shape in shapes.items() if len(shape) == 1 and shape[0] == spot.rows]
    wide = [each for each, shape in shapes.items() if len(shape) > 1]
    if narrow and wide:
        column = f"`{base(narrow[0])}[:, None]`, or take a component, `{base(wide[0])}[:, 0]`"
        return f"{both}, which don't fit row by row: write {column}"
    longest = max(shapes, key=lambda each: shapes[each][-1])
    least = min(shape[-1] for shape in shapes.values())
    return f"{both}, which don't fit row by row: write `{base(longest)}[:, :{least}]`"


def _unpack(spot: Spot, _: str) -> str:
    """`x, y, z = torso_pos` goes through the rows."""
    for node in spot.path:
        if isinstance(node, ast.Assign) and spot.shape(node.value):
            target = code(node.targets[0]).strip("()")
            return f"{spot.described(node.value)}: write `{target} = {base(node.value)}.T`"
    return ""


def _read_only(spot: Spot, _: str) -> str:
    """A statement that changes an input or a constant."""
    for node in spot.path:
        match node:
            case ast.AugAssign(target=ast.Name(id=name)):
                written = f"{name} = {code(ast.BinOp(ast.Name(name), node.op, node.value))}"
                return f"the inputs are read-only: write `{written}`"
            case ast.AugAssign(target=ast.Subscript(value=x)) | ast.Assign(targets=[ast.Subscript(value=x)]):
                return f"the inputs are read-only: begin with `{code(x)} = {base(x)}.copy()`"
    return "the inputs are read-only: work on a copy, `x = x.copy()`"


def _undefined(spot: Spot, text: str) -> str:
    name = text.partition("'")[2].partition("'")[0]
    if "UnboundLocal" in text:
        return f"`{name}` has no value yet: assign it before, or rename it where it hides a function"
    if spot.function.startswith("<"):
        return f"`{name}` is not defined here"
    call = f"{spot.function}(..., {name})"
    return f"`{name}` is not defined in `{spot.function}`: pass it as a parameter, `{call}`"


_HINTS: tuple[tuple[str, Callable[[Spot, str], str]], ...] = (
    (r"truth value of an array", _condition),
    (r"only (length-1|0-dimensional|integer scalar) arrays", _one_number),
    (r"AxisError|axis \d+ is out of bounds for array", _axis),
    (r"IndexError", _index),
    (r"could not be broadcast|shape mismatch|matmul|not aligned|must match exactly|same shape", _broadcast),
    (r"to unpack", _unpack),
    (r"read-only|WRITEABLE", _read_only),
    (r"NameError|UnboundLocalError", _undefined),
)


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
