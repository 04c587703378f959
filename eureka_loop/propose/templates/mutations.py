"""Changes of one genome, likelier where a term did harm or nothing: weights, shapes, measures, terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from eureka_loop.propose.templates.compose import MAX_TERMS, rounded, usual_gene
from eureka_loop.propose.templates.genes import Gene, Genome, compatible
from eureka_loop.propose.templates.pool import Pool

_SPREAD = 0.6  # of the logarithm of a mutated weight; a margin or a target moves half as far
_IDLE = 0.01  # share of the reward below which a term does nothing
_LOUD = 0.5  # share from which a cost drowns the goal
_HARM = -0.1  # correlation with fitness below which a term misleads
_PUSH = 0.7  # how far, in logarithms, a weight is pushed away from doing nothing or drowning the rest


@dataclass(frozen=True, slots=True)
class Standing:
    """How a term did: its share of the reward, and its correlation with fitness over episodes."""

    share: float | None = None
    correlation: float | None = None

    @property
    def idle(self) -> bool:
        return self.share is not None and self.share < _IDLE

    @property
    def loud(self) -> bool:
        return self.share is not None and self.share > _LOUD

    @property
    def misleads(self) -> bool:
        return self.correlation is not None and self.correlation < _HARM

    @property
    def suspect(self) -> float:
        """1 for a term nothing is known against; more makes a change likelier."""
        return 1.0 + 3.0 * self.idle + (3.0 * abs(self.correlation or 0.0) if self.misleads else 0.0)


Standings = Mapping[str, Standing]
Mutated = tuple[Genome, str]  # with what was done, in words; "" where nothing could be


def mutate(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """One change at random."""
    return _KINDS[int(rng.choice(len(_KINDS), p=_ODDS))](pool, standings, genome, rng)


def scale(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """Other weights for one to three terms: up where a term does nothing, down where a cost is too loud."""
    count = min(len(genome), 1 + int(rng.integers(3)))
    odds = np.array([_standing(standings, gene).suspect for gene in genome])
    chosen = rng.choice(len(genome), size=count, replace=False, p=odds / odds.sum())
    genes, notes = list(genome), []
    for at in sorted(int(each) for each in chosen):
        before = genome[at].weights
        genes[at] = _scaled(pool, genome[at], _push(pool, standings, genome[at]), rng)
        after = genes[at].weights
        notes += [
            f"{name} {before[name]:g} → {after[name]:g}" for name in before if before[name] != after[name]
        ]
    return tuple(genes), ", ".join(notes)


def is_goal(pool: Pool, gene: Gene) -> bool:
    """Another author's term counts as a goal: it is not to be thrown away lightly."""
    found = pool.recognise(gene)
    return found is None or found[0].purpose == "goal"


def _reshape(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """Another shape for one term; weights that mean the same in both keep their values."""
    known = [(at, found) for at, gene in enumerate(genome) if (found := pool.recognise(gene)) is not None]
    able = [(at, term, shape) for at, (term, shape) in known if len(term.genes) > 1]
    if not able:
        return genome, ""
    at, term, shape = able[int(rng.integers(len(able)))]
    other = str(rng.choice([each for each in term.genes if each != shape]))
    # A weight of a square and one of a distance are in different units: their defaults differ then.
    alike = term.genes[shape].weights.items() & term.genes[other].weights.items()
    kept = {name: genome[at].weights[name] for name, _ in alike}
    return _replaced(genome, at, term.genes[other].weighted(kept)), f"{term.key}: {shape} → {other}"


def _rebind(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """The same term made of other measures."""
    known = [(at, found[0]) for at, gene in enumerate(genome) if (found := pool.recognise(gene)) is not None]
    able = [(at, other) for at, term in known for other in pool.others(term)]
    able = [
        (at, other) for at, other in able if _fits(usual_gene(other, pool), genome[:at] + genome[at + 1 :])
    ]
    if not able:
        return genome, ""
    at, term = able[int(rng.integers(len(able)))]
    measures = ", ".join(str(measure) for measure in term.binding.measures.values())
    return _replaced(genome, at, usual_gene(term, pool)), f"{term.key} of {measures}"


def _add(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """A term more, the likelier the more it is asked for or usual."""
    able = [term for term in (*pool.goals, *pool.extras) if term.wish > 0 or term.prior > 0]
    able = [term for term in able if _fits(usual_gene(term, pool), genome)]
    if not able or len(genome) >= MAX_TERMS:
        return genome, ""
    odds = np.array([max(term.wish, 0.0) + term.prior for term in able])
    term = able[int(rng.choice(len(able), p=odds / odds.sum()))]
    return (*genome, usual_gene(term, pool)), f"{term.key} added"


def _drop(pool: Pool, standings: Standings, genome: Genome, rng: np.random.Generator) -> Mutated:
    """A term less, the likelier the less it did; the last goal stays."""
    goals = [is_goal(pool, gene) for gene in genome]
    kept = 0.3 if sum(goals) > 1 else 0.0
    suspects = [_standing(standings, gene).suspect for gene in genome]
    odds = np.array([each * (kept if goal else 1.0) for each, goal in zip(suspects, goals, strict=True)])
    if len(genome) < 2 or not odds.sum():
        return genome, ""
    at = int(rng.choice(len(genome), p=odds / odds.sum()))
    return genome[:at] + genome[at + 1 :], f"{genome[at].key} dropped"


_KINDS: tuple[Callable[[Pool, Standings, Genome, np.random.Generator], Mutated], ...] = (
    scale, _reshape, _rebind, _add, _drop,
)  # fmt: skip
_ODDS = (0.45, 0.15, 0.05, 0.2, 0.15)


def _scaled(pool: Pool, gene: Gene, push: float, rng: np.random.Generator) -> Gene:
    found = pool.recognise(gene)
    changes = {}
    for name, value in gene.weights.items():
        main = name.removesuffix("_weight") == gene.key or len(gene.weights) == 1
        factor = np.exp(rng.normal(push, _SPREAD) if main else rng.normal(0.0, _SPREAD / 2))
        low, high = found[0].ranges[name] if found else (-np.inf, np.inf)
        changes[name] = rounded(float(np.clip(value * factor, low, high)))
    return gene.weighted(changes)


def _push(pool: Pool, standings: Standings, gene: Gene) -> float:
    standing = _standing(standings, gene)
    if standing.idle:
        return _PUSH
    return -_PUSH if (standing.loud or standing.misleads) and not is_goal(pool, gene) else 0.0


def _standing(standings: Standings, gene: Gene) -> Standing:
    return standings.get(gene.key, Standing())


def _fits(gene: Gene, genome: Genome) -> bool:
    return all(compatible(gene, each) for each in genome)


def _replaced(genome: Genome, at: int, gene: Gene) -> Genome:
    return (*genome[:at], gene, *genome[at + 1 :])
