"""The allow-list applied: which syntax, names, functions, keywords and attributes a program may use.

Names aren't resolved scope by scope: a name that the program binds anywhere is its own everywhere. A function
can't be used as a value, so no variable can hold one that isn't allowed.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Set

from eureka_loop.errors import Problem, Refused
from eureka_loop.reward import allowed
from eureka_loop.reward.allowed import ATTRIBUTES, BUILTINS, FUNCTIONS, METHODS, MODULES
from eureka_loop.reward.functions import SHAPING, SHAPING_KEYWORDS
from eureka_loop.reward.parsing import code, ignored, module_path, number
from eureka_loop.reward.vocabulary import Vocabulary

MAX_PROBLEMS = 40  # more only cost a model tokens
MAX_MESSAGE = 1_000  # characters of one problem; the program's own names may be longer
SURROUNDINGS = ("self", "env", "physics", "model", "data", "sim", "cfg")  # what other interfaces pass in
_LIBRARIES = ("torch", "jnp", "jax", "tf", "F", "nn", "cp", "scipy")

_NO_MEMORY = "a program has no memory: ask for `prev_<name>`, `init_<name>` or a tracker"
_REFUSED = {
    ast.While: "`while` may never end: write `for i in range(10):` with a fixed number",
    ast.Try: "`try` hides errors: guard the value: `np.where(d > 1e-8, a / np.maximum(d, 1e-8), 0.0)`",
    ast.With: "`with` can't be used: remove it and keep its body",
    ast.ClassDef: "`class` can't be used: write functions above the entry point",
    ast.Global: f"`global` can't be used: {_NO_MEMORY}",
    ast.Nonlocal: f"`nonlocal` can't be used: {_NO_MEMORY}",
    ast.Raise: "`raise` can't be used: remove it",
    ast.Assert: "`assert` can't be used: remove it; shapes are checked for you",
    ast.Delete: "`del` can't be used: remove it",
    ast.Match: "`match` can't be used: write `np.where` or `np.select`",
    ast.JoinedStr: 'f-strings can\'t be used: write every key as a literal string: `"left_foot"`',
    ast.NamedExpr: "`:=` can't be used: assign on a line of its own",
    ast.Set: "sets can't be used: write a tuple",
    ast.Starred: "`*` can't be used here: write the items out",
    ast.Yield: "`yield` can't be used: return the dict of terms",
    ast.AsyncFunctionDef: "`async` can't be used: write `def`",
    ast.LShift: "`<<` can't be used: multiply",
}
_OPAQUE = (ast.ClassDef, ast.AsyncFunctionDef, ast.Match, ast.JoinedStr, ast.Raise)  # not looked into
_PARTS = (ast.ExceptHandler, ast.withitem, ast.Del)  # of what is refused already
_MAX_INTEGER = 10**12
_OWN = BUILTINS | SHAPING.keys()
_UNUSABLE = (_OWN | MODULES.keys()) - allowed.TYPES  # as values
_KEYWORDS = allowed.KEYWORDS | SHAPING_KEYWORDS
_INSTEAD = {  # names, numpy's functions, methods and keywords that aren't allowed → what to write
    **dict.fromkeys(SURROUNDINGS, "name the quantity as a parameter"),
    **dict.fromkeys(_LIBRARIES, "arrays are numpy's, write `np` functions"),
    "print": "nothing is shown; to log a value return it as a term whose name begins with `_`",
    "isinstance": "the inputs are always arrays: remove the check",
    "map": "write array operations, or a list comprehension",
    "sorted": "write `np.sort(x, axis=1)`",
    "set": "write a tuple",
    "str": "text can't be built: write it out, as a literal",
    "format": "text can't be built: write the key as a literal string",
    "random": "programs are deterministic: there is no randomness",
    "vectorize": "write array operations on the whole batch",
    "apply_along_axis": "write array operations on the whole batch",
    "piecewise": "write `np.where` or `np.select`",
    "unwrap": "ask for a tracker, such as `<body>_yaw_total`; `wrap` is for the difference of angles",
    "item": "arrays stay arrays: remove it",
    "sort": "write `np.sort(x, axis=1)`, which leaves its input as it is",
    "clamp": "write `np.clip`",
    "cat": "write `np.concatenate([a, b], axis=1)`",
    "tensor": "write `np.array`",
    "norm": "write `np.linalg.norm`",
    "empty": "write `np.zeros`",
    "sigmoid": "write `1 / (1 + np.exp(-x))`",
    "relu": "write `np.maximum(x, 0)`",
    "pow": "write `x ** y`",
    "dim": "write `axis=` for `dim=`",
    "keepdim": "write `keepdims=` for `keepdim=`",
    "out": "functions return a new array",
    "where": "write `np.where(d != 0, a / np.where(d != 0, d, 1.0), 0.0)`",
}


class Problems:
    """The problems of a program, so that its author gets them all at once; a repeated one counts once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    @property
    def full(self) -> bool:
        """Whether more are found than are shown: further ones need no search for near names."""
        return len(self._found) > MAX_PROBLEMS

    def add(self, node: ast.AST, message: str) -> None:
        if len(message) > MAX_MESSAGE:
            message = f"{message[: MAX_MESSAGE - 1]}…"
        self._found[Problem(getattr(node, "lineno", 1), message)] = None

    def raise_if_any(self) -> None:
        """
        Raises:
            Refused: with every problem, in order of lines; beyond `MAX_PROBLEMS` only their number.
        """
        found = sorted(self._found, key=lambda problem: problem.line)
        if self.full:
            more = f"… and {len(found) - MAX_PROBLEMS} more"
            found[MAX_PROBLEMS:] = [Problem(found[MAX_PROBLEMS].line, more)]
        if found:
            raise Refused(found)


class Syntax(ast.NodeVisitor):
    """Visits a whole program and reports each thing that isn't allowed.

    Args:
        hidden: hidden observables may be named.
    """

    def __init__(self, tree: ast.Module, vocabulary: Vocabulary, problems: Problems, hidden: bool) -> None:
        self._vocabulary, self._hidden = vocabulary, hidden
        self._problems, self._report = problems, problems.add
        self._bound, self._functions = _bindings(tree)

    def visit(self, node: ast.AST) -> None:
        if type(node).__name__ in allowed.SYNTAX:
            super().visit(node)
            return
        if not isinstance(node, _PARTS):
            name = type(node).__name__
            self._report(node, _REFUSED.get(type(node), f"`{name}` can't be used: write plain expressions"))
        if not isinstance(node, _OPAQUE):
            self.generic_visit(node)

    # Statements

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._check_binding(node, node.name)
        for decorator in node.decorator_list:
            self._report(decorator, f"`@{code(decorator)}`: remove the decorator")
        if getattr(node, "type_params", None):
            self._report(node, "type parameters can't be used: remove them")
        self._check_parameters(node.args)
        self._check_annotation(node.returns)
        for statement in node.body:
            self.visit(statement)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.visit(target)
        if isinstance(node.value, ast.Lambda) and isinstance(node.targets[0], ast.Name):
            self._check_parameters(node.value.args)
            self.visit(node.value.body)
        else:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._check_annotation(node.annotation)
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if ignored(node):
            return
        module = (getattr(node, "module", None) or "").replace("numpy", "np", 1)
        instead = "programs have `np`, `math` and the shaping functions"
        if module.partition(".")[0] in MODULES:
            instead = "write " + ", ".join(f"`{module}.{alias.name}`" for alias in node.names)
        self._report(node, f"`{code(node)}`: nothing can be imported; {instead}")

    visit_ImportFrom = visit_Import  # noqa: N815 (the name that `ast.NodeVisitor` looks for)

    def _check_parameters(self, arguments: ast.arguments) -> None:
        """Parameters and defaults of a function; a default that could change would be memory."""
        for star, extra in (("*", arguments.vararg), ("**", arguments.kwarg)):
            if extra is not None:
                self._report(extra, f"`{star}{extra.arg}`: name every parameter")
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            self._check_binding(each, each.arg)
            self._check_annotation(each.annotation)
        for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
            parts = default.elts if isinstance(default, ast.Tuple) else [default]
            if not all(isinstance(part, ast.Constant) or number(part) is not None for part in parts):
                text = f"default `{code(default, 40)}`: only numbers, text and tuples of numbers"
                self._report(default, text)

    def _check_annotation(self, annotation: ast.expr | None) -> None:
        nodes = ast.walk(annotation) if annotation else ()
        if annotation and not all(type(node).__name__ in allowed.ANNOTATION for node in nodes):
            self._report(annotation, f"annotation `{code(annotation, 40)}`: remove it")

    def _check_binding(self, node: ast.AST, name: str) -> None:
        if name.startswith("__") or name in MODULES:
            self._report(node, f"`{name}` can't be a name of the program's own: rename it")

    # Expressions

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bytes | complex):
            self._report(node, f"{type(node.value).__name__} can't be used: write a number")
        elif isinstance(node.value, int) and abs(node.value) > _MAX_INTEGER:
            self._report(node, "an integer above 1e12: write it as a float, `1e15`")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._report(node, "a lambda needs a name: write a function above the entry point")
        self.visit(node.body)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg is None:
            self._report(node, "`**` in a call: write the arguments out")
        self.visit(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant) and isinstance(side.value, str):
                self._report(node, f"`{code(node)}`: text can't be built; write it out as a literal")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if not isinstance(node.ctx, ast.Load):
            self._check_binding(node, name)
        elif name in self._functions or name in _UNUSABLE - self._bound:
            written = f"{name}.<name>" if name in MODULES else f"{name}(...)"
            self._report(node, f"`{name}` can't be used as a value: write `{written}`")
        elif name not in self._bound | allowed.TYPES:
            self._report_unknown(node, name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        module, path = module_path(node)
        if not isinstance(node.ctx, ast.Load):
            self._report(node, f"`{code(node)}` can't be set: give the value a name of its own")
        elif (module and path in FUNCTIONS[MODULES[module]]) or (not module and node.attr in METHODS):
            self._report(node, f"`{code(node)}` can't be used as a value: write `{code(node)}(...)`")
        elif module:
            if path not in allowed.VALUES[MODULES[module]]:
                self._report_unknown(node, path, FUNCTIONS[MODULES[module]], f"{module}.")
        elif node.attr in ATTRIBUTES:
            self.visit(node.value)
        else:
            self._report_unknown(node, node.attr, ATTRIBUTES, f"{code(node.value)}.")

    def visit_Call(self, node: ast.Call) -> None:
        if self._check_function(node.func):
            for name in (keyword.arg for keyword in node.keywords):
                if name is not None and name not in _KEYWORDS:
                    instead = f"; {_INSTEAD[name]}" if name in _INSTEAD else self._nearest(name, _KEYWORDS)
                    self._report(node, f"`{code(node)}`: no keyword `{name}=`{instead}")
        for argument in (*node.args, *node.keywords):
            self.visit(argument)

    def _check_function(self, function: ast.expr) -> bool:
        """Report a function that can't be called; returns whether it is one with known keywords."""
        match function:
            case ast.Name(id=name):
                if name not in self._bound | _OWN:
                    self._report_unknown(function, name)
                return name in _OWN - {"dict"} - self._bound
            case ast.Attribute(attr=name):
                module, path = module_path(function)
                known = FUNCTIONS[MODULES[module]] | allowed.VALUES[MODULES[module]] if module else METHODS
                if (path or name) not in known:
                    self._report_unknown(function, path or name, known, f"{module or code(function.value)}.")
                elif not module:
                    self.visit(function.value)
                return (path or name) in known
        self._report(function, f"`{code(function)}` can't be called: call functions by their name")
        self.visit(function)
        return False

    def _report_unknown(
        self, node: ast.expr, name: str, known: Set[str] = frozenset(), prefix: str = ""
    ) -> None:
        """A name that isn't allowed, on its own or after `prefix`, with what to write instead."""
        observable = self._vocabulary.find(name, hidden=self._hidden)
        instead = _INSTEAD.get(name.partition(".")[0])
        if observable is not None:
            text = f"`{name}` is an observable, {observable.facts}: name it as a parameter"
        elif instead or (prefix and name in allowed.NUMPY):
            text = f"`{prefix}{name}` can't be used: {instead or f'write `np.{name}`'}"
        elif prefix:
            text = f"`{prefix}{name}` can't be used{self._nearest(name, known, prefix)}"
        else:
            text = f"unknown name `{name}`{self._nearest(name, self._bound | _OWN)}"
        self._report(node, text)

    def _nearest(self, name: str, known: Set[str], prefix: str = "") -> str:
        close = [] if self._problems.full else difflib.get_close_matches(name, known, n=2, cutoff=0.7)
        return f"; did you mean {' or '.join(f'`{prefix}{each}`' for each in close)}?" if close else ""


def _bindings(tree: ast.Module) -> tuple[set[str], set[str]]:
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
