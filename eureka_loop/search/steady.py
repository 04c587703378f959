"""A search without generations: whenever a candidate has ended, another one is asked for.

Steady-state evolution, as against the generational (Syswerda 1991, "A study of reproduction in generational
and steady-state genetic algorithms", FOGA). Nothing waits for the slowest of a generation; the price is that
authors know fewer results, and that which ones they know depends on who ended first. So that is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run


class SteadyStrategy:
    """K candidates under way at all times, G × K in all; the feedback is about the best and the last K.

    Args:
        generations: G; ids count on as if there were generations.
        samples: K.
    """

    def __init__(self, generations: int, samples: int) -> None:
        self._samples, self._total = samples, generations * samples
        self._asked = 0
        self._told: list[Evaluated] = []

    @property
    def history(self) -> Sequence[Evaluated]:
        """In the order in which they were told."""
        return tuple(self._told)

    @property
    def best(self) -> Evaluated | None:
        return next(iter(ranked(self._told)), None)

    @property
    def over(self) -> bool:
        """Whether all have been asked for."""
        return self._asked >= self._total

    def ask(self) -> Ask | None:
        """As many as there is room for; None where there is none before more is told, or at all any more."""
        generation, first = divmod(self._asked, self._samples)
        room = self._samples - (self._asked - len(self._told))
        count = min(room, self._samples - first, self._total - self._asked)
        return self._after(len(self._told), generation, range(first, first + count)) if count > 0 else None

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        """What came of some that were asked for."""
        self._told += evaluated

    def restore(self, run: Run) -> Iterator[Ask]:
        """Be where an earlier life of the run stopped; what it had asked for and wasn't told of, again."""
        events = list(run.events())
        told = [event["id"] for event in events if event["event"] == "told"]
        self.tell([run.evaluated(id) for id in told])
        for event in (event for event in events if event["event"] == "asked"):
            ask = self._after(event["told"], event["generation"], event["only"])
            left = [n for n, id in zip(event["only"], event["ids"], strict=True) if id not in told]
            if left:
                yield replace(ask, only=tuple(left))

    def _after(self, told: int, generation: int, only: Iterable[int]) -> Ask:
        """What is asked for when so many have been told."""
        wanted, known = tuple(only), self._told[:told]
        self._asked += len(wanted)
        best = next(iter(ranked(known)), None)
        return Ask(generation, self._samples, best, tuple(known[-self._samples :]), wanted, told)
