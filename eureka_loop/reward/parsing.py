"""Text → syntax tree, for the gate that reads it and the process that runs it."""

from __future__ import annotations

import ast
import re
import warnings

from eureka_loop.errors import BadInput, Problem, Refused
from eureka_loop.reward.allowed import IMPORTS, IMPORTS_FROM, MODULES
from eureka_loop.reward.contract import ENTRY_POINTS

MAX_BYTES = 20_000
MAX_NODES = 2_000  # statements, expressions, arguments; operators and contexts aren't counted
_UNCOUNTED = ast.operator | ast.unaryop | ast.cmpop | ast.boolop | ast.expr_context
MAX_DEPTH = 100  # far above what people write, far below what Python's own compiler recurses through
TOO_DEEP = "nested too deeply: split the expression into steps with names"

# Marks of direction: with them a program reads otherwise than it runs, in comments and texts too (Boucher and
# Anderson 2021, "Trojan Source").
_UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# What wraps a module constant in the compiled program; no identifier, so no program can name it.
CONSTANT = "@constant"


def parse(source: str) -> ast.Module:
    """The tree of a program's text, line numbers its own.

    Raises:
        Refused: it is too long, too deep, or not Python.
    """
    size = len(source.encode("utf-8", errors="surrogatepass"))
    if size > MAX_BYTES:
        raise _refused(f"the program is {size:,} bytes long; {MAX_BYTES:,} are allowed: shorten it")
    unseen = _UNSEEN.search(source)
    if unseen is not None:
        line = source.count("\n", 0, unseen.start()) + 1
        message = f"the character U+{ord(unseen[0]):04X} is not seen but changes what is: leave it out"
        raise Refused([Problem(line, message)])
    tree = _parse(source)
    _bound(tree)
    return tree


def entry(source: str) -> ast.FunctionDef:
    """The function that a program's text is there for; a reward's helpers may be called `fitness`, `success`.

    Raises:
        Refused: it can't be parsed.
        BadInput: there is none.
    """
    functions = {node.name: node for node in parse(source).body if isinstance(node, ast.FunctionDef)}
    for name in ENTRY_POINTS.values():
        if name in functions:
            return functions[name]
    raise BadInput(f"the program defines none of {', '.join(ENTRY_POINTS.values())}")


def compile_ready(source: str) -> ast.Module:
    """The tree that runs: `compile(compile_ready(source), "<program>", "exec")`, then exec in `namespace()`.

    Without annotations and without the imports that the gate overlooks; module constants frozen (a call of
    `CONSTANT`, which the namespace holds); nothing moved, so that a traceback's lines are the source's.

    Raises:
        Refused: it can't be parsed. What the gate would say beyond that is not asked here.
    """
    tree = _Ready().visit_Module(_parse(source))
    return ast.fix_missing_locations(tree)


def dropped(node: ast.Import | ast.ImportFrom) -> bool:
    """An import written out of habit, of nothing that isn't there without it."""
    if isinstance(node, ast.Import):
        return all((alias.name, alias.asname or alias.name) in IMPORTS for alias in node.names)
    return node.module in IMPORTS_FROM and node.level == 0


def _parse(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a docstring is nobody's business here
            return ast.parse(source, filename="<program>")
    except SyntaxError as error:
        raise Refused([_syntax_problem(source, error)]) from error
    except (MemoryError, RecursionError, OverflowError) as error:
        raise _refused(TOO_DEEP) from error
    except ValueError as error:  # null bytes, lone surrogates
        raise _refused(f"not a program's text: {error}") from error


def _refused(message: str) -> Refused:
    return Refused([Problem(1, message)])


def _syntax_problem(source: str, error: SyntaxError) -> Problem:
    line = min(max(error.lineno or 1, 1), source.count("\n") + 1)
    text = (error.text or "").strip()[:80]
    if text.startswith("```"):
        return Problem(line, "Markdown fence in the code: leave the ``` lines out")
    shown = f" in `{text}`" if text else ""
    return Problem(line, f"not valid Python: {error.msg}{shown}")


def _bound(tree: ast.Module) -> None:
    """Hold the tree to its limits, without recursion."""
    counted, deepest = 0, 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        counted += not isinstance(node, _UNCOUNTED)
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    if counted > MAX_NODES:
        raise _refused(f"the program has {counted:,} syntax nodes; {MAX_NODES:,} are allowed: shorten it")
    if deepest > MAX_DEPTH:
        raise _refused(TOO_DEEP)


class _Ready(ast.NodeTransformer):
    """Leaves out what has no meaning at run time, freezes constants."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        for statement in node.body:
            if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
                wrap = ast.Name(CONSTANT, ast.Load())
                statement.value = ast.copy_location(ast.Call(wrap, [statement.value], []), statement.value)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if dropped(node) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if dropped(node) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def module_path(function: ast.Attribute) -> tuple[str, str]:
    """("np", "linalg.norm") of `np.linalg.norm`; ("", "") of what begins with no module."""
    path, node = function.attr, function.value
    while isinstance(node, ast.Attribute):
        path, node = f"{node.attr}.{path}", node.value
    return (node.id, path) if isinstance(node, ast.Name) and node.id in MODULES else ("", "")
