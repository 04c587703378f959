"""Islands: populations that evolve apart, in which each structure keeps its best program.

After Romera-Paredes et al. 2024, "Mathematical discoveries from program search with large language models"
(FunSearch), Nature 625: islands, and within each a choice between clusters of alike programs. Here a
cluster is a structure, the set of observables that programs read, so that an island keeps different kinds;
and the best of an island migrates, where FunSearch empties the worst islands. Parts of several rewards are
crossed in Li et al. 2025, "R*: Efficient Reward Design via Reward Structure Evolution and Parameter
Alignment Optimization with Large Language Models", ICML.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.propose.designer import Choice
from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.lineage import by_structure
from eureka_loop.search.strategy import ProposalRequest, SearchPlan

MEMBERS = 4  # least samples of an island in a generation
MOST = 4  # islands
MIGRATION = 2  # generations from one migration to the next
STEEP = 2.0  # a cell's odds over those of the next in rank
PARENTS = 3  # of a cross, at most
# Of an island's samples in turn, and on in the next generation.
OPERATORS = ("weights", "refine", "cross", "structure", "path", "cross", "weights", "differ")


class Islands:
    """Sample n of a generation belongs to island n modulo their number."""

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self.amount = max(1, min(MOST, plan.samples // MEMBERS))
        self.islands: list[list[Evaluated]] = [[] for _ in range(self.amount)]
        self._generation = 0
        self._waits = False

    def ask(self) -> ProposalRequest | None:
        if self._waits or self._generation >= self._plan.generations:
            return None
        self._waits = True
        samples = tuple(range(self._plan.samples))
        choices = tuple(self._choice(sample) for sample in samples)
        return ProposalRequest(self._generation, samples, len(samples), choices=choices)

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        """A generation, then, now and then, the best of each island to the next one."""
        for sample, each in enumerate(evaluated):
            self.islands[sample % self.amount].append(each)
        self._generation, self._waits = self._generation + 1, False
        if self._generation % MIGRATION == 0:
            best = [ranked(island)[:1] for island in self.islands]
            for place, island in enumerate(self.islands):
                island += [each for each in best[place - 1] if each not in island]

    def cells(self, island: int) -> list[Evaluated]:
        """The best program of each structure, best first."""
        return [best for best, *_ in by_structure(ranked(self.islands[island])).values()]

    def _choice(self, sample: int) -> Choice:
        """The first of an island's samples changes its best; the others a cell's, the likelier the better."""
        number, place = divmod(sample, self.amount)
        cells = self.cells(place)
        recent = tuple(
            each for each in self.islands[place] if each.candidate.generation == self._generation - 1
        )
        if not cells:
            return Choice(recent=recent)
        rng = np.random.default_rng([self._plan.seed, self._generation, sample])
        odds = STEEP ** -np.arange(float(len(cells)))
        drawn = rng.choice(len(cells), min(PARENTS, len(cells)), replace=False, p=odds / odds.sum())
        parents = [cells[int(at)] for at in drawn] if number else cells
        turn = (self._generation - 1) * (self._plan.samples // self.amount) + number
        operator = OPERATORS[turn % len(OPERATORS)]
        if operator == "cross" and len(cells) < 2:
            operator = "refine"
        if operator == "path" and not parents[0].candidate.parents:
            operator = "structure"
        return Choice(tuple(parents[: PARENTS if operator == "cross" else 1]), operator, recent)
