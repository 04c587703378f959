"""Designers write reward programs: their requests, the ones built in, and a scripted one for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eureka_loop.config import RunConfig
from eureka_loop.errors import UnknownName
from eureka_loop.records import Reply, Task
from eureka_loop.registry import Registry
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Run

# Name → the change that a request with it asks for.
OPERATORS: Mapping[str, str] = {
    "refine": "improve the parent, whatever it takes",
    "restructure": "other terms, or other forms of them; same idea",
    "weights": "other numbers and nothing else",
    "cross": "combine the parents",
    "fresh": "start from nothing",
    "differ": "a program unlike the parents",
    "path": "continue the development from the earliest parent to the latest",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A reply that failed the gate or its trial, to be repaired.

    Attributes:
        exchange: of that reply, so that a model sees its earlier answer as its own turn.
        attempt: 1 for the first repair of a program.
    """

    source: str | None
    problems: str
    exchange: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a designer may know. Nothing in it comes from report seeds or from the hand-written reward.

    Attributes:
        discount: the trainer's gamma.
        steps: training steps of each candidate.
        generation: from 0.
        samples: number of programs in the generation.
        seed: of the run; every random choice of a designer follows from it, the generation and the sample.
        parents: candidates to work from, the most important first; () before anything was trained.
        operator: one of `OPERATORS`; "": the designer's choice.
        instructions: text for this request alone, beside the task and the feedback.
        feedback: text about the parents and the last candidates, "" in generation 0.
        history: everything evaluated so far, in the order in which it was observed.
        under_way: sources of programs that are written, and not evaluated yet.
        repair: set when a reply is to be repaired.

    Raises:
        UnknownName: there is no such operator.
    """

    task: Task
    vocabulary: Vocabulary
    algorithm: str
    discount: float
    steps: int
    generation: int
    samples: int
    seed: int
    parents: tuple[Evaluated, ...] = ()
    operator: str = ""
    instructions: str = ""
    feedback: str = ""
    history: Sequence[Evaluated] = ()
    under_way: tuple[str, ...] = ()
    repair: Repair | None = None

    def __post_init__(self) -> None:
        if self.operator and self.operator not in OPERATORS:
            known = f"operators: {', '.join(OPERATORS)}"
            raise UnknownName("operator", self.operator, OPERATORS, hint=known)

    @property
    def attempt(self) -> int:
        """0 for a first reply, 1 for its first repair."""
        return self.repair.attempt if self.repair else 0

    def id(self, sample: int) -> str:
        """The candidate that a sample becomes."""
        return candidate_id(self.generation, sample)


def candidate_id(generation: int, sample: int) -> str:
    return f"g{generation}-{sample:02d}"


class Designer(Protocol):
    """Writes reward programs."""

    @property
    def name(self) -> str:
        """As registered: "templates"."""
        ...

    def propose(self, request: Request, sample: int) -> Reply:
        """One program of a generation, or the reason why there is none.

        Called in several threads at once; it may take its time.

        Args:
            sample: from 0 to `request.samples` - 1.

        Raises:
            DesignerError: this program can't be written now; with `lasting`, none can.
        """
        ...


# (configuration, run or None before there is one) → designer. Raises BadInput where it can't work.
DesignerFactory = Callable[[RunConfig, Run | None], Designer]

DESIGNERS: Registry[DesignerFactory] = Registry(
    "designer",
    "eureka_loop.designers",
    {
        "templates": "eureka_loop.propose.templates.designer:create",
        "llm": "eureka_loop.propose.llm.designer:create",
        "replay": "eureka_loop.propose.replay:create",
    },
)


class ScriptedDesigner:
    """A designer for tests: answers with the result of a function, and records its requests."""

    name = "scripted"

    def __init__(self, answer: Callable[[Request, int], str]) -> None:
        self._answer = answer
        self.requests: list[tuple[Request, int]] = []

    def propose(self, request: Request, sample: int) -> Reply:
        self.requests.append((request, sample))
        return Reply(self._answer(request, sample))
