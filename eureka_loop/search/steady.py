"""A strategy without generations: whenever candidates have ended, as many are asked for.

Steady-state evolution, in contrast to the generational kind (Syswerda 1991, "A study of reproduction in
generational and steady-state genetic algorithms", FOGA). No candidate waits for the slowest of a generation.
The price: designers know fewer results, and which ones depends on what ended first, so the order is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, SearchPlan


class SteadyStrategy:
    """`plan.samples` candidates under way, asked for in cohorts; the feedback reports the best and the last.

    Ids count on as if there were generations.
    """

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self._asked = 0
        self._observed: list[Evaluated] = []

    def ask(self) -> ProposalRequest | None:
        plan = self._plan
        generation, first = divmod(self._asked, plan.samples)
        samples = tuple(range(first, min(first + plan.cohort, plan.samples)))
        room = plan.samples - (self._asked - len(self._observed))
        if len(samples) > room or generation >= plan.generations:
            return None
        self._asked += len(samples)
        return ProposalRequest(
            generation=generation,
            samples=samples,
            of=plan.samples,
            parents=tuple(ranked(self._observed)[:1]),
            recent=tuple(self._observed[-plan.samples :]),
            barrier=False,
        )

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self._observed += evaluated
