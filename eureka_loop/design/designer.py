"""Who writes rewards: one method, three built in (templates, llm, replay)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Evaluated, Reply, Task


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
        samples: how many replies are wanted.
        seed: the run's; with the generation it decides every random choice a designer makes.
        best: the elite; None before anything was trained.
        feedback: words about the best and the generation, "" in generation 0.
        history: everything evaluated so far, in order of id.
        repair: set when a single reply is to be mended (`samples` is 1).
        sample: index of the reply to be mended.
    """

    task: Task
    vocabulary: Vocabulary
    algorithm: str
    discount: float
    steps: int
    generation: int
    samples: int
    seed: int
    best: Evaluated | None = None
    feedback: str = ""
    history: Sequence[Evaluated] = ()
    repair: Repair | None = None
    sample: int = 0


class Designer(Protocol):
    """Writes reward programs."""

    @property
    def name(self) -> str:
        """ "templates", "llm", "replay"."""
        ...

    def propose(self, request: Request) -> list[Reply]:
        """At most `request.samples` replies; one that holds no program says why.

        Raises:
            DesignerError: nobody can write just now (unreachable endpoint, budget spent).
        """
        ...


class ScriptedDesigner:
    """The public fake: answers with given sources, in order; what it was asked stands in `requests`."""

    name = "scripted"

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = list(sources)
        self.requests: list[Request] = []

    def propose(self, request: Request) -> list[Reply]:
        self.requests.append(request)
        taken, self._sources = self._sources[: request.samples], self._sources[request.samples :]
        return [Reply(source=source) for source in taken]
