"""Programs from a pool of terms, as text, and composed afresh.

The text of a program is its genome, nothing is kept beside it: a run resumes from its files, and a weight may
be changed by hand.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eureka_loop.propose.templates.pool import Pool, Term

MAX_TERMS = 8  # more than a person likes to read, and few tasks need
_CERTAIN = 0.8  # relevance or prior from which the best guess holds a term

_WIDTH = 100  # of a program's signature
_DOC = 400  # characters of its docstring
_ORDER = ("goal", "shaping", "cost")

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to compose one program.

    Attributes:
        goals: every goal the text asks for, the first alone, or a random part of them.
        reshaped: probability that a term takes a random shape.
        extras: factor on the priors of shaping and costs; 0 leaves out all but what keeps the episode going.
        emphasis: factor on the weights of the goals.
        spread: standard deviation of the weights' logarithms.
    """

    name: str
    goals: str = "all"
    reshaped: float = 0.0
    extras: float = 1.0
    emphasis: float = 1.0
    spread: float = 0.0


BEST_GUESS = Recipe("best guess")
FIRST = (
    BEST_GUESS,
    Recipe("goal weighed more", emphasis=3.0),
    Recipe("goal alone", goals="first", extras=0.0),
    Recipe("more shaping", extras=2.5, spread=0.3),
    Recipe("other shapes", reshaped=0.8, spread=0.3),
)
MIXED = Recipe("mixed", goals="some", reshaped=0.4, extras=1.5, spread=0.6)


@dataclass(frozen=True, slots=True)
class Gene:
    """A term with weights of its own.

    Attributes:
        odds: how likely it is to be changed; more than 1 where it did nothing in training, or harm.
    """

    term: Term
    weights: Mapping[str, float]
    odds: float = 1.0


Genome = tuple[Gene, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A genome and its origin.

    Attributes:
        parents: ids of the candidates it was made from; an evaluated program's own id.
        note: the changes as text.
        operator: by which it was made; "" for an evaluated program.
    """

    genome: Genome
    parents: tuple[str, ...] = ()
    note: str = ""
    operator: str = ""


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
        doc: the task's text. Its beginning becomes the docstring, without what a program may not hold.
    """
    parameters = [*dict.fromkeys(name for each in genome for name in each.term.parameters), "*"]
    numbers = [f"{name}={value!r}" for each in genome for name, value in each.weights.items()]
    head = [f"def compute_reward({', '.join([*parameters, *numbers])}):"]
    if len(head[0]) > _WIDTH:
        parts = [textwrap.wrap(", ".join(part) + ",", _WIDTH - 4) for part in (parameters, numbers)]
        head = ["def compute_reward(", *(f"    {line}" for part in parts for line in part), "):"]
    words = " ".join(doc.replace('"', "'").replace("\\", " ").split())
    shown = "".join(filter(str.isprintable, words)).strip()  # marks of direction aren't
    text = f"{shown[:_DOC]} …" if len(shown) > _DOC else shown or "A reward"
    text = text[:1].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
    lines = textwrap.wrap(text, _WIDTH - 10)
    body = [
        *([f'"""{text}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']),
        *dict.fromkeys(line for each in genome for line in each.term.statements),
        "return {",
        *(f"    {line}" for each in genome for line in each.term.entry),
        "}",
    ]
    return "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"


def compose(pool: Pool, recipe: Recipe, rng: Random) -> Program:
    """One program; its genome is empty where no goal can be made of the vocabulary."""
    goals = _goals(pool, recipe, rng)
    extras = [term for term in pool.extras if rng.random() < _chance(term, pool, recipe, goals)]
    genome = joined(_composed(term, pool, recipe, rng) for term in [*goals, *extras])
    keys = ", ".join(gene.term.key for gene in genome)
    return Program(genome, note=f"composed: {recipe.name} ({keys})", operator="fresh")


def _goals(pool: Pool, recipe: Recipe, rng: Random) -> list[Term]:
    if recipe.goals == "some" and len(pool.goals) > 1:
        keep = rng.random(len(pool.goals)) < 0.65
        keep[int(rng.integers(len(pool.goals)))] = True
        return [goal for goal, kept in zip(pool.goals, keep, strict=True) if kept]
    # without a goal that another one, as relevant, serves better
    relevances = {term.template.name: term.relevance for term in pool.goals}
    goals = [term for term in pool.goals if relevances.get(term.template.unless, -1.0) < term.relevance]
    return goals[:1] if recipe.goals == "first" else goals


def _chance(term: Term, pool: Pool, recipe: Recipe, goals: Sequence[Term]) -> float:
    """Probability of a shaping term or a cost in a program."""
    prior = term.template.prior
    served = any(each.template.name == term.template.unless for each in [*goals, *pool.extras])
    wanted = prior if served else max(prior, min(term.relevance, 1.0))
    if recipe is BEST_GUESS:
        return float(wanted >= _CERTAIN)
    return 1.0 if prior == 1.0 else wanted * recipe.extras  # 1: it keeps the episode going


def _composed(term: Term, pool: Pool, recipe: Recipe, rng: Random) -> Gene:
    if rng.random() < recipe.reshaped:
        shapes = [term, *(each for each in pool.variants(term) if each.binding is term.binding)]
        term = shapes[int(rng.integers(len(shapes)))]
    factor = recipe.emphasis if term.purpose == "goal" else 1.0
    weights = {**term.weights, term.key: rounded(term.weights[term.key] * factor)}
    return vary_weights(Gene(term, weights), recipe.spread, recipe.spread, rng)


def vary_weights(gene: Gene, spread: float, of_settings: float, rng: Random) -> Gene:
    """Weights times log-normal factors, to two digits; a target, which the text may state, stays."""
    weights = dict(gene.weights)
    for name, value in gene.weights.items():
        width = spread if name == gene.term.key else of_settings
        if width and not name.endswith("_target"):
            weights[name] = rounded(value * np.exp(rng.normal(0.0, width)))
    return replace(gene, weights=weights)


def joined(genes: Iterable[Gene]) -> Genome:
    """The first gene of each key, `MAX_TERMS` at most: goals, then shaping, then costs."""
    kept: dict[str, Gene] = {}
    for gene in genes:
        kept.setdefault(gene.term.key, gene)
    return tuple(sorted(kept.values(), key=lambda gene: _ORDER.index(gene.term.purpose))[:MAX_TERMS])


def rounded(value: float) -> float:
    return float(f"{value:.2g}")
