"""The gate: reads a program, and says everything that is wrong with it at once.

It gives clear errors and determinism; it is no security boundary: that is the locked process in which the
program runs. It refuses what it doesn't know (allow-lists of syntax, names, functions, keywords), and follows
the program on abstract values to find what can't work on a batch of rows: conditions on arrays, reductions
over the batch, shapes that don't fit.
"""

from __future__ import annotations

import ast
import warnings

from eureka_loop.errors import Problem, Refused
from eureka_loop.reward.contract import Kind, Program
from eureka_loop.reward.form.layout import Layout, read_layout
from eureka_loop.reward.form.names import check_names
from eureka_loop.reward.form.nodes import check_nodes
from eureka_loop.reward.form.signature import Signature, read_signature
from eureka_loop.reward.parsing import TOO_DEEP, parse
from eureka_loop.reward.problems import Problems
from eureka_loop.reward.rows.returns import check_returned
from eureka_loop.reward.rows.tracing import Tracer
from eureka_loop.reward.rows.values import FEWER, TooMuch
from eureka_loop.reward.vocabulary import Vocabulary


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
    tree = parse(source)
    problems = Problems()
    layout = read_layout(tree, kind, problems)
    check_nodes(tree, problems)
    signature = Signature()
    if layout.entry is not None:
        signature = read_signature(layout.entry, vocabulary, kind, hidden, problems)
        told = set(signature.values) - set(signature.parameters) - set(signature.weights)
        check_names(layout, vocabulary, hidden, told, problems)
        _trace(layout, layout.entry, signature, kind, problems)
    else:
        check_names(layout, vocabulary, hidden, set(), problems)
    problems.raise_if_any()
    _compile(tree)
    doc = ast.get_docstring(layout.entry) if layout.entry else None
    return Program(
        kind, source, tuple(signature.parameters), signature.weights, (doc or "").partition("\n")[0]
    )


def _trace(
    layout: Layout, entry: ast.FunctionDef, signature: Signature, kind: Kind, problems: Problems
) -> None:
    tracer = Tracer(problems, episode=kind != "reward")
    try:
        tracer.module(layout.constants, layout.functions)
        returned = tracer.run(entry, signature.values)
    except TooMuch:
        problems.add(entry, f"too much to follow: {FEWER}")
    else:
        check_returned(kind, entry, returned, problems)


def _compile(tree: ast.Module) -> None:
    """What only Python's compiler finds: a `return` outside a function, a name given twice."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<program>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise Refused([Problem(line, f"not valid Python: {getattr(error, 'msg', error)}")]) from error
