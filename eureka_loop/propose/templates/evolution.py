"""The operators as functions: programs mutated, crossed, unlike others, or further along a path.

`OPERATORS` has their names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from eureka_loop.propose.templates.genome import (
    MAX_TERMS,
    MIXED,
    Gene,
    Genome,
    Program,
    Random,
    compose,
    joined,
    read,
    rounded,
    vary_weights,
)
from eureka_loop.propose.templates.pool import Pool, Term
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, Trained, mean_known, ranked

_CROSSED = 0.35  # probability that a child has two parents
_AGAIN = 0.4  # probability of one more mutation
_STEEP = 1.5  # a parent's odds over those of the next in rank
_DRAWS = 8  # programs of which the one most unlike the others is taken
_STEP = (0.3, 1.0)  # of the last change of weights, in logarithms: it is continued, or taken back, so far
_LOST = 0.3  # probability that crossing leaves out a term the other parent hasn't; goals stay
_SPREAD = 0.6  # of the logarithm of a mutated weight; a margin moves half as far
_IDLE = 0.01  # share of the reward below which a term does nothing
_HARM = 0.1  # negative correlation with fitness from which a term misleads


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
    child = cross(chosen, rng)
    return child if rng.random() > _AGAIN else mutate(pool, child, rng)


def cross(parents: Sequence[Program], rng: Random) -> Program:
    """Parents combined one after the other."""
    child = functools.reduce(lambda first, second: _crossed(first, second, rng), parents)
    return replace(child, note=" crossed with ".join(child.parents), operator="cross")


def _crossed(first: Program, second: Program, rng: Random) -> Program:
    """A term that both have comes from either, one that one has with some luck."""
    shared = {gene.term.key for gene in second.genome}
    theirs = [gene for gene in second.genome if rng.random() < 0.5]
    ours = [
        gene
        for gene in first.genome
        if gene.term.key in shared or gene.term.purpose == "goal" or rng.random() > _LOST
    ]
    return Program(joined([*theirs, *ours]), first.parents + second.parents)


def differ(pool: Pool, others: Iterable[Program], rng: Random) -> Program:
    """Of several programs composed afresh the one that shares the fewest terms with the nearest of others."""
    known = [_terms(each) for each in others]

    def likeness(program: Program) -> float:
        own = _terms(program)
        return max((len(own & each) / len(own | each) for each in known), default=0.0)

    return replace(min((compose(pool, MIXED, rng) for _ in range(_DRAWS)), key=likeness), operator="differ")


def _terms(program: Program) -> set[Term]:
    return {gene.term for gene in program.genome}


def follow(pool: Pool, before: Program, after: Program, rng: Random, *, helped: bool) -> Program:
    """The last step of a path continued where it helped; else taken back in part, terms altogether.

    Where that leaves nothing to change, any mutation of the better one.
    """
    if helped or _terms(before) == _terms(after):
        known = {gene.term: gene.weights for gene in before.genome}
        power = float(rng.uniform(*_STEP)) * (1.0 if helped else -1.0)
        genome = tuple(_continued(gene, known.get(gene.term, gene.weights), power) for gene in after.genome)
        if note := ", ".join(_changed(after.genome, genome)):
            return Program(genome, after.parents, f"{'further' if helped else 'back'}: {note}", "path")
    return replace(mutate(pool, after if helped else before, rng), operator="path")


def _continued(gene: Gene, before: Mapping[str, float], power: float) -> Gene:
    """Weights times a power of the factor by which they differ from those before."""
    ratios = {name: value / before[name] for name, value in gene.weights.items() if before.get(name)}
    further = {
        name: rounded(gene.weights[name] * ratios[name] ** power) for name in ratios if ratios[name] > 0
    }
    return replace(gene, weights={**gene.weights, **further})


def mutate(pool: Pool, program: Program, rng: Random, operator: str = "refine") -> Program:
    """One or more changes at random, one of a kind.

    Args:
        operator: "weights" for other weights alone, "structure" for any other change, "refine" for both.
    """
    kinds = {"weights": ["weights"], "structure": ["vary", "add", "drop"]}
    able, genome, notes = kinds.get(operator, [*MUTATIONS]), program.genome, list[str]()
    while able and not notes:
        drawn: list[str] = []
        while able and (not drawn or rng.random() < _AGAIN):
            odds = np.array([MUTATIONS[kind][1] for kind in able])
            drawn.append(able.pop(int(rng.choice(len(able), p=odds / odds.sum()))))
        for kind in sorted(drawn, key="weights".__eq__):  # last, so that the note has the final weights
            genome, note = MUTATIONS[kind][0](pool, genome, rng)
            notes += [note] if note else []
    note = "; ".join(filter(None, [program.note, *notes]))
    return Program(joined(genome), program.parents, note, program.operator or operator)


# mutations: the genome and a note on the change, "" where nothing could be changed


def _scale(pool: Pool, genome: Genome, rng: Random) -> tuple[Genome, str]:
    """Other weights for one to three terms."""
    genes, odds = list(genome), _odds(genome)
    count = min(len(genes), 1 + int(rng.integers(3)))
    chosen = rng.choice(len(genes), size=count, replace=False, p=odds / odds.sum())
    for at in sorted(int(each) for each in chosen):
        genes[at] = vary_weights(genes[at], _SPREAD, _SPREAD / 2, rng)
    return tuple(genes), ", ".join(_changed(genome, genes))


def _changed(before: Iterable[Gene], after: Iterable[Gene]) -> Iterator[str]:
    """ "speed 1 → 2", of the same terms."""
    for old, new in zip(before, after, strict=True):
        for name, value in old.weights.items():
            if value != new.weights[name]:
                yield f"{name} {value:g} → {new.weights[name]:g}"


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
