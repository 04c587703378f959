"""Eureka's strategy (Ma et al. 2023, Algorithm 1): K samples a generation, feedback from the best so far.

Unlike the paper, which goes on from the best of the last generation, this one keeps the best ever (elitism):
a noisy generation can't lose what was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, SearchPlan


class EurekaStrategy:
    """`plan.samples` candidates in each of `plan.generations`."""

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self._asked = 0
        self._generations: list[tuple[Evaluated, ...]] = []

    def ask(self) -> ProposalRequest | None:
        if self._asked > len(self._generations) or self._asked >= self._plan.generations:
            return None
        self._asked += 1
        history = [each for generation in self._generations for each in generation]
        return ProposalRequest(
            generation=self._asked - 1,
            samples=tuple(range(self._plan.samples)),
            of=self._plan.samples,
            parents=tuple(ranked(history)[:1]),
            recent=self._generations[-1] if self._generations else (),
        )

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self._generations.append(tuple(evaluated))
