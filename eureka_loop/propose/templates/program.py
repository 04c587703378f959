"""A program as a sequence of genes: one for each term, with the statements, weights and observables it needs.

The text of a program is its genome, nothing is kept beside it: a run resumes from its files, a weight may be
changed by hand, and a program by another author breeds too if it is plain (assignments, then one returned
dict). Other programs have no genome.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Gene:
    """One term.

    Attributes:
        key: of the dict of terms.
        statements: before the returned dict.
        entry: its lines in the dict: `"speed": speed * forward_velocity,  # m/s`.
        weights: keyword-only parameters it uses, with their defaults.
        parameters: observables it uses, as a program asks for them.
    """

    key: str
    statements: tuple[str, ...]
    entry: str
    weights: Mapping[str, float]
    parameters: tuple[str, ...]

    @property
    def form(self) -> str:
        """The computation without comments and values of weights: genes of one form are the same term."""
        return ast.dump(_tree("\n".join([*self.statements, "{", self.entry, "}"])))

    def weighted(self, changes: Mapping[str, float]) -> Gene:
        """The same with other values for some of its weights."""
        return replace(self, weights={name: changes.get(name, value) for name, value in self.weights.items()})


Genome = tuple[Gene, ...]


def gene(
    key: str, statements: Sequence[str], entry: str, weights: Mapping[str, float], known: Collection[str]
) -> Gene:
    """A term from its text.

    Args:
        weights: every keyword it might use; those it uses are kept.
        known: names a program can ask for, `prev_` and `init_` included.
    """
    names = _names("\n".join([*statements, "{", entry, "}"]))
    used = {name: value for name, value in weights.items() if name in names}
    return Gene(key, tuple(statements), entry, used, tuple(name for name in names if name in known))


def parse(source: str) -> Genome | None:
    """The genes of a program, without its comments; None where it isn't plain."""
    try:
        match ast.parse(source).body:  # constants and helpers can't be split up
            case [
                ast.FunctionDef(
                    name="compute_reward",
                    args=ast.arguments(vararg=None, kwarg=None, posonlyargs=[], defaults=[]) as given,
                    body=[*statements, ast.Return(value=ast.Dict(keys=keys, values=values))],
                )
            ]:
                defaults = zip(given.kwonlyargs, given.kw_defaults, strict=True)
                weights = {name.arg: float(ast.literal_eval(value or "")) for name, value in defaults}
                names = [str(ast.literal_eval(key or "")) for key in keys]
            case _:
                return None
    except (SyntaxError, ValueError, TypeError):
        return None
    if statements and isinstance(statements[0], ast.Expr):  # the docstring
        statements = statements[1:]
    if not all(isinstance(each, ast.Assign) for each in statements):
        return None
    texts, known = [ast.unparse(each) for each in statements], [each.arg for each in given.args]
    genes = []
    for name, value in zip(names, map(ast.unparse, values), strict=True):
        wanted, kept = set(_names(value)), list[str]()
        for text in reversed(texts):
            if _assigned(text) & wanted:
                wanted |= set(_names(text))
                kept.insert(0, text)
        genes.append(gene(name, kept, f"{json.dumps(name)}: {value},", weights, known))
    return tuple(genes)


def compatible(first: Gene, second: Gene) -> bool:
    """Whether two genes fit into one program: no name means two things."""
    if first.key == second.key:
        return False
    own, others = set(first.statements), set(second.statements)
    return not any(_assigned(a) & _assigned(b) for a in own - others for b in others)


def write(genome: Genome, doc: str) -> str:
    """The program: signature, docstring, statements, dict of terms.

    Args:
        doc: the task's text; made fit for a docstring.
    """
    parameters = list(dict.fromkeys(name for each in genome for name in each.parameters))
    weights = {name: value for each in genome for name, value in each.weights.items()}
    numbers = [f"{name}={value!r}" for name, value in weights.items()]
    statements = dict.fromkeys(line for each in genome for line in each.statements)
    head = [f"def compute_reward({', '.join([*parameters, *(['*'] if numbers else []), *numbers])}):"]
    if len(head[0]) > _WIDTH:
        parts = textwrap.wrap(", ".join([*parameters, "*"]) + ",", _WIDTH - 4)
        parts += textwrap.wrap(", ".join(numbers) + ",", _WIDTH - 4)
        head = ["def compute_reward(", *(f"    {each}" for each in parts), "):"]
    body = [
        *_docstring(doc),
        *(line for text in statements for line in text.splitlines()),
        "return {",
        *(f"    {line}" for each in genome for line in each.entry.splitlines()),
        "}",
    ]
    return "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"


def _docstring(doc: str) -> list[str]:
    text = " ".join(re.sub(r"[\x00-\x1f\x7f\\]", " ", doc.replace('"', "'")).split()) or "A reward"
    lines = textwrap.wrap(text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else "."), _WIDTH - 10)
    return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _names(text: str) -> list[str]:
    """Names in the order in which they stand."""
    found = [node for node in ast.walk(_tree(text)) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(each.id for each in sorted(found, key=lambda at: (at.lineno, at.col_offset))))


def _assigned(text: str) -> set[str]:
    nodes = ast.walk(_tree(text))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
