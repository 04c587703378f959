"""Eureka's strategy (Ma et al. 2023, Algorithm 1): K samples a generation, feedback from the best so far.

Unlike the paper, which goes on from the best of the last generation, the best ever is kept (elitism): a noisy
generation can't lose what was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import Ask


class EurekaStrategy:
    """K samples in each of G generations.

    Args:
        generations: G.
        samples: K.
    """

    def __init__(self, generations: int, samples: int) -> None:
        self._generations, self._samples = generations, samples
        self._told: list[tuple[Evaluated, ...]] = []

    @property
    def history(self) -> Sequence[Evaluated]:
        return [each for generation in self._told for each in generation]

    @property
    def best(self) -> Evaluated | None:
        return next(iter(ranked(self.history)), None)

    def ask(self) -> Ask | None:
        if len(self._told) >= self._generations:
            return None
        before = self._told[-1] if self._told else ()
        return Ask(len(self._told), self._samples, self.best, before, told=len(self.history))

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self._told.append(tuple(evaluated))
