"""Which syntax a program may be made of: an allow-list, so what Python adds later is refused until listed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from eureka_loop.reward.allowed import MAX_POWER
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.form.layout import check_import
from eureka_loop.reward.problems import NO_TEXT, Problems, code, quoted
from eureka_loop.reward.weights import number

ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Pass, ast.Expr,
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Break, ast.Continue,
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword,
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Tuple, ast.List, ast.Dict, ast.Lambda,
    ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.comprehension,
    ast.Load, ast.Store, ast.Del,  # Del only within `del`, which is refused as such
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult,
    ast.BitAnd, ast.BitOr, ast.BitXor, ast.USub, ast.UAdd, ast.Not, ast.Invert, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
)  # fmt: skip

_NO_MEMORY = "a program has no memory: ask for `prev_<name>`, `init_<name>` or a tracker"
_REFUSED = {
    "While": ("`while` may never end", "write `for i in range(10):` with a fixed number"),
    "Try": ("`try` hides errors", "guard the value: `np.where(d > 1e-8, a / np.maximum(d, 1e-8), 0.0)`"),
    "TryStar": ("`try` hides errors", "guard the value with `np.where`"),
    "With": ("`with` can't be used", "leave it out and keep its body"),
    "ClassDef": ("`class` can't be used", "write functions above the entry point"),
    "Global": ("`global` can't be used", _NO_MEMORY),
    "Nonlocal": ("`nonlocal` can't be used", _NO_MEMORY),
    "Raise": ("`raise` can't be used", "leave it out"),
    "Assert": ("`assert` can't be used", "leave it out; shapes are checked for you"),
    "Delete": ("`del` can't be used", "leave it out"),
    "Match": ("`match` can't be used", "write `np.where` or `np.select`"),
    "JoinedStr": ("f-strings can't be used", 'write every key as a literal string: `"left_foot"`'),
    "NamedExpr": ("`:=` can't be used", "assign on a line of its own"),
    "Set": ("sets can't be used", "write a tuple"),
    "SetComp": ("sets can't be used", "write a list"),
    "Starred": ("`*` can't be used here", "write the items out"),
    "Yield": ("`yield` can't be used", "return the dict of terms"),
    "YieldFrom": ("`yield` can't be used", "return the dict of terms"),
    "Await": ("`await` can't be used", "leave it out"),
    "AsyncFunctionDef": ("`async` can't be used", "write `def`"),
    "LShift": ("`<<` can't be used", "multiply"),
    "RShift": ("`>>` can't be used", "divide"),
    "TemplateStr": ("template strings can't be used", "write a literal string"),
}
_OPAQUE = (
    ast.ClassDef,
    ast.AsyncFunctionDef,
    ast.Match,
    ast.JoinedStr,
)  # what is inside needs no errors of its own
_ELSEWHERE = (
    "items",
    "annotation",
    "returns",
    "args",
    "decorator_list",
    "handlers",
)  # looked at by `_function`, or not worth it
_MAX_INTEGER = 10**12
_MAX_TEXT = 200
_MAX_LOOPS_DEEP = 4
_ANNOTATION = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.Load,
)  # fmt: skip
_TAKES_GENERATOR = ("sum", "min", "max", "any", "all", "tuple", "list", "dict")


def check_nodes(tree: ast.Module, problems: Problems) -> None:
    """Report every construct that a program can't be made of."""
    _Nodes(problems).module(tree)


class _Nodes:
    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def module(self, tree: ast.Module) -> None:
        self._block(tree.body, loops=0)

    def _refuse(self, node: ast.AST, message: str) -> None:
        self._problems.add(node, message)

    def _block(self, statements: list[ast.stmt], loops: int) -> None:
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                check_import(statement, self._problems)
            elif self._allowed(statement) or not isinstance(statement, _OPAQUE):
                self._statement(statement, loops + isinstance(statement, ast.For | ast.While))

    def _statement(self, node: ast.stmt, loops: int) -> None:
        if loops > _MAX_LOOPS_DEEP:
            self._refuse(node, f"loops nested more than {_MAX_LOOPS_DEEP} deep")
        if isinstance(node, ast.FunctionDef):
            self._function(node)
        elif isinstance(node, ast.For):
            self._grows(node)
        elif isinstance(node, ast.Expr):
            self._bare(node)
        elif isinstance(node, ast.AnnAssign):
            self._annotation(node.annotation)
        for field, value in ast.iter_fields(node):
            if field in ("body", "orelse", "finalbody"):
                self._block(value, loops)
            elif field not in _ELSEWHERE:
                self._expressions(value, node)

    def _allowed(self, node: ast.AST) -> bool:
        if isinstance(node, ALLOWED):
            return True
        name = type(node).__name__
        what, instead = _REFUSED.get(
            name, (f"`{name}` can't be used", "write plain assignments and expressions")
        )
        self._refuse(node, f"{what}: {instead}")
        return False

    def _function(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self._refuse(decorator, f"`@{code(decorator)}`: leave the decorator out")
        if getattr(node, "type_params", None):
            self._refuse(node, "type parameters: leave them out")
        for star, extra in (("*", node.args.vararg), ("**", node.args.kwarg)):
            if (
                extra is not None and node.name not in ENTRY_POINTS.values()
            ):  # of those, `signature` says more
                self._refuse(extra, f"`{star}{extra.arg}`: name every parameter")
        for annotation in _annotations(node):
            self._annotation(annotation)
        for default in _defaults(node.args):
            self._default(default)

    def _annotation(self, annotation: ast.expr) -> None:
        if not all(isinstance(node, _ANNOTATION) for node in ast.walk(annotation)):
            self._refuse(annotation, f"annotation `{code(annotation, 40)}`: leave it out")

    def _default(self, node: ast.expr) -> None:
        """A default that kept something from call to call would be memory."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        for part in parts:
            if number(part) is None and not isinstance(part, ast.Constant):
                self._refuse(node, f"default `{code(node, 40)}`: only numbers, text and tuples of numbers")
                return

    def _grows(self, loop: ast.For) -> None:
        """A list that its own loop makes longer has no end."""
        for node in ast.walk(loop):
            fills = isinstance(node, ast.Attribute) and node.attr in ("append", "extend", "update")
            if fills and isinstance(node, ast.Attribute) and code(node.value) == code(loop.iter):
                self._refuse(node, f"{quoted(node)} in the loop over it: fill a list of another name")

    def _bare(self, node: ast.Expr) -> None:
        """A statement that is just an expression: a docstring, or the call that fills a list or dict."""
        if isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str) or node.value.value is ...:
                return
        elif isinstance(node.value, ast.Call):
            return
        if isinstance(node.value, ALLOWED):
            self._refuse(node, f"`{code(node, 40)}` does nothing: leave it out, or give its value a name")

    def _expressions(self, value: object, statement: ast.stmt) -> None:
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                self._expression(node, statement)

    def _expression(self, node: ast.AST, parent: ast.AST) -> None:
        if isinstance(node, ast.Starred) and isinstance(parent, ast.Call):
            self._refuse(node, "`*` in a call: write the arguments out")
        elif not self._allowed(node) and isinstance(node, _OPAQUE):
            return
        for problem in _about(node, parent):
            self._refuse(node, problem)
        for child in ast.iter_child_nodes(node):
            self._expression(child, node)


def _about(node: ast.AST, parent: ast.AST) -> Iterator[str]:
    """What else is wrong with an expression of an allowed kind."""
    match node:
        case ast.Constant(value=value):
            yield from _about_constant(value, parent)
        case ast.BinOp():
            yield from _about_operation(node)
        case ast.GeneratorExp() if not _in_call_of(parent, _TAKES_GENERATOR):
            yield f"write a list, `[{code(node)[1:-1]}]`, in place of the generator"
        case ast.comprehension(is_async=1):
            yield "`async` can't be used: leave it out"
        case ast.Lambda() if not _named(node, parent):
            yield "a lambda needs a name: write a function above the entry point"
        case ast.keyword(arg=None):
            yield "`**` in a call: write the arguments out"
        case ast.Lambda(args=arguments) if _defaults(arguments) or arguments.vararg or arguments.kwarg:
            yield "a lambda takes plain parameters, without defaults: write a function above the entry point"


def _about_operation(node: ast.BinOp) -> Iterator[str]:
    if any(
        isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (node.left, node.right)
    ):
        yield f"{quoted(node)}: {NO_TEXT}"
    if isinstance(node.op, ast.Pow):
        tower = isinstance(node.right, ast.BinOp) and isinstance(node.right.op, ast.Pow)
        if abs(number(node.right) or 0.0) > MAX_POWER or tower:
            yield f"{quoted(node)}: an exponent above {MAX_POWER}"


def _about_constant(value: object, parent: ast.AST) -> Iterator[str]:
    match value:
        case bytes():
            yield "bytes can't be used"
        case complex():
            yield "complex numbers can't be used"
        case int() if abs(value) > _MAX_INTEGER:
            yield "an integer above 1e12: write it as a float, `1e15`"
        case str() if len(value) > _MAX_TEXT:
            yield f"text of {len(value):,} characters; {_MAX_TEXT} are allowed"
        case _ if value is ... and not isinstance(parent, ast.Subscript | ast.Tuple):
            yield "`...` stands only in an index: `x[..., 0]`"


def _in_call_of(parent: ast.AST, names: tuple[str, ...]) -> bool:
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in names


def _named(node: ast.Lambda, parent: ast.AST) -> bool:
    """`name = lambda x: …`"""
    return isinstance(parent, ast.Assign) and parent.value is node and isinstance(parent.targets[0], ast.Name)


def _annotations(node: ast.FunctionDef) -> Iterator[ast.expr]:
    arguments = node.args
    for each in (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ):
        if each is not None and each.annotation is not None:
            yield each.annotation
    if node.returns is not None:
        yield node.returns


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
