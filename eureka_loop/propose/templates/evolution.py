"""Programs from a pool of terms: composed afresh, mutated, or crossed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eureka_loop.propose.templates.pool import Pool, Term
from eureka_loop.propose.templates.program import Gene, Genome, compatible, parse
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, ranked

MAX_TERMS = 8  # more than a person likes to read, and few tasks need
_CERTAIN = 0.8  # relevance or prior from which a term belongs into every program

_CROSSED = 0.35  # probability that a child has two parents
_AGAIN = 0.4  # probability of one more mutation
_STEEP = 1.5  # a parent's odds over those of the next in rank
_LOST = 0.3  # probability that crossing leaves out a term the other parent hasn't; goals stay

_SPREAD = 0.6  # of the logarithm of a mutated weight; a margin or a target moves half as far
_IDLE = 0.01  # share of the reward below which a term does nothing
_HARM = -0.1  # correlation with fitness below which a term misleads

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


def compose(pool: Pool, recipe: Recipe, rng: Random) -> Genome:
    """One program; empty where no goal can be made of the vocabulary."""
    goals = _goals(pool, recipe, rng)
    extras = [term for term in pool.extras if rng.random() < _chance(term, pool, recipe, goals)]
    return pool.join(_composed(term, pool, recipe, rng) for term in [*goals, *extras][:MAX_TERMS])


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
    gene, main = term.gene, term.gene.key
    factor = recipe.emphasis if term.purpose == "goal" else 1.0
    gene = gene.weighted({main: _rounded(gene.weights[main] * factor)})
    return _moved(gene, pool, dict.fromkeys(gene.weights, recipe.spread), rng)


@dataclass(frozen=True, slots=True)
class Parent:
    """An evaluated candidate that can breed.

    Attributes:
        odds: key of a term → how likely it is to be changed; 1 for a term that did well, and by default.
    """

    id: str
    genome: Genome
    odds: Mapping[str, float] = field(default_factory=dict)

    def odds_of(self, genome: Genome) -> Array:
        return np.array([self.odds.get(gene.key, 1.0) for gene in genome])


@dataclass(frozen=True, slots=True)
class Child:
    """A new genome, its parents' ids, and the changes as text."""

    genome: Genome
    parents: tuple[str, ...]
    note: str


def parents(pool: Pool, evaluated: Iterable[Evaluated]) -> list[Parent]:
    """Those with a fitness and a genome, best first; failed candidates and references don't breed."""
    found: dict[str, Parent] = {}
    for each in ranked(list(evaluated)):
        genome = parse(each.candidate.source)
        if genome:
            restored = tuple(pool.restore(gene) for gene in genome)
            found[each.candidate.id] = Parent(each.candidate.id, restored, _change_odds(each))
    return list(found.values())


def breed(pool: Pool, fittest: Sequence[Parent], rng: Random) -> Child:
    """One child of the better half, by rank: crossed, mutated, or both."""
    able = fittest[: max(2, (len(fittest) + 1) // 2)]
    odds = np.array([_STEEP**-rank for rank in range(len(able))])
    count = 2 if len(able) > 1 and rng.random() < _CROSSED else 1
    chosen = [able[int(at)] for at in rng.choice(len(able), count, replace=False, p=odds / odds.sum())]
    if count == 1:
        return mutate(pool, chosen[0], rng)
    child = cross(pool, chosen[0], chosen[1], rng)
    if rng.random() > _AGAIN:
        return child
    mutant = mutate(pool, Parent("", child.genome, chosen[0].odds), rng)
    return Child(mutant.genome, child.parents, f"{child.note}; {mutant.note}")


def cross(pool: Pool, first: Parent, second: Parent, rng: Random) -> Child:
    """A term that both have comes from either, one that one has with some luck."""
    theirs = {gene.key: gene for gene in second.genome}
    wanted: list[Gene] = []
    for gene in first.genome:
        other = theirs.pop(gene.key, None)
        if other is not None:
            wanted.append(gene if rng.random() < 0.5 else other)
        elif pool.is_goal(gene) or rng.random() > _LOST:
            wanted.append(gene)
    wanted += [gene for gene in theirs.values() if rng.random() < 0.5]
    note = f"{first.id} crossed with {second.id}"
    return Child(pool.join(wanted[:MAX_TERMS]), (first.id, second.id), note)


def mutate(pool: Pool, parent: Parent, rng: Random, kinds: Sequence[str] = ()) -> Child:
    """One or more changes at random, one of a kind.

    Args:
        kinds: of changes, by `MUTATIONS`; (): all.
    """
    able = list(kinds or MUTATIONS)
    genome, notes = parent.genome, list[str]()
    while able and not notes:
        drawn: list[str] = []
        while able and (not drawn or rng.random() < _AGAIN):
            odds = np.array([MUTATIONS[kind][1] for kind in able])
            drawn.append(able.pop(int(rng.choice(len(able), p=odds / odds.sum()))))
        for kind in sorted(drawn, key="weights".__eq__):  # last, so that the note has the final weights
            genome, note = MUTATIONS[kind][0](pool, parent, genome, rng)
            notes += [note] if note else []
    return Child(pool.join(genome), (parent.id,), "; ".join(notes))


# mutations: the new genome, and the change as text; "" where nothing could be changed


def _scale(pool: Pool, parent: Parent, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """Other weights for one to three terms."""
    odds = parent.odds_of(genome)
    count = min(len(genome), 1 + int(rng.integers(3)))
    chosen = rng.choice(len(genome), size=count, replace=False, p=odds / odds.sum())
    genes, notes = list(genome), list[str]()
    for at in sorted(int(each) for each in chosen):
        gene = genome[at]
        spreads = {name: _SPREAD if name == gene.key else _SPREAD / 2 for name in gene.weights}
        genes[at] = _moved(gene, pool, spreads, rng)
        changed = [(name, old, genes[at].weights[name]) for name, old in gene.weights.items()]
        notes += [f"{name} {old:g} → {new:g}" for name, old, new in changed if old != new]
    return tuple(genes), ", ".join(notes)


def _vary(pool: Pool, _: Parent, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """Another shape for one term, or other measures; weights with the same default keep their values."""
    known = [(at, term) for at, gene in enumerate(genome) if (term := pool.recognise(gene)) is not None]
    able = [(at, term, variant) for at, term in known for variant in pool.variants(term)]
    able = [each for each in able if _fits(each[2].gene, genome[: each[0]] + genome[each[0] + 1 :])]
    if not able:
        return genome, ""
    at, term, variant = able[int(rng.integers(len(able)))]
    same = term.gene.weights.items() & variant.gene.weights.items()
    gene = variant.gene.weighted({name: genome[at].weights[name] for name, _ in same})
    measures = ", ".join(map(str, variant.binding.measures.values()))
    return (*genome[:at], gene, *genome[at + 1 :]), f"{gene.key}: {variant.shape} of {measures}"


def _add(pool: Pool, _: Parent, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """One more term, the likelier the more it is asked for or usual."""
    terms = [(term, max(term.relevance, 0.0) + term.template.prior) for term in (*pool.goals, *pool.extras)]
    able = [(term.gene, odds) for term, odds in terms if odds > 0 and _fits(term.gene, genome)]
    if not able or len(genome) >= MAX_TERMS:
        return genome, ""
    odds = np.array([odds for _, odds in able])
    gene = able[int(rng.choice(len(able), p=odds / odds.sum()))][0]
    return (*genome, gene), f"{gene.key} added"


def _drop(pool: Pool, parent: Parent, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """One term less, the likelier the less it did; the last goal stays."""
    goals = np.array([pool.is_goal(gene) for gene in genome])
    odds = parent.odds_of(genome)
    odds[goals] *= 0.3 if goals.sum() > 1 else 0.0
    if len(genome) < 2 or not odds.sum():
        return genome, ""
    at = int(rng.choice(len(genome), p=odds / odds.sum()))
    return genome[:at] + genome[at + 1 :], f"{genome[at].key} dropped"


Mutation = Callable[[Pool, Parent, Genome, Random], tuple[Genome, str]]
MUTATIONS: Mapping[str, tuple[Mutation, float]] = {  # with their odds
    "weights": (_scale, 0.45),
    "vary": (_vary, 0.2),
    "add": (_add, 0.2),
    "drop": (_drop, 0.15),
}


def _change_odds(evaluated: Evaluated) -> dict[str, float]:
    """More than 1 for a term that does nothing, or goes against fitness; means over checkpoints and seeds."""
    shares: dict[str, list[float]] = {}
    correlations: dict[str, list[float]] = {}
    for trained in evaluated.trained:
        for checkpoint in trained.checkpoints:
            for term, stats in checkpoint.terms.items():
                shares.setdefault(term, []).append(stats.share)
        for term, correlation in trained.correlations.items():
            correlations.setdefault(term, []).append(correlation or 0.0)
    odds = {term: 1.0 + 3.0 * (float(np.mean(each)) < _IDLE) for term, each in shares.items()}
    for term, each in correlations.items():
        mean = float(np.mean(each))
        odds[term] = odds.get(term, 1.0) - (3.0 * mean if mean < _HARM else 0.0)
    return odds


def _moved(gene: Gene, pool: Pool, spreads: Mapping[str, float], rng: Random) -> Gene:
    """Weights times log-normal factors, within their term's range, to two digits."""
    term, weights = pool.recognise(gene), dict(gene.weights)
    for name, spread in spreads.items():
        low, high = term.range(name) if term else (-np.inf, np.inf)
        if spread:
            weights[name] = _rounded(
                float(np.clip(weights[name] * np.exp(rng.normal(0.0, spread)), low, high))
            )
    return gene.weighted(weights)


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _fits(gene: Gene, genome: Genome) -> bool:
    return all(compatible(gene, each) for each in genome)
