"""Designers write reward programs: their requests, the choice of one, and a scripted one for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError, UnknownName
from eureka_loop.propose.llm.settings import check_url, configured_model, configured_url
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.records import Reply, Task
from eureka_loop.registry import Registry
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Run

SAMPLES_BY_HAND = 2  # programs of a generation, where it isn't given


@dataclass(frozen=True, slots=True)
class Repair:
    """A reply that failed the gate or its trial, to be repaired.

    Attributes:
        exchange: of that reply, so that a model sees its earlier answer as its own turn.
        attempt: 1 for the first repair of a program.
        designer: that wrote it; "" where there is one alone.
    """

    source: str | None
    problems: str
    exchange: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    designer: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The part of a request that a strategy may choose for each sample; see `Request`.

    Attributes:
        recent: candidates that its feedback reports; (): those of the whole request.
    """

    parents: tuple[Evaluated, ...] = ()
    operator: str = ""
    recent: tuple[Evaluated, ...] = ()
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a designer may know. Nothing in it comes from its report seeds or the hand-written reward.

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
        lessons: what earlier runs have measured, a line each; the same in all requests of a run.
        under_way: sources of programs that are written, and not evaluated yet.
        replies: programs by sample that the strategy has itself; no designer is asked.
        repair: set when a reply is to be repaired.
        choices: sample → its own parents, operator and feedback, where they differ; see `of`.
        whole: the request that has the choices of all samples, where this one is a sample's own.

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
    lessons: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    replies: tuple[Reply, ...] = ()
    repair: Repair | None = None
    choices: Mapping[int, Choice] = field(default_factory=dict)
    whole: Request | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator and self.operator not in OPERATORS:
            known = f"operators: {', '.join(OPERATORS)}"
            raise UnknownName("operator", self.operator, OPERATORS, hint=known)

    def of(self, sample: int) -> Request:
        """The request for one sample of it, with that sample's own parents, operator and feedback."""
        if (own := self.choices.get(sample)) is None:
            return self
        changes = {"parents": own.parents, "operator": own.operator, "feedback": own.feedback}
        return replace(self, **changes, choices={}, whole=self)  # type: ignore[arg-type]

    @property
    def change(self) -> str:
        """The operator by which a designer without a choice of its own answers."""
        return self.operator or ("refine" if self.parents else "fresh")

    @property
    def lineage(self) -> tuple[str, ...]:
        """Ids of the parents that a program is made of when it answers to the operator."""
        return tuple(each.candidate.id for each in self.parents if OPERATORS[self.change].inherits)

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
        "manual": "eureka_loop.propose.manual:create",
        "replay": "eureka_loop.propose.replay:create",
    },
)


def settle(config: RunConfig) -> RunConfig:
    """The configuration with designer, model and endpoint decided, so that a resumed run has the same.

    Raises:
        BadInput: no key, no model, no recorded run, a limit that can't be kept.
        UnknownName: no such designer.
    """
    if config.replay is not None:
        if config.designer not in (None, "replay"):
            raise BadInput(f"--replay {config.replay} needs the replay designer, not {config.designer}")
        config = replace(config, designer="replay", replay=config.replay.resolve())
    if config.designer is None:
        config = replace(config, designer="llm" if configured_model(config.model) else "templates")
    check(config)
    if config.designer == "manual" and config.leaves_open("samples"):
        config = replace(config, samples=SAMPLES_BY_HAND)
    if "llm" in config.designers:
        model, url = configured_model(config.model), configured_url(config.base_url)
        config = replace(config, model=model, base_url=url)
    return config


def check(config: RunConfig, run: Run | None = None) -> None:
    """Refuse a configuration that its designer can't work with, before anything is made or changed.

    Raises:
        BadInput: no key, a limit that can't be kept, nothing to replay, an address that could hold a key.
        UnknownName: no such designer.
    """
    if config.base_url is not None:  # it is written into run.toml with any designer
        check_url(config.base_url)
    _create(config, run)


def _create(config: RunConfig, run: Run | None) -> Designer:
    if "," in (config.designer or ""):
        from eureka_loop.propose import mixed

        return mixed.create(config, run)
    return DESIGNERS.load(config.designer or "templates")(config, run)


def choice(config: RunConfig) -> str:
    """One line on the designer that was chosen for the user."""
    if config.designer == "llm":
        return f"a model is configured: {config.model} writes the rewards"
    return "no model is configured: the embedded templates write (--model chooses one)"


def choose_designer(run: Run, config: RunConfig) -> Designer:
    """The designer of a run with a settled configuration."""
    given = run.folder / "given.py"
    if given.exists():
        return GivenDesigner(files.read_text(given))
    return _create(config, run)


class GivenDesigner:
    """The user's own program (`eureka train REWARD.py`), treated like a generated one."""

    name = "given"

    def __init__(self, source: str) -> None:
        self._source = source

    def propose(self, request: Request, sample: int) -> Reply:
        if request.repair is not None:
            raise DesignerError("a given program is not repaired")
        return Reply(self._source, note="given")


class ScriptedDesigner:
    """A designer for tests: answers with the result of a function, and records its requests."""

    name = "scripted"

    def __init__(self, answer: Callable[[Request, int], str]) -> None:
        self._answer = answer
        self.requests: list[tuple[Request, int]] = []

    def propose(self, request: Request, sample: int) -> Reply:
        self.requests.append((request, sample))
        return Reply(self._answer(request, sample))
