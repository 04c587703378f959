"""The parts of a program: imports, constants, helpers, the entry point."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from eureka_loop.reward.allowed import CREATION, ELEMENTWISE, IMPORTS
from eureka_loop.reward.contract import ENTRY_POINTS, Kind
from eureka_loop.reward.parsing import dropped, module_path
from eureka_loop.reward.problems import Problems, code

_LOOKALIKES = ("reward", "fitness", "success", "compute", "score")
_THERE = "programs have `np`, `math` and the shaping functions"
_IMMUTABLE = ast.Constant | ast.UnaryOp | ast.BinOp | ast.Tuple | ast.Name | ast.Attribute


@dataclass(slots=True)
class Layout:
    """What stands at the top level, in order.

    Attributes:
        functions: the helpers, without the entry point.
        entry: the function that is called; None where the program has none of that name.
    """

    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    entry: ast.FunctionDef | None = None


def read_layout(tree: ast.Module, kind: Kind, problems: Problems) -> Layout:
    """Sort the top level; reports what may not stand there."""
    layout = Layout()
    for statement in tree.body:
        _take(statement, layout, problems)
    layout.entry = layout.functions.pop(ENTRY_POINTS[kind], None)
    if layout.entry is None:
        _report_no_entry(layout, kind, problems)
    return layout


def check_import(node: ast.Import | ast.ImportFrom, problems: Problems) -> None:
    """An import out of habit is overlooked; any other is refused."""
    if dropped(node):
        return
    if isinstance(node, ast.ImportFrom):
        module = (node.module or "").replace("numpy", "np", 1)
        names = ", ".join(f"`{module}.{alias.name}`" for alias in node.names if alias.name != "*")
        told = f"write {names}" if module.split(".")[0] in ("np", "math") and names else _THERE
        problems.add(node, f"`{code(node)}`: nothing can be imported; {told}")
        return
    for alias in node.names:
        if (alias.name, alias.asname or alias.name) not in IMPORTS:
            problems.add(node, f"`import {alias.name}`: nothing can be imported; {_instead_of(alias.name)}")


def _instead_of(module: str) -> str:
    if module in ("numpy", "math"):
        return f"write `import {'numpy as np' if module == 'numpy' else 'math'}`, or leave it out"
    libraries = ("torch", "jax", "tensorflow", "cupy")
    return "arrays are numpy's: write `np` functions" if module.split(".")[0] in libraries else _THERE


def _take(node: ast.stmt, layout: Layout, problems: Problems) -> None:
    match node:
        case ast.FunctionDef(name=name):
            if name in layout.functions or name in layout.constants:
                problems.add(node, f"`{name}` is defined twice: leave one out")
            layout.functions[name] = node
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            _constant(node, name, value, layout, problems)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            _constant(node, name, value, layout, problems)
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
            pass  # imports are looked at wherever they stand
        case ast.ClassDef() | ast.AsyncFunctionDef():
            pass  # refused as such
        case _:
            problems.add(
                node, f"`{code(node, 40)}` stands outside a function: only constants and functions may"
            )


def _constant(node: ast.stmt, name: str, value: ast.expr, layout: Layout, problems: Problems) -> None:
    """Immutable: numbers, text, tuples of them, arithmetic with them, and arrays, which are frozen."""
    if name in layout.constants or name in layout.functions:
        problems.add(node, f"`{name}` is set twice: a constant keeps its value")
    layout.constants[name] = value
    for part in _parts(value):
        instead = _not_constant(f"{name} = " if part is value else "", part)
        if instead:
            problems.add(part, f"constant `{name}` {instead}")


def _not_constant(assigned: str, node: ast.expr) -> str:
    """Why a part of a constant could change; "" where it can't.

    Args:
        assigned: "X = " where the part is the whole constant.
    """
    if isinstance(node, ast.List):
        comma = "," if len(node.elts) == 1 else ""
        return f"is a list, which can change: write a tuple, `{assigned}({code(node)[1:-1]}{comma})`"
    if isinstance(node, ast.Dict | ast.Set):
        return "can change: write one constant a value, or weights after `*`"
    if isinstance(node, ast.Lambda):
        return f"is a function: write `def f({code(node.args)}): return {code(node.body)}`"
    if not isinstance(node, _IMMUTABLE) and not _makes_array(node):
        return f"is made of numbers, text, tuples and arrays of numbers, not of `{code(node)}`"
    return ""


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The node and those within it, down to what makes an array."""
    yield node
    if isinstance(node, _IMMUTABLE):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _parts(child)


def _makes_array(node: ast.expr) -> bool:
    """`np.array([0.0, 1.0])`, `np.deg2rad(30)`, `math.radians(30)`: fixed numbers in, frozen numbers out."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    module, name = module_path(node.func)
    known = module == "math" or name in ELEMENTWISE or name in CREATION
    return bool(module) and known and all(map(_is_numeric, ast.walk(node)))


def _is_numeric(node: ast.AST) -> bool:
    """Nothing to make an array of objects of: that could be frozen, but not what it holds."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    plain = ast.List | ast.Call | _IMMUTABLE | ast.expr_context | ast.operator | ast.unaryop | ast.keyword
    return isinstance(node, plain) and not (isinstance(node, ast.Attribute) and node.attr == "dtype")


def _report_no_entry(layout: Layout, kind: Kind, problems: Problems) -> None:
    wanted = ENTRY_POINTS[kind]
    near = [name for name in layout.functions if any(part in name.lower() for part in _LOOKALIKES)]
    named = near or list(layout.functions)[-1:]
    if named:
        node = layout.functions[named[-1]]
        problems.add(node, f"there is no function `{wanted}`: rename `{named[-1]}`")
    else:
        problems.add(1, f"there is no function `{wanted}`: write `def {wanted}(...):`")
