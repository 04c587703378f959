"""Text to syntax tree: for the gate, which checks it, and for the reward process, which runs it."""

from __future__ import annotations
import __future__

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable
from types import CodeType

from eureka_loop.errors import Problem, Refused
from eureka_loop.reward.allowed import IMPORTS, IMPORTS_FROM, MODULES

FILENAME = "<program>"  # of the program's code objects
MAX_BYTES = 20_000
MAX_NODES = 2_000  # statements, expressions, arguments; operators and contexts aren't counted
MAX_DEPTH = 100  # far above what people write, far below the recursion limit of Python's compiler
TOO_DEEP = "nested too deeply: split the expression into steps with names"
CONSTANT = "@constant"  # wraps a module constant in the compiled program; no identifier, so it can't be named

_CONSTANTS = {"np.pi": math.pi, "math.pi": math.pi, "math.tau": math.tau, "np.e": math.e, "math.e": math.e}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,  # of floats: bounded, where `**` of integers is not
}
_UNCOUNTED = ast.operator | ast.unaryop | ast.cmpop | ast.boolop | ast.expr_context
# Marks of direction make a program read otherwise than it runs (Boucher and Anderson 2021, "Trojan Source").
_INVISIBLE = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def parse(source: str) -> ast.Module:
    """The syntax tree of a program's text; line numbers are the text's.

    Raises:
        Refused: the text is too long, nested too deeply, or not Python.
    """
    size = len(source.encode("utf-8", errors="surrogatepass"))
    if size > MAX_BYTES:
        raise _refused(f"the program is {size:,} bytes long; {MAX_BYTES:,} are allowed: shorten it")
    invisible = _INVISIBLE.search(source)
    if invisible is not None:
        line = source.count("\n", 0, invisible.start()) + 1
        raise _refused(f"the invisible character U+{ord(invisible[0]):04X} reorders text: remove it", line)
    tree = _parse(source)
    _check_limits(tree)
    return tree


def compiled(source: str) -> CodeType:
    """The code to run in `functions.namespace()`; lines are the text's.

    Ignored imports are left out, module constants frozen (a call of `CONSTANT`), annotations not evaluated.

    Raises:
        Refused: the text can't be parsed. Nothing else is checked.
        SyntaxError: what only the compiler finds.
    """
    tree = _WithoutImports().visit(_parse(source))
    for statement in tree.body:
        match statement:
            case ast.Assign(value=ast.expr() as value) | ast.AnnAssign(value=ast.expr() as value):
                freeze = ast.Call(ast.Name(CONSTANT, ast.Load()), [value], [])
                statement.value = ast.copy_location(freeze, value)
    ast.fix_missing_locations(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flags = __future__.annotations.compiler_flag
        code: CodeType = compile(tree, FILENAME, "exec", flags, dont_inherit=True)
        return code


def ignored(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import only names what a program has without it."""
    if isinstance(node, ast.Import):
        return all((alias.name, alias.asname or alias.name) in IMPORTS for alias in node.names)
    return node.module in IMPORTS_FROM and node.level == 0


def module_path(function: ast.expr) -> tuple[str, str]:
    """("np", "linalg.norm") for `np.linalg.norm`; ("", "") for what doesn't begin with a module."""
    path: list[str] = []
    while isinstance(function, ast.Attribute):
        path.insert(0, function.attr)
        function = function.value
    is_module = isinstance(function, ast.Name) and function.id in MODULES and path
    return (function.id, ".".join(path)) if is_module and isinstance(function, ast.Name) else ("", "")


def code(node: ast.AST, limit: int = 160) -> str:
    """A piece of the program as one line of text, cut at `limit` characters."""
    try:
        text = " ".join(ast.unparse(node).split())
    except ValueError:  # an integer of thousands of digits, a backslash inside an f-string's braces
        text = "…"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def bindings(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names that the program binds: all of them, and those that are only ever functions."""
    functions: set[str] = set()
    variables: set[str] = set()
    named: set[ast.expr] = set()
    for node in ast.walk(tree):  # breadth first: an assignment comes before its target
        match node:
            case ast.FunctionDef(name=name):
                functions.add(name)
            case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Lambda()):
                functions.add(name)
                named.add(target)
            case ast.Name(id=name, ctx=ast.Store()) if node not in named:
                variables.add(name)
            case ast.arg(arg=name):
                variables.add(name)
    return functions | variables, functions - variables


def number(node: ast.expr) -> float | None:
    """The finite number that an expression of literals stands for (`0.5`, `-1e-3`, `2 * np.pi`), or None."""
    try:
        value = _value(node)
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _value(node: ast.expr) -> float:
    """The number; raises ValueError where there is none."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Attribute(value=ast.Name()) if (name := ast.unparse(node)) in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=inner):
            return -_value(inner) if isinstance(op, ast.USub) else _value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
    raise ValueError


def _parse(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a docstring
            return ast.parse(source, FILENAME)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), source.count("\n") + 1)
        text = (error.text or "").strip()[:80]
        if text.startswith("```"):
            raise _refused("Markdown fence in the code: leave the ``` lines out", line) from error
        message = f"not valid Python: {error.msg}" + (f" in `{text}`" if text else "")
        raise _refused(message, line) from error
    except (MemoryError, RecursionError, OverflowError) as error:
        raise _refused(TOO_DEEP) from error
    except ValueError as error:  # null bytes, lone surrogates
        raise _refused(f"not a program's text: {error}") from error


def _refused(message: str, line: int = 1) -> Refused:
    return Refused([Problem(line, message)])


def _check_limits(tree: ast.Module) -> None:
    """Count nodes and depth, without recursion."""
    counted = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _refused(TOO_DEEP)
        counted += not isinstance(node, _UNCOUNTED)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    if counted > MAX_NODES:
        raise _refused(f"the program has {counted:,} syntax nodes; {MAX_NODES:,} are allowed: shorten it")


class _WithoutImports(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if ignored(node) else node

    visit_ImportFrom = visit_Import  # noqa: N815 (the name that `ast.NodeVisitor` looks for)
