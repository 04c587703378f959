"""Text to syntax tree: for the gate, which checks it, and for the reward process, which runs it."""

from __future__ import annotations

import ast
import re
import warnings

from eureka_loop.errors import Problem, Refused
from eureka_loop.reward.allowed import IMPORTS, IMPORTS_FROM, MODULES

MAX_BYTES = 20_000
MAX_NODES = 2_000  # statements, expressions, arguments; operators and contexts aren't counted
MAX_DEPTH = 100  # far above what people write, far below the recursion limit of Python's compiler
TOO_DEEP = "nested too deeply: split the expression into steps with names"
CONSTANT = "@constant"  # wraps a module constant in the compiled program; no identifier, so it can't be named

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


def compile_ready(source: str) -> ast.Module:
    """The tree to run: `compile(compile_ready(source), "<program>", "exec")`, then exec in `namespace()`.

    Annotations and ignored imports are removed, module constants are frozen (a call of `CONSTANT`), positions
    stay as they are.

    Raises:
        Refused: the text can't be parsed. Nothing else is checked.
    """
    return ast.fix_missing_locations(_Ready().visit_Module(_parse(source)))


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


def quoted(node: ast.AST) -> str:
    return f"`{code(node)}`"


def _parse(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a docstring
            return ast.parse(source, filename="<program>")
    except SyntaxError as error:
        raise _syntax_error(source, error) from error
    except (MemoryError, RecursionError, OverflowError) as error:
        raise _refused(TOO_DEEP) from error
    except ValueError as error:  # null bytes, lone surrogates
        raise _refused(f"not a program's text: {error}") from error


def _refused(message: str, line: int = 1) -> Refused:
    return Refused([Problem(line, message)])


def _syntax_error(source: str, error: SyntaxError) -> Refused:
    line = min(max(error.lineno or 1, 1), source.count("\n") + 1)
    text = (error.text or "").strip()[:80]
    if text.startswith("```"):
        return _refused("Markdown fence in the code: leave the ``` lines out", line)
    return _refused(f"not valid Python: {error.msg}" + (f" in `{text}`" if text else ""), line)


def _check_limits(tree: ast.Module) -> None:
    """Count nodes and depth, without recursion."""
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
    """Removes annotations and ignored imports, freezes constants."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        for statement in node.body:
            if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
                freeze = ast.Call(ast.Name(CONSTANT, ast.Load()), [statement.value], [])
                statement.value = ast.copy_location(freeze, statement.value)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if ignored(node) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node) if ignored(node) else node

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
