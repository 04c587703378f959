"""The seam to search strategies, which decide what to write next: Protocol, registry, and public fake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eureka_loop.config import RunConfig
from eureka_loop.execute.machine import Share
from eureka_loop.propose.designer import Choice, candidate_id
from eureka_loop.records import Reply
from eureka_loop.registry import Registry
from eureka_loop.results import Evaluated


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """The arguments of a strategy; it asks for `generations` × `samples` candidates."""

    generations: int
    samples: int
    cohort: int = 1  # candidates of a request without a barrier, such that each worker has one cohort in
    # training and another one in the making
    seed: int = 0


def search_plan(config: RunConfig, share: Share) -> SearchPlan:
    """Without a barrier half of the candidates under way are in training, the others in the making."""
    cohort = max(1, min(config.samples // (2 * share.workers), share.learners // config.seeds))
    return SearchPlan(config.generations, config.samples, cohort, config.seed)


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """Candidates that a strategy wants written and trained."""

    generation: int  # names the candidates, with the indices of the samples
    samples: tuple[int, ...]  # indices
    of: int  # samples that the whole generation has
    parents: tuple[Evaluated, ...] = ()  # candidates to work from, the most important first
    recent: tuple[Evaluated, ...] = ()  # candidates that the feedback reports beside the first parent
    operator: str = ""  # of `OPERATORS`; "": the designer's choice
    choices: tuple[Choice, ...] = ()  # of the samples, in place of parents, operator and recent
    instructions: str = ""  # text for the designer, for this request alone
    replies: tuple[Reply, ...] = ()  # by index of the sample: programs that no designer is asked for
    barrier: bool = True  # whether results are observed together, when the last has ended; else each at once

    @property
    def ids(self) -> list[str]:
        """Of the candidates."""
        return [candidate_id(self.generation, sample) for sample in self.samples]


class Strategy(Protocol):
    """Ask and tell. Deterministic: a resumed run rebuilds it by the same calls in the same order."""

    def ask(self) -> ProposalRequest | None:
        """The next request; None where there is none before more results are observed, or at all any more."""
        ...

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        """Observe results, in order of id."""
        ...


STRATEGIES: Registry[Callable[[SearchPlan], Strategy]] = Registry(
    "strategy",
    "eureka_loop.strategies",
    {
        "eureka": "eureka_loop.search.eureka:EurekaStrategy",
        "steady": "eureka_loop.search.eureka:SteadyStrategy",
        "islands": "eureka_loop.search.islands:Islands",
        "tree": "eureka_loop.search.tree:Tree",
    },
)


class ScriptedStrategy:
    """The public fake: asks for the given requests, each when the one before is observed."""

    def __init__(self, requests: Iterable[ProposalRequest]) -> None:
        self._requests = list(requests)
        self._open: set[str] = set()
        self.observed: list[Evaluated] = []

    def ask(self) -> ProposalRequest | None:
        if self._open or not self._requests:
            return None
        request = self._requests.pop(0)
        self._open |= set(request.ids)
        return request

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self.observed += evaluated
        self._open -= {each.candidate.id for each in evaluated}


def in_order(evaluated: Iterable[Evaluated]) -> list[Evaluated]:
    """In order of id: g2-00 before g10-00."""
    return sorted(evaluated, key=lambda each: (len(each.candidate.id), each.candidate.id))
