"""A program against its parent: weights, terms and lines of code that differ. Programs of one structure."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable

from eureka_loop.errors import Refused
from eureka_loop.numbers import compact
from eureka_loop.results import Evaluated
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.parsing import parse
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.reward.weights import weights, with_weights

MOST_LINES = 16  # of a difference that is shown
LONGEST_LINE = 160  # characters


def changed(before: str, after: str) -> str:
    """ "weights speed 1 → 2; terms + calm, - effort; 14 lines of code"; "" where nothing is.

    Lines that differ in nothing but a weight aren't counted.
    """
    old, new = ({name: each.value for name, each in weights(source).items()} for source in (before, after))
    had, has = map(observables_of_terms, (before, after))
    moved = [
        f"{name} {compact(old[name])} → {compact(new[name])}"
        for name in old
        if name in new and old[name] != new[name]
    ]
    terms = [f"+ {name}" for name in has if name not in had]
    terms += [f"- {name}" for name in had if name not in has]
    alike = [with_weights(each, {name: 0.0 for name in old if name in new}) for each in (before, after)]
    lines = len(difference(alike[0], alike[1], most=10_000))
    parts = [f"weights {', '.join(moved)}"] if moved else []
    parts += [f"terms {', '.join(terms)}"] if terms else []
    return "; ".join([*parts, *([f"{lines} lines of code"] if lines else [])])


def difference(before: str, after: str, most: int = MOST_LINES) -> list[str]:
    """Lines taken out ("- ") and put in ("+ "), of at most `most`."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    found = [line[:LONGEST_LINE] for line in [*lines][2:] if not line.startswith("@@") and line[1:].strip()]
    more = len(found) - most
    return [*found[:most], f"… {more} more lines"] if more > 0 else found


def observables_of_terms(source: str) -> dict[str, tuple[str, ...]]:
    """Term → the observables that it is computed from, without `prev_` and `init_`; {} of what is no program.

    A name that is assigned twice is taken to depend on all that it was ever computed from.
    """
    try:
        functions = [each for each in parse(source).body if isinstance(each, ast.FunctionDef)]
    except Refused:
        return {}
    found: dict[str, set[str]] = {}
    for entry in functions:
        if entry.name == ENTRY_POINTS["reward"]:
            known = {each.arg: {each.arg} for each in entry.args.args}
            for node in sorted(ast.walk(entry), key=lambda each: getattr(each, "lineno", 0)):
                _follow(node, known, found)
    prefix = re.compile(f"^({'|'.join(PREFIXES)})")
    return {term: tuple(sorted({prefix.sub("", name) for name in names})) for term, names in found.items()}


def _follow(node: ast.AST, known: dict[str, set[str]], found: dict[str, set[str]]) -> None:
    """Add what a statement computes to the observables by name, or by term."""

    def used(value: ast.AST) -> set[str]:
        names = (each.id for each in ast.walk(value) if isinstance(each, ast.Name))
        return set().union(*(known.get(name, set()) for name in names))

    match node:
        case (
            ast.Assign(value=ast.expr() as value)
            | ast.AugAssign(value=value)
            | ast.AnnAssign(value=ast.expr() as value)
        ):
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    known[each.id] = known.get(each.id, set()) | used(value)
        case ast.Return(value=ast.Dict(keys=keys, values=values)):
            named = zip(keys, values, strict=True)
            found |= {str(key.value): used(value) for key, value in named if isinstance(key, ast.Constant)}


def by_structure(programs: Iterable[Evaluated]) -> dict[frozenset[str], list[Evaluated]]:
    """The observables that terms are computed from → the programs of that structure, in the order given."""
    found: dict[frozenset[str], list[Evaluated]] = {}
    for each in programs:
        terms = observables_of_terms(each.candidate.source)
        found.setdefault(frozenset(name for names in terms.values() for name in names), []).append(each)
    return found
