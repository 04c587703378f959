"""Programs from a pool of terms: as text, composed afresh, mutated, or crossed.

The text of a program is its genome, nothing is kept beside it: a run resumes from its files, and a weight may
be changed by hand.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eureka_loop.propose.templates.pool import Pool, Term
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, Trained, mean_known, ranked

MAX_TERMS = 8  # more than a person likes to read, and few tasks need
_CERTAIN = 0.8  # relevance or prior from which the best guess holds a term

_CROSSED = 0.35  # probability that a child has two parents
_AGAIN = 0.4  # probability of one more mutation
_STEEP = 1.5  # a parent's odds over those of the next in rank
_LOST = 0.3  # probability that crossing leaves out a term the other parent hasn't; goals stay

_SPREAD = 0.6  # of the logarithm of a mutated weight; a margin moves half as far
_IDLE = 0.01  # share of the reward below which a term does nothing
_HARM = 0.1  # negative correlation with fitness from which a term misleads
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
    """

    genome: Genome
    parents: tuple[str, ...] = ()
    note: str = ""


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
    genome = _joined(_composed(term, pool, recipe, rng) for term in [*goals, *extras])
    return Program(genome, note=f"composed: {recipe.name} ({', '.join(gene.term.key for gene in genome)})")


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
    weights = {**term.weights, term.key: _rounded(term.weights[term.key] * factor)}
    return _moved(Gene(term, weights), recipe.spread, recipe.spread, rng)


def parents(pool: Pool, evaluated: Iterable[Evaluated]) -> list[Program]:
    """Those with a fitness and a genome, best first; failed candidates and references don't breed."""
    found: dict[str, Program] = {}
    for each in ranked(list(evaluated)):
        if genome := read(each.candidate.source, pool.terms):
            genes = (replace(gene, odds=_change_odds(gene.term.key, each.trained)) for gene in genome)
            found[each.candidate.id] = Program(tuple(genes), (each.candidate.id,))
    return list(found.values())


def breed(pool: Pool, fittest: Sequence[Program], rng: Random) -> Program:
    """One child of the better half, by rank: crossed, mutated, or both."""
    able = fittest[: max(2, (len(fittest) + 1) // 2)]
    odds = _STEEP ** -np.arange(float(len(able)))
    count = 2 if len(able) > 1 and rng.random() < _CROSSED else 1
    chosen = [able[int(at)] for at in rng.choice(len(able), count, replace=False, p=odds / odds.sum())]
    if count == 1:
        return mutate(pool, chosen[0], rng)
    child = cross(chosen[0], chosen[1], rng)
    return child if rng.random() > _AGAIN else mutate(pool, child, rng)


def cross(first: Program, second: Program, rng: Random) -> Program:
    """A term that both have comes from either, one that one has with some luck."""
    shared = {gene.term.key for gene in second.genome}
    theirs = [gene for gene in second.genome if rng.random() < 0.5]
    ours = [
        gene
        for gene in first.genome
        if gene.term.key in shared or gene.term.purpose == "goal" or rng.random() > _LOST
    ]
    origin = first.parents + second.parents
    return Program(_joined([*theirs, *ours]), origin, " crossed with ".join(origin))


def mutate(pool: Pool, program: Program, rng: Random, kinds: Sequence[str] = ()) -> Program:
    """One or more changes at random, one of a kind.

    Args:
        kinds: of changes, by `MUTATIONS`; (): all.
    """
    able, genome, notes = list(kinds or MUTATIONS), program.genome, list[str]()
    while able and not notes:
        drawn: list[str] = []
        while able and (not drawn or rng.random() < _AGAIN):
            odds = np.array([MUTATIONS[kind][1] for kind in able])
            drawn.append(able.pop(int(rng.choice(len(able), p=odds / odds.sum()))))
        for kind in sorted(drawn, key="weights".__eq__):  # last, so that the note has the final weights
            genome, note = MUTATIONS[kind][0](pool, genome, rng)
            notes += [note] if note else []
    return Program(_joined(genome), program.parents, "; ".join(filter(None, [program.note, *notes])))


# mutations: the genome and a note on the change, "" where nothing could be changed


def _scale(pool: Pool, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """Other weights for one to three terms."""
    genes, odds, notes = list(genome), _odds(genome), list[str]()
    count = min(len(genes), 1 + int(rng.integers(3)))
    chosen = rng.choice(len(genes), size=count, replace=False, p=odds / odds.sum())
    for at in sorted(int(each) for each in chosen):
        old, genes[at] = genes[at], _moved(genes[at], _SPREAD, _SPREAD / 2, rng)
        changed = [(name, value, genes[at].weights[name]) for name, value in old.weights.items()]
        notes += [f"{name} {value:g} → {new:g}" for name, value, new in changed if value != new]
    return tuple(genes), ", ".join(notes)


def _vary(pool: Pool, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """Another shape for one term, or other measures; weights with the same default keep their values."""
    able = [(at, variant) for at, gene in enumerate(genome) for variant in pool.variants(gene.term)]
    if not able:
        return genome, ""
    at, variant = able[int(rng.integers(len(able)))]
    same = genome[at].term.weights.items() & variant.weights.items()
    gene = Gene(variant, {**variant.weights, **{name: genome[at].weights[name] for name, _ in same}})
    measures = ", ".join(map(str, variant.binding.measures.values()))
    return (*genome[:at], gene, *genome[at + 1 :]), f"{variant.key}: {variant.shape} of {measures}"


def _add(pool: Pool, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """One more term, the likelier the more it is asked for or usual."""
    keys = {gene.term.key for gene in genome}
    able = [term for term in (*pool.goals, *pool.extras) if term.key not in keys]
    odds = np.array([max(term.relevance, 0.0) + term.template.prior for term in able])
    if not odds.sum() or len(genome) >= MAX_TERMS:
        return genome, ""
    term = able[int(rng.choice(len(able), p=odds / odds.sum()))]
    return (*genome, Gene(term, term.weights)), f"{term.key} added"


def _drop(pool: Pool, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """One term less, the likelier the less it did; the last goal stays."""
    odds = _odds(genome)
    goals = np.array([gene.term.purpose == "goal" for gene in genome])
    odds[goals] *= 0.3 if goals.sum() > 1 else 0.0
    if len(genome) < 2 or not odds.sum():
        return genome, ""
    at = int(rng.choice(len(genome), p=odds / odds.sum()))
    return genome[:at] + genome[at + 1 :], f"{genome[at].term.key} dropped"


MUTATIONS: Mapping[
    str, tuple[Callable[[Pool, Genome, Random], tuple[Genome, str]], float]
] = {  # with their odds
    "weights": (_scale, 0.45),
    "vary": (_vary, 0.2),
    "add": (_add, 0.2),
    "drop": (_drop, 0.15),
}


def _odds(genome: Genome) -> Array:
    return np.array([gene.odds for gene in genome])


def _change_odds(term: str, trained: Iterable[Trained]) -> float:
    """More than 1 for a term that does nothing, or goes against fitness; means over checkpoints and seeds."""
    points = [point.terms for each in trained for point in each.checkpoints]
    share = mean_known(terms[term].share for terms in points if term in terms)
    harm = -(mean_known(each.correlations.get(term) for each in trained) or 0.0)
    return 1.0 + 3.0 * (share is not None and share < _IDLE) + (3.0 * harm if harm > _HARM else 0.0)


def _moved(gene: Gene, spread: float, of_settings: float, rng: Random) -> Gene:
    """Weights times log-normal factors, to two digits; a target, which the text may state, stays."""
    weights = dict(gene.weights)
    for name, value in gene.weights.items():
        width = spread if name == gene.term.key else of_settings
        if width and not name.endswith("_target"):
            weights[name] = _rounded(value * np.exp(rng.normal(0.0, width)))
    return replace(gene, weights=weights)


def _joined(genes: Iterable[Gene]) -> Genome:
    """The first gene of each key, `MAX_TERMS` at most: goals, then shaping, then costs."""
    kept: dict[str, Gene] = {}
    for gene in genes:
        kept.setdefault(gene.term.key, gene)
    return tuple(sorted(kept.values(), key=lambda gene: _ORDER.index(gene.term.purpose))[:MAX_TERMS])


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
