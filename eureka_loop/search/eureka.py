"""Eureka's strategy (Ma et al. 2023, Algorithm 1): feedback from the best so far. In generations, or steady.

Unlike the paper, which goes on from the best of the last generation, this one keeps the best ever (elitism):
a noisy generation can't lose what was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, SearchPlan


class EurekaStrategy:
    """`plan.samples` candidates in each of `plan.generations`."""

    barrier = True

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self._asked = 0
        self._observed: list[Evaluated] = []

    def ask(self) -> ProposalRequest | None:
        of = self._plan.samples
        generation, first = divmod(self._asked, of)
        samples = tuple(range(first, of if self.barrier else min(first + self._plan.cohort, of)))
        room = of - (self._asked - len(self._observed))
        if len(samples) > room or generation >= self._plan.generations:
            return None
        self._asked += len(samples)
        return ProposalRequest(
            generation=generation,
            samples=samples,
            of=of,
            parents=tuple(ranked(self._observed)[:1]),
            recent=tuple(self._observed[-of:]),
            barrier=self.barrier,
        )

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self._observed += evaluated


class SteadyStrategy(EurekaStrategy):
    """`plan.samples` candidates under way: whenever a cohort has ended, another one is requested.

    Steady-state evolution (Syswerda 1991, "A study of reproduction in generational and steady-state genetic
    algorithms", FOGA). No candidate waits for the slowest of a generation. The price: designers have fewer
    results, and which ones depends on what ended first. Ids count on as if there were generations.
    """

    barrier = False
