"""The gate: checks a program's text before it runs, and reports every problem at once.

It gives clear errors and determinism. It is no security boundary: that is the locked process in which the
program runs. It refuses what is not on an allow-list: syntax, names, functions, keywords. Whether rows are
independent and shapes fit is found by running the program, in `sandbox.trial`.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field

from eureka_loop.errors import Problem, Refused, UnknownName
from eureka_loop.reward.allowed import CREATION, ELEMENTWISE
from eureka_loop.reward.contract import ENTRY_POINTS, Kind, Program
from eureka_loop.reward.parsing import TOO_DEEP, code, module_path, parse
from eureka_loop.reward.syntax import SURROUNDINGS, Problems, Syntax
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.reward.weights import number

_OBS = "write `obs`: the observation after the step (`prev_obs`: before)"
_ELSEWHERE = {  # what other interfaces pass in → what to ask for here
    **dict.fromkeys(SURROUNDINGS, "a program is a plain function; ask for each quantity by its name"),
    "info": "its numbers are observables: `info_<key>`",
    **dict.fromkeys(("next_obs", "observation", "observations", "state", "next_state"), _OBS),
    "done": "write `terminated`, 1 where the episode ended by itself",
    "truncated": "time limits aren't part of the task; `time_left` gives the seconds that are left",
    "actions": "write `action`",
    "reward": "the env's own reward can't be used",
}
_IMMUTABLE = ast.Constant | ast.UnaryOp | ast.BinOp | ast.Tuple | ast.Name | ast.Attribute
_NUMERIC = _IMMUTABLE | ast.List | ast.Call | ast.expr_context | ast.operator | ast.unaryop | ast.keyword


def check(source: str, vocabulary: Vocabulary, kind: Kind = "reward", *, hidden: bool = False) -> Program:
    """The program that a text holds.

    Args:
        kind: "reward" returns a dict of terms; "fitness" and "success" one number an episode.
        hidden: hidden observables may be asked for (references and their tests).

    Raises:
        Refused: with every problem: line, cause, what to write instead.
    """
    try:
        return _check(source, vocabulary, kind, hidden)
    except RecursionError as error:
        raise Refused([Problem(1, TOO_DEEP)]) from error


def _check(source: str, vocabulary: Vocabulary, kind: Kind, hidden: bool) -> Program:
    tree, problems = parse(source), Problems()
    entry = _entry(tree, kind, problems)
    signature = _Signature(vocabulary, hidden, problems)
    if entry is not None:
        signature.read(entry)
    Syntax(tree, vocabulary, problems, hidden).visit(tree)
    problems.raise_if_any()
    _compile(tree)
    return Program(kind, source, tuple(signature.parameters), signature.weights)


def _compile(tree: ast.Module) -> None:
    """Raise what only Python's compiler finds: a `return` outside a function, a parameter given twice."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<program>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise Refused([Problem(line, f"not valid Python: {getattr(error, 'msg', error)}")]) from error


# The top level: imports, constants, functions


def _entry(tree: ast.Module, kind: Kind, problems: Problems) -> ast.FunctionDef | None:
    """The entry point; reports what may not stand beside it."""
    functions: dict[str, ast.FunctionDef] = {}
    defined: set[str] = set()
    for statement in tree.body:
        name = ""
        match statement:
            case ast.FunctionDef(name=name):
                functions[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                _check_constant(name, value, problems)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                _check_constant(name, value, problems)
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.ClassDef() | ast.AsyncFunctionDef():
                pass  # `Syntax` reports them
            case _:
                problems.add(statement, f"`{code(statement, 40)}` can't stand outside a function")
        if name and name in defined:
            problems.add(statement, f"`{name}` is defined twice: remove one")
        defined.add(name)
    if ENTRY_POINTS[kind] not in functions:
        wanted = ENTRY_POINTS[kind]
        problems.add(tree, f"there is no function `{wanted}`: write `def {wanted}(...):`")
    return functions.get(ENTRY_POINTS[kind])


def _check_constant(name: str, node: ast.expr, problems: Problems) -> None:
    """A constant can't change: numbers, text, tuples, arithmetic with them, and arrays, which are frozen."""
    if isinstance(node, _IMMUTABLE):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                _check_constant(name, child, problems)
    elif not _makes_array(node):
        instead = "write a function, or a number, text, a tuple or an array of numbers"
        problems.add(node, f"constant `{name}` can't hold `{code(node)}`, which may change: {instead}")


def _makes_array(node: ast.expr) -> bool:
    """Whether it is a call such as `np.array([0.0, 1.0])` or `math.radians(30)`: fixed numbers in and out."""
    if not isinstance(node, ast.Call):
        return False
    module, name = module_path(node.func)
    known = module == "math" or name in ELEMENTWISE or name in CREATION
    return bool(module) and known and all(map(_is_numeric, ast.walk(node)))


def _is_numeric(node: ast.AST) -> bool:
    """Whether nothing in it could make an array of objects, which can change although the array is frozen."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return isinstance(node, _NUMERIC) and not (isinstance(node, ast.Attribute) and node.attr == "dtype")


# The entry point's parameters


@dataclass(slots=True)
class _Signature:
    """The parameters of the entry point; `read` reports each that can't be one.

    Attributes:
        parameters: observables as written, in order.
    """

    vocabulary: Vocabulary
    hidden: bool
    problems: Problems
    parameters: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)

    def read(self, entry: ast.FunctionDef) -> None:
        arguments = entry.args
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
        if not plain:
            text = f"`{entry.name}` names no observable: name what it needs, `{entry.name}(obs, action)`"
            self.problems.add(entry, text)
        for each in plain:
            if self._known(each.arg):
                self.parameters.append(each.arg)
            else:
                self.problems.add(each, self._unknown(each.arg, defaults.get(each)))
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            self._read_weight(each, default)

    def _unknown(self, name: str, default: ast.expr | None) -> str:
        if default is not None:
            return f"`{name}` is a weight: it stands after a `*`: `*, {name}={code(default)}`"
        if name in _ELSEWHERE:
            return f"unknown observable {name!r}: {_ELSEWHERE[name]}"
        if self.vocabulary.find(name, hidden=True) is not None:
            return f"{name!r} is the env's own reward or part of it; a program can't ask for it"
        try:
            if not self.problems.full:
                self.vocabulary.resolve(name, hidden=self.hidden)
        except UnknownName as unknown:
            return str(unknown)
        return f"unknown observable {name!r}"

    def _read_weight(self, node: ast.arg, default: ast.expr | None) -> None:
        value = number(default) if default is not None else None
        if self._known(node.arg):
            self.problems.add(node, f"`{node.arg}` is an observable: it stands before the `*`")
        elif value is None:
            text = f"{node.arg}={code(default)}" if default is not None else node.arg
            self.problems.add(node, f"weight `{text}`: its default is one finite number, `{node.arg}=1.0`")
        else:
            self.weights[node.arg] = value

    def _known(self, name: str) -> bool:
        return self.vocabulary.find(name, hidden=self.hidden) is not None
