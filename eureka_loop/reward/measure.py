"""A measure of a task in one text: a fitness program, with success and progress beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eureka_loop.errors import Problem, Refused
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import bindings, parse
from eureka_loop.reward.vocabulary import Vocabulary

_CRITERION = re.compile(r"`?(\w+)`? \(([\d.]+)\): (.+)")
KINDS: tuple[Kind, ...] = ("fitness", "success", "progress")


def is_program(text: str) -> bool:
    """Whether a fitness is a program, not an expression."""
    return re.search(r"^def ", text, re.MULTILINE) is not None


def programs(source: str, vocabulary: Vocabulary, *, hidden: bool = True) -> Mapping[Kind, str]:
    """Each kind that the text defines → its program alone, with the functions and constants that it uses.

    Args:
        hidden: whether hidden observables may be named, as a person's measure may.

    Raises:
        Refused: the gate refuses one of them; with every problem of all, by lines of the text.
    """
    found = dict[Problem, None]()
    kinds = kinds_of(source)
    for kind in kinds:
        try:
            check(source, vocabulary, kind, hidden=hidden)
        except Refused as refused:
            found |= dict.fromkeys(refused.problems)
    if "progress" in kinds and "success" not in kinds:
        found[Problem(1, "progress ranks what never succeeds: define `success`, too")] = None
    if found:
        raise Refused(sorted(found, key=lambda problem: problem.line))
    return {kind: _alone(source, kind) for kind in kinds}


def kinds_of(source: str) -> list[Kind]:
    """The kinds of program that a text defines; fitness in any case.

    Raises:
        Refused: it isn't Python.
    """
    defined = {each.name for each in parse(source).body if isinstance(each, ast.FunctionDef)}
    return [kind for kind in KINDS if kind in defined or kind == "fitness"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a measure counts: a variable of its fitness, its weight, and plain words."""

    name: str
    weight: float
    text: str


def criteria(source: str) -> tuple[Criterion, ...]:
    """The criteria that the docstring of `fitness` states; () where it states none."""
    found = (_CRITERION.fullmatch(line) for line in _listed(source, "Criteria:"))
    return tuple(Criterion(each[1], float(each[2]), each[3]) for each in found if each)


def weaknesses(source: str) -> list[str]:
    """Ways to fool the measure, by the docstring of its fitness."""
    return _listed(source, "What could fool it:")


def lacking(source: str) -> list[Problem]:
    """Why a person couldn't judge a measure by its criteria: none stated, or one that isn't computed."""
    found, function = criteria(source), _fitness(source)
    if function is None or not found:
        text = (
            "state the criteria in the docstring of `fitness`: `Criteria:`, then `- name (0.5): words` lines"
        )
        return [Problem(getattr(function, "lineno", 1), text)]
    bound = bindings(ast.Module([function], []))[0]
    return [
        Problem(function.lineno, f"criterion `{each.name}` is no variable of `fitness`: compute it there")
        for each in found
        if each.name not in bound
    ]


def _listed(source: str, heading: str) -> list[str]:
    """The items below a heading of the docstring of `fitness`, each in one line."""
    function = _fitness(source)
    text = (ast.get_docstring(function) or "") if function else ""
    items: list[str] = []
    for line in text.partition(heading)[2].strip().splitlines():
        if line.startswith("- "):
            items.append(line[2:].strip())
        elif line.strip() and line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"  # it goes on
        else:
            break
    return items


def _fitness(source: str) -> ast.FunctionDef | None:
    found = (each for each in parse(source).body if isinstance(each, ast.FunctionDef))
    return next((each for each in found if each.name == "fitness"), None)


def _alone(source: str, kind: Kind) -> str:
    """The lines of one entry point, and of what it uses, with the comments above each."""
    statements, lines = parse(source).body, source.splitlines()
    needed, waiting = set[int](), {str(kind)}
    while waiting:
        name = waiting.pop()
        for index, statement in enumerate(statements):
            if index not in needed and name in _bound(statement):
                needed.add(index)
                waiting |= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
    ends = [0, *(statement.end_lineno or 0 for statement in statements)]
    parts = ("\n".join(lines[ends[index] : ends[index + 1]]) for index in sorted(needed))
    return "\n".join(parts).strip("\n") + "\n"


def _bound(statement: ast.stmt) -> Iterable[str]:
    """The names that a statement of the top level defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return (name,)
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
    return ()
