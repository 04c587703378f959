"""A program as terms and weights, and as text.

The text of a program is its genome, nothing is kept beside it: a run resumes from its files, and a weight may
be changed by hand.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from eureka_loop.propose.templates.library import TermTemplate
from eureka_loop.propose.templates.matching import Binding

_WIDTH = 100


@dataclass(frozen=True, eq=False)
class Term:
    """A template in one shape, with measures in its slots: what a program can hold.

    Attributes:
        key: of the dict of terms; a template's terms share it, so a program holds one of them.
        statements: lines before the returned dict.
        entry: its lines in the dict: `"speed": speed * forward_velocity,  # m/s`.
        weights: keyword-only parameters `<key>` and `<key>_<setting>`, with their defaults.
        parameters: observables it uses, as a program asks for them.
        purpose: the template's, but "goal" for a shaping term that the text asks for.
        relevance: how strongly the text asks for it, 0 to 2.5; below 0: only the fitness names it.
    """

    template: TermTemplate
    binding: Binding
    shape: str
    key: str
    statements: tuple[str, ...]
    entry: tuple[str, ...]
    weights: Mapping[str, float]
    parameters: tuple[str, ...]
    purpose: Literal["goal", "shaping", "cost"]
    relevance: float


@dataclass(frozen=True, slots=True)
class Gene:
    """A term with weights of its own."""

    term: Term
    weights: Mapping[str, float]


Genome = tuple[Gene, ...]


def read(source: str, terms: Iterable[Term]) -> Genome:
    """The genome of a program that `write` wrote, whatever its weights are now; () for any other program."""
    head, lines = source.partition('"""')[0], {line.strip() for line in source.splitlines()}
    weights = {name: float(value) for name, value in re.findall(r"(\w+)=([-+.e\d]+)", head)}
    found: dict[str, Gene] = {}
    for term in terms:
        needed = {line.strip() for line in (*term.statements, *term.entry)}
        if needed <= lines and term.weights.keys() <= weights.keys():
            found[term.key] = Gene(term, {name: weights[name] for name in term.weights})
    return tuple(sorted(found.values(), key=lambda gene: source.index(gene.term.entry[0])))


def write(genome: Genome, doc: str) -> str:
    """The program: signature, docstring, statements, dict of terms.

    Args:
        doc: the task's text; made fit for a docstring.
    """
    parameters = [*dict.fromkeys(name for each in genome for name in each.term.parameters), "*"]
    numbers = [f"{name}={value!r}" for each in genome for name, value in each.weights.items()]
    head = [f"def compute_reward({', '.join([*parameters, *numbers])}):"]
    if len(head[0]) > _WIDTH:
        parts = [textwrap.wrap(", ".join(part) + ",", _WIDTH - 4) for part in (parameters, numbers)]
        head = ["def compute_reward(", *(f"    {line}" for part in parts for line in part), "):"]
    text = " ".join(re.sub(r"[\x00-\x1f\x7f\\]", " ", doc.replace('"', "'")).split()) or "A reward"
    text = text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
    lines = textwrap.wrap(text, _WIDTH - 10)
    body = [
        *([f'"""{text}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']),
        *dict.fromkeys(line for each in genome for line in each.term.statements),
        "return {",
        *(f"    {line}" for each in genome for line in each.term.entry),
        "}",
    ]
    return "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"
