"""The gate: checks a program's text before it runs, and reports every problem at once.

It gives clear errors and determinism. It is no security boundary: that is the locked process in which the
program runs. Whether rows are independent and shapes fit is found by running it, in `sandbox.trial`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Set

from eureka_loop.errors import Problem, Refused, UnknownName
from eureka_loop.reward import allowed, row_count
from eureka_loop.reward.allowed import ATTRIBUTES, BUILTINS, FUNCTIONS, INSTEAD, METHODS, MODULES
from eureka_loop.reward.contract import ENTRY_POINTS, Kind, Program
from eureka_loop.reward.episode import EPISODE, EPISODE_KEYWORDS
from eureka_loop.reward.functions import SHAPING, SHAPING_KEYWORDS
from eureka_loop.reward.parsing import TOO_DEEP, bindings, code, compiled, ignored, module_path, number, parse
from eureka_loop.reward.vocabulary import Vocabulary

MAX_PROBLEMS = 40  # more only cost a model tokens
MAX_MESSAGE = 1_000  # characters of one problem; the program's own names may be longer
_OPAQUE = (ast.ClassDef, ast.AsyncFunctionDef, ast.Match, ast.JoinedStr, ast.Raise)  # not looked into
_PARTS = (ast.ExceptHandler, ast.withitem, ast.Del)  # of what is refused already
_OF_ROWS = BUILTINS | SHAPING.keys()
_KEYWORDS = allowed.KEYWORDS | SHAPING_KEYWORDS | EPISODE_KEYWORDS


def check(source: str, vocabulary: Vocabulary, kind: Kind = "reward", *, hidden: bool = False) -> Program:
    """The program that a text holds.

    Args:
        kind: "reward" returns a dict of terms; the others one number an episode.
        hidden: hidden observables may be named (references and their tests).

    Raises:
        Refused: with every problem: line, cause, what to write instead.
    """
    try:
        gate = _Gate(parse(source), vocabulary, kind, hidden)
        compiled(source)
    except RecursionError as error:
        raise Refused([Problem(1, TOO_DEEP)]) from error
    except (SyntaxError, ValueError, MemoryError) as error:  # a `return` outside a function
        line = getattr(error, "lineno", None) or 1
        raise Refused([Problem(line, f"not valid Python: {getattr(error, 'msg', error)}")]) from error
    return Program(kind, source, tuple(gate.parameters), gate.weights)


class _Gate(ast.NodeVisitor):
    """Visits a whole program and collects each thing that isn't allowed; raises Refused if there is any.

    Names aren't resolved scope by scope: a name that the program binds anywhere is its own everywhere. A
    function can't be used as a value, so no variable can hold one that isn't allowed.
    """

    def __init__(self, tree: ast.Module, vocabulary: Vocabulary, kind: Kind, hidden: bool) -> None:
        self._vocabulary, self._hidden = vocabulary, hidden
        self._own = _OF_ROWS if kind == "reward" else _OF_ROWS | EPISODE.keys()
        self._found: dict[Problem, None] = {}  # a repeated problem counts once
        self._bound, self._functions = bindings(tree)
        self.parameters: list[str] = []
        self.weights: dict[str, float] = {}
        self._check_top_level(tree, ENTRY_POINTS[kind])
        self.visit(tree)
        if kind == "reward":
            for each in row_count.computed_with(tree, self.parameters):
                self._found[each] = None
        if self._found:
            raise Refused(sorted(self._found, key=lambda problem: problem.line))

    def _report(self, node: ast.AST, message: str) -> None:
        """Note a problem; beyond MAX_PROBLEMS, nothing else is looked at."""
        cut = message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"
        problem = Problem(getattr(node, "lineno", 1), cut)
        if len(self._found) == MAX_PROBLEMS and problem not in self._found:
            raise Refused([*self._found, Problem(problem.line, "… and more")])
        self._found[problem] = None

    # The top level

    def _check_top_level(self, tree: ast.Module, entry: str) -> None:
        """Only imports, constants and functions may stand there, the entry point among them."""
        defined: dict[str, ast.stmt] = {}
        for statement in tree.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                    defined[name] = statement
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                    defined[name] = statement
                case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.ClassDef() | ast.AsyncFunctionDef():  # `visit` reports them
                    pass
                case _:
                    self._report(statement, f"`{code(statement, 40)}` can't stand outside a function")
        function = defined.get(entry)
        if isinstance(function, ast.FunctionDef):
            self._check_signature(function)
        else:
            self._report(tree, f"there is no function `{entry}`: write `def {entry}(...):`")

    def _check_signature(self, entry: ast.FunctionDef) -> None:
        """The entry point's parameters, and its weights with their defaults."""
        arguments = entry.args
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
        if not plain:
            text = f"`{entry.name}` names no observable: name what it needs, `{entry.name}(obs, action)`"
            self._report(entry, text)
        for each in plain:
            if self._vocabulary.find(each.arg, hidden=self._hidden) is not None:
                self.parameters.append(each.arg)
            elif each in defaults:
                text = (
                    f"`{each.arg}` is a weight: it stands after a `*`: `*, {each.arg}={code(defaults[each])}`"
                )
                self._report(each, text)
            else:
                self._report(each, self._unknown(each.arg))
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            value = number(default) if default is not None else None
            if self._vocabulary.find(each.arg, hidden=self._hidden) is not None:
                self._report(each, f"`{each.arg}` is an observable: it stands before the `*`")
            elif value is None:
                text = f"{each.arg}={code(default)}" if default is not None else each.arg
                self._report(each, f"weight `{text}`: its default is one finite number, `{each.arg}=1.0`")
            else:
                self.weights[each.arg] = value

    def _unknown(self, name: str) -> str:
        """Why a parameter can't be an observable."""
        if name in allowed.ELSEWHERE:
            return f"unknown observable {name!r}: {allowed.ELSEWHERE[name]}"
        if self._vocabulary.find(name, hidden=True) is not None:
            return f"{name!r} is the env's own reward or part of it; a program can't ask for it"
        try:
            self._vocabulary.resolve(name, hidden=self._hidden)
        except UnknownName as unknown:
            return str(unknown)
        return f"unknown observable {name!r}"

    def visit(self, node: ast.AST) -> None:
        if type(node).__name__ in allowed.SYNTAX:
            super().visit(node)
            return
        if not isinstance(node, _PARTS):
            name = type(node).__name__
            self._report(
                node, allowed.REFUSED.get(type(node), f"`{name}` can't be used: write plain expressions")
            )
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
        elif isinstance(node.value, int) and abs(node.value) > 10**12:
            self._report(node, "an integer above 1e12: write it as a float, `1e15`")

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._report(node, "a lambda needs a name: write a function above the entry point")
        self.visit(node.body)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant) and isinstance(side.value, str):
                self._report(node, f"`{code(node)}`: text can't be built; write it out as a literal")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if not isinstance(node.ctx, ast.Load):
            self._check_binding(node, name)
        elif name in self._functions or name in (self._own | MODULES.keys()) - allowed.TYPES - self._bound:
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
        known = self._check_function(node.func)
        for name in (keyword.arg for keyword in node.keywords):
            if name is None:
                self._report(node, "`**` in a call: write the arguments out")
            elif known and name not in _KEYWORDS:
                instead = f"; {INSTEAD[name]}" if name in INSTEAD else self._nearest(name, _KEYWORDS)
                self._report(node, f"`{code(node)}`: no keyword `{name}=`{instead}")
        for argument in (*node.args, *node.keywords):
            self.visit(argument)

    def _check_function(self, function: ast.expr) -> bool:
        """Report a function that can't be called; returns whether it is one with known keywords."""
        match function:
            case ast.Name(id=name):
                if name not in self._bound | self._own:
                    self._report_unknown(function, name)
                return name in self._own - {"dict"} - self._bound
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
        instead = INSTEAD.get(name.partition(".")[0])
        if observable is not None:
            text = f"`{name}` is an observable, {observable.facts}: name it as a parameter"
        elif instead or (prefix and name in allowed.NUMPY):
            text = f"`{prefix}{name}` can't be used: {instead or f'write `np.{name}`'}"
        elif name in EPISODE and not prefix:
            instead = "ask for `prev_<name>`, `init_<name>` or a tracker"
            text = f"`{name}` is for measures of whole episodes; a row knows one step: {instead}"
        elif prefix:
            text = f"`{prefix}{name}` can't be used{self._nearest(name, known, prefix)}"
        else:
            text = f"unknown name `{name}`{self._nearest(name, self._bound | self._own)}"
        self._report(node, text)

    def _nearest(self, name: str, known: Set[str], prefix: str = "") -> str:
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.7)
        return f"; did you mean {' or '.join(f'`{prefix}{each}`' for each in close)}?" if close else ""
