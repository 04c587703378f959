"""Programs from a pool of terms: the best guess, and others by mutation and crossing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eureka_loop.propose.templates.pool import Pool
from eureka_loop.propose.templates.program import Gene, Genome, read
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, ranked

MAX_TERMS = 8  # more than a person likes to read, and few tasks need
_CERTAIN = 0.8  # relevance or prior from which the best guess holds a term

_CROSSED = 0.35  # probability that a child has two parents
_AGAIN = 0.4  # probability of one more mutation
_STEEP = 1.5  # a parent's odds over those of the next in rank
_LOST = 0.3  # probability that crossing leaves out a term the other parent hasn't; goals stay

_SPREAD = 0.6  # of the logarithm of a mutated weight; a margin moves half as far
_IDLE = 0.01  # share of the reward below which a term does nothing
_ORDER = ("goal", "shaping", "cost")

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Program:
    """A genome and its origin.

    Attributes:
        parents: ids of the candidates it was made from; an evaluated program's own id.
        note: the changes as text.
        odds: key of a term → how likely it is to be changed; 1 for a term that did well, and by default.
    """

    genome: Genome
    parents: tuple[str, ...] = ()
    note: str = ""
    odds: Mapping[str, float] = field(default_factory=dict)

    def changed(self, genome: Genome, note: str) -> Program:
        return replace(self, genome=genome, note="; ".join(filter(None, [self.note, note])))

    def all_odds(self) -> Array:
        return np.array([self.odds.get(gene.term.key, 1.0) for gene in self.genome])


def best_guess(pool: Pool) -> Program:
    """The goals, and what is asked for or usual beside them; empty where the vocabulary allows no goal."""
    relevances = {term.template.name: term.relevance for term in pool.goals}
    # without a goal that another one, as relevant, serves better
    goals = [term for term in pool.goals if relevances.get(term.template.unless, -1.0) < term.relevance]
    names = {term.template.name for term in (*goals, *pool.extras)}
    extras = []
    for term in pool.extras:
        asked = 0.0 if term.template.unless in names else term.relevance
        if max(term.template.prior, asked) >= _CERTAIN:
            extras.append(term)
    genome = _joined([Gene(term, term.weights) for term in (*goals, *extras)][:MAX_TERMS])
    return Program(genome, note=f"best guess ({', '.join(gene.term.key for gene in genome)})")


def parents(pool: Pool, evaluated: Iterable[Evaluated]) -> list[Program]:
    """Those with a fitness and a genome, best first; failed candidates and references don't breed."""
    found: dict[str, Program] = {}
    for each in ranked(list(evaluated)):
        if genome := read(each.candidate.source, pool.terms):
            found[each.candidate.id] = Program(genome, (each.candidate.id,), odds=_change_odds(each))
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
    theirs = {gene.term.key: gene for gene in second.genome}
    wanted: list[Gene] = []
    for gene in first.genome:
        other = theirs.pop(gene.term.key, None)
        if other is not None:
            wanted.append(gene if rng.random() < 0.5 else other)
        elif gene.term.purpose == "goal" or rng.random() > _LOST:
            wanted.append(gene)
    wanted += [gene for gene in theirs.values() if rng.random() < 0.5]
    origin = first.parents + second.parents
    return Program(_joined(wanted[:MAX_TERMS]), origin, " crossed with ".join(origin), first.odds)


def mutate(pool: Pool, program: Program, rng: Random, kinds: Sequence[str] = (), least: int = 1) -> Program:
    """Changes at random, each of another kind; none where none is possible.

    Args:
        kinds: of changes, by `MUTATIONS`; (): all.
        least: number of changes; seldom there is one more.
    """
    able = list(kinds or MUTATIONS)
    odds = np.array([MUTATIONS[kind][1] for kind in able])
    count = min(len(able), least + int(rng.random() < _AGAIN))
    drawn = rng.choice(able, count, replace=False, p=odds / odds.sum())
    for kind in sorted(drawn, key="weights".__eq__):  # last, so that the note has the final weights
        program = MUTATIONS[kind][0](pool, program, rng)
    return replace(program, genome=_joined(program.genome))


# mutations; they return the same program where nothing could be changed


def _scale(pool: Pool, program: Program, rng: Random) -> Program:
    """Other weights for one to three terms."""
    genes, odds, notes = list(program.genome), program.all_odds(), list[str]()
    count = min(len(genes), 1 + int(rng.integers(3)))
    chosen = rng.choice(len(genes), size=count, replace=False, p=odds / odds.sum())
    for at in sorted(int(each) for each in chosen):
        old, genes[at] = genes[at], _moved(genes[at], rng)
        changed = [(name, value, genes[at].weights[name]) for name, value in old.weights.items()]
        notes += [f"{name} {value:g} → {new:g}" for name, value, new in changed if value != new]
    return program.changed(tuple(genes), ", ".join(notes))


def _vary(pool: Pool, program: Program, rng: Random) -> Program:
    """Another shape for one term, or other measures; weights with the same default keep their values."""
    genome = program.genome
    able = [(at, variant) for at, gene in enumerate(genome) for variant in pool.variants(gene.term)]
    if not able:
        return program
    at, variant = able[int(rng.integers(len(able)))]
    same = genome[at].term.weights.items() & variant.weights.items()
    gene = Gene(variant, {**variant.weights, **{name: genome[at].weights[name] for name, _ in same}})
    measures = ", ".join(map(str, variant.binding.measures.values()))
    note = f"{variant.key}: {variant.shape} of {measures}"
    return program.changed((*genome[:at], gene, *genome[at + 1 :]), note)


def _add(pool: Pool, program: Program, rng: Random) -> Program:
    """One more term, the likelier the more it is asked for or usual."""
    keys = {gene.term.key for gene in program.genome}
    able = [term for term in (*pool.goals, *pool.extras) if term.key not in keys]
    odds = np.array([max(term.relevance, 0.0) + term.template.prior for term in able])
    if not odds.sum() or len(program.genome) >= MAX_TERMS:
        return program
    term = able[int(rng.choice(len(able), p=odds / odds.sum()))]
    return program.changed((*program.genome, Gene(term, term.weights)), f"{term.key} added")


def _drop(pool: Pool, program: Program, rng: Random) -> Program:
    """One term less, the likelier the less it did; the last goal stays."""
    genome, odds = program.genome, program.all_odds()
    goals = np.array([gene.term.purpose == "goal" for gene in genome])
    odds[goals] *= 0.3 if goals.sum() > 1 else 0.0
    if len(genome) < 2 or not odds.sum():
        return program
    at = int(rng.choice(len(genome), p=odds / odds.sum()))
    return program.changed(genome[:at] + genome[at + 1 :], f"{genome[at].term.key} dropped")


MUTATIONS: Mapping[str, tuple[Callable[[Pool, Program, Random], Program], float]] = {  # with their odds
    "weights": (_scale, 0.45),
    "vary": (_vary, 0.2),
    "add": (_add, 0.2),
    "drop": (_drop, 0.15),
}


def _change_odds(evaluated: Evaluated) -> dict[str, float]:
    """More than 1 for a term that did nothing in the end, or goes against fitness; means over seeds."""
    odds: dict[str, float] = {}
    for trained in evaluated.trained:
        ends = trained.checkpoints[-1].terms if trained.checkpoints else {}
        for term in ends.keys() | trained.correlations.keys():
            idle = term in ends and ends[term].share < _IDLE
            harm = min(trained.correlations.get(term) or 0.0, 0.0)
            odds[term] = odds.get(term, 1.0) + 3.0 * (idle - harm) / len(evaluated.trained)
    return odds


def _moved(gene: Gene, rng: Random) -> Gene:
    """Weights times log-normal factors, to two digits; a target, which the text may state, stays."""
    weights = dict(gene.weights)
    for name, value in gene.weights.items():
        if not name.endswith("_target"):
            spread = _SPREAD if name == gene.term.key else _SPREAD / 2
            weights[name] = float(f"{value * np.exp(rng.normal(0.0, spread)):.2g}")
    return Gene(gene.term, weights)


def _joined(genes: Sequence[Gene]) -> Genome:
    """One gene of each key: goals, then shaping, then costs."""
    kept: dict[str, Gene] = {}
    for gene in genes:
        kept.setdefault(gene.term.key, gene)
    return tuple(sorted(kept.values(), key=lambda gene: _ORDER.index(gene.term.purpose)))
