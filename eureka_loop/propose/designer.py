"""Who writes rewards, and who takes what they write: one method, three built in (templates, llm, replay)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eureka_loop.records import Reply, Task
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Repair:
    """A reply that failed the gate or its trial, to be mended once.

    `exchange` is that reply's own, so that a model sees its earlier answer as its own turn.
    """

    source: str | None
    problems: str
    exchange: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """All a designer may know. Nothing in it comes from report seeds or from the hand-written reward.

    Attributes:
        discount: the trainer's gamma.
        steps: training steps a candidate gets.
        generation: from 0.
        samples: how many replies the generation has.
        seed: the run's; with the generation it decides every random choice a designer makes.
        parents: candidates to work from, the most important first; () before anything was trained.
        operator: name of the change asked for ("refine", "cross", "weights"); "": the designer's choice.
        instructions: text for this request alone, beside the task and the feedback.
        feedback: text about the parents and the last candidates, "" in generation 0.
        history: everything evaluated so far, in the order in which it was told.
        under_way: sources of programs that are written, and not evaluated yet.
        repair: set when a single reply is to be mended, the one of `only`.
        only: indices of the samples that are asked for, where the others are there already; None: all.
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

    @property
    def wanted(self) -> Sequence[int]:
        """Indices of the samples that are asked for."""
        return range(self.samples) if self.only is None else self.only

    def id(self, sample: int) -> str:
        """The candidate that a sample becomes."""
        return candidate_id(self.generation, sample)


def candidate_id(generation: int, sample: int) -> str:
    return f"g{generation}-{sample:02d}"


class Inbox(Protocol):
    """Who takes the replies."""

    def keep(self, sample: int, reply: Reply) -> None:
        """Take a sample's reply as soon as it is there; called from any thread, once a sample."""
        ...

    def tick(self) -> None:
        """Called a few times a second while replies are waited for. An exception here ends the waiting."""
        ...


class Designer(Protocol):
    """Writes reward programs."""

    @property
    def name(self) -> str:
        """ "templates", "llm", "replay"."""
        ...

    def propose(self, request: Request, inbox: Inbox) -> None:
        """Give `inbox` a reply for each of `request.wanted`; one that holds no program says why.

        Raises:
            DesignerError: nobody can write just now (unreachable endpoint, budget spent). What was given
                before stays; samples without a reply have not been asked for, and may be later.
        """
        ...


class Gathered:
    """The public fake of an inbox, for whoever needs no replies on disk."""

    def __init__(self) -> None:
        self.replies: dict[int, Reply] = {}
        self.ticks = 0

    def keep(self, sample: int, reply: Reply) -> None:
        self.replies[sample] = reply

    def tick(self) -> None:
        self.ticks += 1


def gathered(designer: Designer, request: Request) -> list[Reply]:
    """The replies to a request, in order of their samples."""
    inbox = Gathered()
    designer.propose(request, inbox)
    return [inbox.replies[sample] for sample in sorted(inbox.replies)]


class ScriptedDesigner:
    """The public fake: answers with given sources, in order; what it was asked stands in `requests`."""

    name = "scripted"

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = list(sources)
        self.requests: list[Request] = []

    def propose(self, request: Request, inbox: Inbox) -> None:
        self.requests.append(request)
        for sample in request.wanted[: len(self._sources)]:
            inbox.keep(sample, Reply(source=self._sources.pop(0)))
