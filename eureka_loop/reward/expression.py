"""An expression that a person types, "forward_velocity - 0.1 * norm(action)", as a program."""

from __future__ import annotations

import ast

from eureka_loop.errors import BadInput, Refused
from eureka_loop.reward.allowed import BUILTINS, MODULES
from eureka_loop.reward.episode import EPISODE
from eureka_loop.reward.functions import SHAPING
from eureka_loop.reward.gate import check
from eureka_loop.reward.hints import mixing
from eureka_loop.reward.parsing import MAX_BYTES, code, parse
from eureka_loop.reward.vocabulary import Vocabulary

_OWN = {*BUILTINS, *MODULES, *SHAPING, *EPISODE}


def episode_mean(expression: str, vocabulary: Vocabulary) -> str:
    """A fitness program: the mean of an expression over an episode, or its value where it is one number.

    Hidden observables may be named: a person chooses the fitness, not a model. An expression of several
    numbers a step fails when the program is tried out.

    Raises:
        BadInput: no expression, or one without observables.
        UnknownName: an observable that doesn't exist.
        Refused: the gate refuses the program.
    """
    tree, names = _parsed(expression)
    shapes = vocabulary.shapes(names, hidden=True)
    if not names:
        raise BadInput(f"fitness {expression!r} names no observable; `eureka tasks NAME` lists a task's")
    # The mean of one number is that number; over `axis=0`, several numbers a step remain several, and fail.
    over_time = any(isinstance(each, ast.Name) and each.id in EPISODE for each in ast.walk(tree))
    axis = "" if over_time or mixing(tree, shapes) else ", axis=0"
    source = f"def fitness({', '.join(names)}):\n    return np.mean({code(tree, MAX_BYTES)}{axis})\n"
    check(source, vocabulary, "fitness", hidden=True)
    return source


def as_reward(expression: str, vocabulary: Vocabulary) -> str | None:
    """The same expression as a reward program of one term; None where it can't be computed step by step.

    Raises:
        BadInput: no expression.
    """
    tree, names = _parsed(expression)
    term = f'{{"fitness": {code(tree, MAX_BYTES)}}}'
    source = f"def compute_reward({', '.join(names)}):\n    return {term}\n"
    try:
        check(source, vocabulary)
    except Refused:
        return None
    return None if mixing(tree, vocabulary.shapes(names)) else source


def _parsed(expression: str) -> tuple[ast.Module, list[str]]:
    """Its tree, and the names in it that must be observables, in order of appearance."""
    shown = expression if len(expression) < 100 else f"{expression[:99]}…"
    advice = "write one over observables, such as forward_velocity - 0.1 * norm(action)"
    try:
        tree = parse(expression.strip())
    except Refused as refused:
        raise BadInput(f"fitness {shown!r}: {refused.problems[0].message}; {advice}") from refused
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        raise BadInput(f"fitness {shown!r} is not one expression; {advice}")
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
    own = _OWN | {each.id for each in found if isinstance(each.ctx, ast.Store)}
    found.sort(key=lambda each: (each.lineno, each.col_offset))
    return tree, list(dict.fromkeys(each.id for each in found if each.id not in own))
