"""What a person types, "forward_velocity - 0.1 * norm(action)", as a program."""

from __future__ import annotations

import ast

from eureka_loop.errors import BadInput, Refused
from eureka_loop.reward.allowed import BUILTINS, MODULES
from eureka_loop.reward.functions import SHAPING
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import MAX_BYTES, parse
from eureka_loop.reward.problems import Problems, code
from eureka_loop.reward.rows.expressions import Expressions
from eureka_loop.reward.rows.values import FEWER, UNKNOWN, Names, Rows, TooMuch, has_rows, shape_text
from eureka_loop.reward.vocabulary import Vocabulary

_OWN = {*BUILTINS, *MODULES, *SHAPING}


def episode_mean(expression: str, vocabulary: Vocabulary) -> str:
    """A fitness program: an expression's mean over an episode, or its value where it is one number already.

    Hidden observables may be named: a person chooses the fitness, not a model.

    Raises:
        BadInput: no expression, or one that isn't one number a step.
        UnknownName: an observable that doesn't exist.
        Refused: the gate refuses the program.
    """
    node = _parsed(expression)
    text, names = code(node, MAX_BYTES), _observables(node)
    held = Names()
    for name in names:
        held.held[name] = Rows(vocabulary.resolve(name, hidden=True).shape)
    if not names:
        raise BadInput(f"fitness {expression!r} names no observable; `eureka tasks NAME` lists a task's")
    try:
        value = Expressions(Problems(), episode=True, run_helper=lambda *_: UNKNOWN).value(node, held)
    except TooMuch as error:
        raise BadInput(f"fitness {expression!r} is too much to follow: {FEWER}") from error
    if isinstance(value, Rows) and value.shape:
        raise BadInput(
            f"fitness {expression!r} has shape {shape_text(value)}, one number a step is needed: "
            f"take a component, `{text}[:, 0]`, or the length, `norm({text})`"
        )
    result = f"np.mean({text})" if has_rows(value) else text
    words = "Episode mean" if has_rows(value) else "Of a whole episode"
    source = _program("fitness", names, f"{words}: {text}", result)
    check(source, vocabulary, "fitness", hidden=True)
    return source


def as_reward(expression: str) -> str:
    """The same expression as a reward program of one term, unchecked.

    Raises:
        BadInput: no expression.
    """
    node = _parsed(expression)
    text = code(node, MAX_BYTES)
    return _program(
        "compute_reward", _observables(node), f"Nothing but the fitness: {text}", f'{{"fitness": {text}}}'
    )


def _parsed(expression: str) -> ast.expr:
    shown = expression if len(expression) < 100 else f"{expression[:99]}…"
    advice = "write one over observables, such as forward_velocity - 0.1 * norm(action)"
    try:
        statements = parse(expression.strip()).body
    except Refused as refused:
        raise BadInput(f"fitness {shown!r}: {refused.problems[0].message}; {advice}") from refused
    if len(statements) != 1 or not isinstance(statements[0], ast.Expr):
        raise BadInput(f"fitness {shown!r} is not one expression; {advice}")
    return statements[0].value


def _observables(node: ast.expr) -> list[str]:
    """The names in it that must be observables, in order of appearance."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    bound = {each.id for each in found if isinstance(each.ctx, ast.Store)}
    found.sort(key=lambda each: (each.lineno, each.col_offset))
    return list(dict.fromkeys(each.id for each in found if each.id not in _OWN and each.id not in bound))


def _program(entry: str, names: list[str], doc: str, result: str) -> str:
    quotable = doc.isprintable() and '"' not in doc and "\\" not in doc and len(doc) < 90
    docstring = f'    """{doc}."""\n' if quotable else ""
    return f"def {entry}({', '.join(names)}):\n{docstring}    return {result}\n"
