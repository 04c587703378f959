"""Designers write reward programs: the requests they get, their replies, and the ones built in."""

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
        samples: number of replies in the generation.
        seed: of the run; every random choice of a designer follows from it and the generation.
        parents: candidates to work from, the most important first; () before anything was trained.
        operator: one of `OPERATORS`; "": the designer's choice.
        instructions: text for this request alone, beside the task and the feedback.
        feedback: text about the parents and the last candidates, "" in generation 0.
        history: everything evaluated so far, in the order in which it was observed.
        under_way: sources of programs that are written, and not evaluated yet.
        repair: set when a single reply is to be repaired, the one of `only`.
        only: indices of the samples to write, where the others exist already; None: all.

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
    only: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.operator and self.operator not in OPERATORS:
            known = f"operators: {', '.join(OPERATORS)}"
            raise UnknownName("operator", self.operator, OPERATORS, hint=known)

    @property
    def wanted(self) -> Sequence[int]:
        """Indices of the samples to write."""
        return range(self.samples) if self.only is None else self.only

    def id(self, sample: int) -> str:
        """The candidate that a sample becomes."""
        return candidate_id(self.generation, sample)


def candidate_id(generation: int, sample: int) -> str:
    return f"g{generation}-{sample:02d}"


class ReplySink(Protocol):
    """Takes replies as they come."""

    def keep(self, sample: int, reply: Reply) -> None:
        """Take a sample's reply; called once a sample, from any thread."""
        ...

    def tick(self) -> None:
        """Called a few times a second while replies are awaited; an exception here ends the waiting."""
        ...


class Designer(Protocol):
    """Writes reward programs."""

    @property
    def name(self) -> str:
        """As registered: "templates"."""
        ...

    def propose(self, request: Request, sink: ReplySink) -> None:
        """Give `sink` a reply for each of `request.wanted`; one without a program states the reason.

        Raises:
            DesignerError: nothing can be written now (unreachable endpoint, budget spent). Replies given
                before stay; samples without a reply can be requested later.
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


class CollectedReplies:
    """The public fake of a sink: keeps replies in memory."""

    def __init__(self) -> None:
        self.replies: dict[int, Reply] = {}
        self.ticks = 0

    def keep(self, sample: int, reply: Reply) -> None:
        self.replies[sample] = reply

    def tick(self) -> None:
        self.ticks += 1


def collect(designer: Designer, request: Request) -> list[Reply]:
    """The replies to a request, in order of their samples."""
    sink = CollectedReplies()
    designer.propose(request, sink)
    return [sink.replies[sample] for sample in sorted(sink.replies)]


class ScriptedDesigner:
    """The public fake of a designer: answers with given sources, in order, and records its requests."""

    name = "scripted"

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = list(sources)
        self.requests: list[Request] = []

    def propose(self, request: Request, sink: ReplySink) -> None:
        self.requests.append(request)
        for sample in request.wanted[: len(self._sources)]:
            sink.keep(sample, Reply(source=self._sources.pop(0)))
