"""The first generation: programs composed from a pool of terms, the best guess first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eureka_loop.propose.templates.genes import Gene, Genome, compatible
from eureka_loop.propose.templates.pool import Pool, Term

MAX_TERMS = 8  # more than a person would read with pleasure, and few tasks need
_CERTAIN = 0.8  # wish or prior from which a term belongs into every program
_ORDER = {"goal": 0, "shaping": 1, "cost": 2}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to compose one program.

    Attributes:
        goals: every goal the text asks for, the first alone, or a random part of them.
        reshaped: chance that a term takes another shape than its usual one.
        rebound: chance that a term takes other measures than the best ones.
        extras: factor on the priors of shaping and costs; 0 leaves out all but what keeps the episode going.
        emphasis: factor on the weights of the goals.
        spread: standard deviation of the weights' logarithms.
    """

    name: str
    goals: Literal["all", "first", "some"] = "all"
    reshaped: float = 0.0
    rebound: float = 0.0
    extras: float = 1.0
    emphasis: float = 1.0
    spread: float = 0.0


BEST_GUESS = Recipe("best guess")
FIRST = (
    BEST_GUESS,
    Recipe("goal weighed more", emphasis=3.0),
    Recipe("goal alone", goals="first", extras=0.0),
    Recipe("more shaping", extras=2.5, spread=0.3),
    Recipe("other shapes", reshaped=0.8, extras=1.0, spread=0.3),
)
ANY = Recipe("mixed", goals="some", reshaped=0.4, rebound=0.25, extras=1.5, spread=0.6)


def recipe(index: int) -> Recipe:
    """The recipe of the index-th program of a run; from some point on all are drawn alike."""
    return FIRST[index] if index < len(FIRST) else ANY


def compose(pool: Pool, recipe: Recipe, rng: np.random.Generator) -> Genome:
    """One program's genes; empty where no goal can be made of the vocabulary."""
    goals = _goals(pool, recipe, rng)
    chosen = [*goals, *_extras(pool, recipe, rng, goals)]
    genes: list[Gene] = []
    for term in chosen[:MAX_TERMS]:
        gene = _made(pool, term, recipe, rng)
        if all(compatible(gene, other) for other in genes):
            genes.append(gene)
    return ordered(genes, pool)


def ordered(genes: Iterable[Gene], pool: Pool) -> Genome:
    """Goals, then shaping, then costs; what is not from the pool stands with the shaping."""

    def rank(gene: Gene) -> int:
        found = pool.recognise(gene)
        return _ORDER[found[0].purpose] if found else _ORDER["shaping"]

    return tuple(sorted(genes, key=rank))


def usual_gene(term: Term, pool: Pool) -> Gene:
    """In the first shape; where an episode can end early, in the first that never pays less than nothing."""
    template = term.template
    return term.genes[template.positive[0] if pool.endable and template.positive else template.shapes[0]]


def rounded(value: float) -> float:
    """To two significant digits: a weight is no more certain than that."""
    return float(f"{value:.2g}")


def scattered(gene: Gene, term: Term, spread: float, rng: np.random.Generator) -> Gene:
    """Its weights multiplied by log-normal factors, within their ranges."""
    changes = {}
    for name, value in gene.weights.items():
        low, high = term.ranges[name]
        changes[name] = rounded(float(np.clip(value * np.exp(rng.normal(0.0, spread)), low, high)))
    return gene.weighted(changes)


def _goals(pool: Pool, recipe: Recipe, rng: np.random.Generator) -> list[Term]:
    goals = _without_repeats(pool.goals) if recipe.goals != "some" else list(pool.goals)
    if recipe.goals == "first":
        return goals[:1]
    if recipe.goals == "some" and len(goals) > 1:
        keep = rng.random(len(goals)) < 0.65
        keep[int(rng.integers(len(goals)))] = True
        return [goal for goal, kept in zip(goals, keep, strict=True) if kept]
    return goals


def _extras(pool: Pool, recipe: Recipe, rng: np.random.Generator, goals: Sequence[Term]) -> list[Term]:
    chosen: list[Term] = []
    names = {each.template.name for each in [*goals, *pool.extras]}
    for term in pool.extras:
        wanted = max(term.prior, min(term.wish, 1.0)) if term.template.unless not in names else term.prior
        keeps_going = term.prior == 1.0
        chance = 1.0 if keeps_going else wanted * recipe.extras
        if recipe is BEST_GUESS:
            chance = float(wanted >= _CERTAIN)
        if rng.random() < chance:
            chosen.append(term)
    return chosen


def _without_repeats(terms: Sequence[Term]) -> list[Term]:
    """Without those that say what another one, wished for as much, says better."""
    wishes = {term.template.name: term.wish for term in terms}
    return [term for term in terms if wishes.get(term.template.unless, -1.0) < term.wish]


def _made(pool: Pool, term: Term, recipe: Recipe, rng: np.random.Generator) -> Gene:
    others = pool.others(term)
    if others and rng.random() < recipe.rebound:
        term = others[int(rng.integers(len(others)))]
    gene = usual_gene(term, pool)
    if rng.random() < recipe.reshaped:
        gene = term.genes[str(rng.choice(list(term.template.shapes)))]
    if recipe.emphasis != 1.0 and term.purpose == "goal":
        name = next(iter(gene.weights))
        gene = gene.weighted({name: rounded(gene.weights[name] * recipe.emphasis)})
    return scattered(gene, term, recipe.spread, rng) if recipe.spread else gene
