"""Who is next: ask a strategy what to write, tell it what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eureka_loop.results import Evaluated


@dataclass(frozen=True, slots=True)
class Ask:
    """What a strategy wants written next.

    Attributes:
        best: the candidate to improve on; None where nothing has been trained yet.
        generation_before: what the feedback is about, besides the best; in a steady search those that ended
            last.
        only: indices of the samples that are asked for; None: all.
        told: how many evaluations it goes by.
    """

    generation: int
    samples: int
    best: Evaluated | None = None
    generation_before: tuple[Evaluated, ...] = ()
    only: tuple[int, ...] | None = None
    told: int = 0


class Strategy(Protocol):
    """Ask and tell, in turn. A strategy is rebuilt on resume by telling it the same again."""

    @property
    def best(self) -> Evaluated | None:
        """The best so far; None while nothing has finished training."""
        ...

    @property
    def history(self) -> Sequence[Evaluated]:
        """Everything told so far, in order."""
        ...

    def ask(self) -> Ask | None:
        """What to write next; None when the search is over."""
        ...

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        """What came of the last ask, in order of id."""
        ...


def in_order(evaluated: Iterable[Evaluated]) -> list[Evaluated]:
    """In order of id: g2-00 before g10-00."""
    return sorted(evaluated, key=lambda each: (len(each.candidate.id), each.candidate.id))
