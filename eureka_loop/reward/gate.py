"""The gate: checks a program's text before it runs, and reports every problem at once.

It gives clear errors and determinism. It is no security boundary: that is the locked process in which the
program runs. Whether rows are independent and shapes fit is found by running it, in `sandbox.trial`.
"""

from __future__ import annotations

import ast

from eureka_loop.errors import Problem, Refused, UnknownName
from eureka_loop.reward.allowed import CREATION, ELEMENTWISE
from eureka_loop.reward.contract import ENTRY_POINTS, Kind, Program
from eureka_loop.reward.parsing import TOO_DEEP, code, compiled, module_path, number, parse
from eureka_loop.reward.syntax import SURROUNDINGS, Problems, Syntax
from eureka_loop.reward.vocabulary import Vocabulary

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
_MUTABLE = "which may change: write a function, or a number, text, a tuple or an array of numbers"
_IMMUTABLE = ast.Constant | ast.UnaryOp | ast.BinOp | ast.Tuple | ast.Name | ast.Attribute
_NUMERIC = _IMMUTABLE | ast.List | ast.Call | ast.expr_context | ast.operator | ast.unaryop | ast.keyword


def check(source: str, vocabulary: Vocabulary, kind: Kind = "reward", *, hidden: bool = False) -> Program:
    """The program that a text holds.

    Args:
        kind: "reward" returns a dict of terms; "fitness" and "success" one number an episode.
        hidden: hidden observables may be named (references and their tests).

    Raises:
        Refused: with every problem: line, cause, what to write instead.
    """
    try:
        tree, problems = parse(source), Problems()
        entry = _entry(tree, kind, problems)
        parameters, weights = _signature(entry, vocabulary, hidden, problems) if entry else ([], {})
        Syntax(tree, vocabulary, problems, hidden).visit(tree)
        problems.raise_if_any()
        compiled(source)
    except RecursionError as error:
        raise Refused([Problem(1, TOO_DEEP)]) from error
    except (SyntaxError, ValueError, MemoryError) as error:  # a `return` outside a function
        line = getattr(error, "lineno", None) or 1
        raise Refused([Problem(line, f"not valid Python: {getattr(error, 'msg', error)}")]) from error
    return Program(kind, source, tuple(parameters), weights)


def _entry(tree: ast.Module, kind: Kind, problems: Problems) -> ast.FunctionDef | None:
    """The entry point; reports what may not stand beside it: only imports, constants, functions may."""
    defined: dict[str, ast.stmt] = {}
    for statement in tree.body:
        name = ""
        match statement:
            case ast.FunctionDef(name=name):
                pass
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if not _is_constant(value):
                    problems.add(value, f"constant `{name}` can't hold `{code(value)}`, {_MUTABLE}")
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.ClassDef() | ast.AsyncFunctionDef():
                pass  # `Syntax` reports them
            case _:
                problems.add(statement, f"`{code(statement, 40)}` can't stand outside a function")
        if name and name in defined:
            problems.add(statement, f"`{name}` is defined twice: remove one")
        defined[name] = statement
    entry = defined.get(ENTRY_POINTS[kind])
    if isinstance(entry, ast.FunctionDef):
        return entry
    problems.add(tree, "there is no function `{0}`: write `def {0}(...):`".format(ENTRY_POINTS[kind]))
    return None


def _is_constant(node: ast.expr) -> bool:
    """Whether it can't change: numbers, text, tuples, arithmetic with them; arrays of numbers are frozen."""
    if not isinstance(node, ast.Call):
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return isinstance(node, _IMMUTABLE) and all(map(_is_constant, children))
    module, name = module_path(node.func)
    known = module == "math" or name in ELEMENTWISE or name in CREATION
    return bool(module) and known and all(map(_is_numeric, ast.walk(node)))


def _is_numeric(node: ast.AST) -> bool:
    """Whether nothing in it could make an array of objects, which can change although the array is frozen."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return isinstance(node, _NUMERIC) and not (isinstance(node, ast.Attribute) and node.attr == "dtype")


def _signature(
    entry: ast.FunctionDef, vocabulary: Vocabulary, hidden: bool, problems: Problems
) -> tuple[list[str], dict[str, float]]:
    """The entry point's parameters, and its weights with their defaults; reports those that can't be one."""
    parameters, weights, arguments = [], {}, entry.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
    if not plain:
        text = f"`{entry.name}` names no observable: name what it needs, `{entry.name}(obs, action)`"
        problems.add(entry, text)
    for each in plain:
        if vocabulary.find(each.arg, hidden=hidden) is not None:
            parameters.append(each.arg)
        elif each in defaults:
            text = f"`{each.arg}` is a weight: it stands after a `*`: `*, {each.arg}={code(defaults[each])}`"
            problems.add(each, text)
        else:
            problems.add(each, _unknown(each.arg, vocabulary, hidden, brief=problems.full))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        value = number(default) if default is not None else None
        if vocabulary.find(each.arg, hidden=hidden) is not None:
            problems.add(each, f"`{each.arg}` is an observable: it stands before the `*`")
        elif value is None:
            text = f"{each.arg}={code(default)}" if default is not None else each.arg
            problems.add(each, f"weight `{text}`: its default is one finite number, `{each.arg}=1.0`")
        else:
            weights[each.arg] = value
    return parameters, weights


def _unknown(name: str, vocabulary: Vocabulary, hidden: bool, brief: bool) -> str:
    """Why a parameter can't be an observable. `brief`: without a search for near names."""
    if name in _ELSEWHERE:
        return f"unknown observable {name!r}: {_ELSEWHERE[name]}"
    if vocabulary.find(name, hidden=True) is not None:
        return f"{name!r} is the env's own reward or part of it; a program can't ask for it"
    try:
        if not brief:
            vocabulary.resolve(name, hidden=hidden)
    except UnknownName as unknown:
        return str(unknown)
    return f"unknown observable {name!r}"
