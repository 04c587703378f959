"""Later generations: mutation and crossover of the fittest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.propose.templates.compose import MAX_TERMS, ordered
from eureka_loop.propose.templates.genes import Gene, Genome, compatible, parse
from eureka_loop.propose.templates.mutations import Standing, Standings, is_goal, mutate, scale
from eureka_loop.propose.templates.pool import Pool
from eureka_loop.results import Evaluated, ranked

_CROSSED = 0.35  # chance that a child has two parents
_AGAIN = 0.4  # chance of one more mutation
_STEEP = 1.5  # how much likelier a parent is than the next in rank
_LOST = 0.3  # chance that crossing leaves out a term the other parent hasn't; goals stay
_TRIES = 20  # at a mutation that changes something
_REFERENCES = frozenset({"human", "sparse"})


@dataclass(frozen=True, slots=True)
class Parent:
    """An evaluated candidate that can breed."""

    id: str
    fitness: float
    genome: Genome
    standings: Standings


@dataclass(frozen=True, slots=True)
class Child:
    """A new genome, whose it is, and what was done."""

    genome: Genome
    parents: tuple[str, ...]
    note: str


def parents(history: Iterable[Evaluated], best: Evaluated | None) -> list[Parent]:
    """Those with a fitness and a genome, first in rank first; failed ones and the references don't breed."""
    found: dict[str, Parent] = {}
    for each in ranked([*([best] if best else []), *history]):
        genome = parse(each.candidate.source)
        if each.fitness is not None and genome and each.candidate.id not in _REFERENCES:
            found[each.candidate.id] = Parent(each.candidate.id, each.fitness, genome, _standings(each))
    return list(found.values())


def breed(pool: Pool, fittest: Sequence[Parent], rng: np.random.Generator) -> Child:
    """One child of the fittest: crossed or not, then mutated at least once."""
    first = _pick(fittest, rng)
    rest = [parent for parent in fittest if parent is not first]
    genome, ids, notes = first.genome, [first.id], list[str]()
    if rest and rng.random() < _CROSSED:
        second = _pick(rest, rng)
        genome, ids = _crossed(pool, first.genome, second.genome, rng), [first.id, second.id]
        notes.append(f"{first.id} crossed with {second.id}")
    for _ in range(_TRIES):
        if notes and rng.random() > _AGAIN:
            break
        genome, note = mutate(pool, first.standings, genome, rng)
        notes += [note] if note else []
    return Child(ordered(genome, pool), tuple(ids), "; ".join(notes))


def refine(pool: Pool, fittest: Sequence[Parent], rng: np.random.Generator) -> Child:
    """The very best with other weights and nothing else."""
    best = fittest[0]
    genome, note = scale(pool, best.standings, best.genome, rng)
    return Child(genome, (best.id,), note)


def _standings(evaluated: Evaluated) -> dict[str, Standing]:
    """Means over checkpoints and seeds."""
    shares: dict[str, list[float]] = {}
    correlations: dict[str, list[float]] = {}
    for trained in evaluated.trained:
        for checkpoint in trained.checkpoints:
            for term, stats in checkpoint.terms.items():
                shares.setdefault(term, []).append(stats.share)
        for term, correlation in trained.correlations.items():
            if correlation is not None:
                correlations.setdefault(term, []).append(correlation)
    terms = shares.keys() | correlations.keys()
    return {term: Standing(_mean(shares.get(term, [])), _mean(correlations.get(term, []))) for term in terms}


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _pick(fittest: Sequence[Parent], rng: np.random.Generator) -> Parent:
    """By rank, among the better half."""
    able = fittest[: max(2, (len(fittest) + 1) // 2)]
    odds = np.array([_STEEP**-rank for rank in range(len(able))])
    return able[int(rng.choice(len(able), p=odds / odds.sum()))]


def _crossed(pool: Pool, first: Genome, second: Genome, rng: np.random.Generator) -> Genome:
    """A term that both have comes from either, one that one has with some luck."""
    theirs = {gene.key: gene for gene in second}
    wanted: list[Gene] = []
    for gene in first:
        other = theirs.pop(gene.key, None)
        if other is not None:
            wanted.append(gene if rng.random() < 0.5 else other)
        elif is_goal(pool, gene) or rng.random() > _LOST:
            wanted.append(gene)
    wanted += [gene for gene in theirs.values() if rng.random() < 0.5]
    chosen: list[Gene] = []
    for gene in wanted[:MAX_TERMS]:
        if all(compatible(gene, each) for each in chosen):
            chosen.append(gene)
    return tuple(chosen)
