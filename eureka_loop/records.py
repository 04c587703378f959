"""What travels along the line: task → reply → candidate → job → trained or failed → evaluated.

Frozen, plain data. Every record goes into a JSON file and comes back equal (see `files`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Algorithm = Literal["ppo", "sac"]
TrainerName = Literal["population", "sb3"]

FailureKind = Literal[
    "no_code",  # the reply held no program: prose, a refusal, cut off
    "refused",  # the gate
    "exception",
    "timed_out",
    "out_of_memory",
    "killed",  # the reward process died
    "not_finite",
    "out_of_range",  # |term| > 1e6
    "wrong_shape",
    "wrong_dtype",
    "wrong_terms",  # not a dict of terms, or its keys change from call to call
    "mutated_input",
    "not_deterministic",  # the same batch, asked twice, differs
    "rows_not_independent",  # a row's terms change with its neighbours
    "diverged",  # training produced non-finite parameters or actions
    "crashed",  # the worker itself; its traceback is in `detail`
    "ranks_backwards",  # not tried: recorded episodes say that it pays for doing worse
]

SKIPPED: frozenset[str] = frozenset({"ranks_backwards"})  # nothing broke: left out, since known to be in vain


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted, and how it is measured. Programs are source text, all of one kind.

    Attributes:
        name: file-system safe, e.g. "halfcheetah-run".
        env_id: Gymnasium id; a domain file in `envs/` may know it.
        text: the task in plain words, what the designer reads.
        fitness: source of `def fitness(<observables>)`: whole episode in, one number out; more is better.
        success: source of `def success(<observables>)` (episode → 0 or 1), where it has a meaning.
        sparse: reward program that pays only for the task itself.
        human: hand-written reward program; None where nobody wrote one.
        human_source: where the hand-written reward comes from.
        native: where the env's own reward stands in for a hand-written one that nobody has written as a
            program: the methods of the env's class that compute it, for people to read.
        env_kwargs: passed to `gymnasium.make`.
    """

    name: str
    env_id: str
    text: str
    fitness: str
    success: str | None = None
    sparse: str | None = None
    human: str | None = None
    human_source: str = ""
    native: tuple[str, ...] = ()
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A candidate's (or one of its trainings') failure: never a score."""

    candidate: str
    kind: FailureKind
    message: str
    detail: str = ""
    seed: int | None = None

    @property
    def skipped(self) -> bool:
        """Whether nothing broke: it was left out because it was known to be in vain."""
        return self.kind in SKIPPED


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one exchange with a model; `usd` is None where no price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a designer answered: source, or why there is none.

    Attributes:
        source: the program's text, unchecked; None where the reply held none.
        parents: ids of the candidates it was made from.
        note: one line on how it came about ("mutated: weight of 'speed' × 1.7").
        problem: why there is no source.
        exchange: messages, raw reply, usage: whatever lets a person (or `replay`) follow it. JSON.
        usage: tokens and money.
    """

    source: str | None
    parents: tuple[str, ...] = ()
    note: str = ""
    problem: str = ""
    exchange: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reward program with a name and a history. `source` may not have passed the gate."""

    id: str  # "g0-03": generation 0, fourth sample; references: "human", "sparse"
    generation: int
    source: str
    designer: str
    parents: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One training of one program with one seed; everything a worker needs, in one file.

    Attributes:
        source: the reward program.
        hyperparameters: keyword arguments of SB3's algorithm, complete (the domain's, with overrides).
        judge_seeds: one judged episode a seed, with the final policy; disjoint from training seeds.
        trainer: who trains: "population", many at once, or "sb3", one at a time.
        checkpoints: at how many points of training statistics are kept.
        until: step at which to stop, be judged, and leave all that going on takes; None: train to the end.
        after: folder of the training to go on with, relative to the job's; "": begin.
        keep_episode: whether an episode of its policy goes into the run's trajectory bank.
    """

    candidate: str
    seed: int
    task: Task
    source: str
    algorithm: Algorithm
    steps: int
    hyperparameters: Mapping[str, Any]
    judge_seeds: tuple[int, ...]
    trainer: TrainerName = "sb3"
    checkpoints: int = 10
    until: int | None = None
    after: str = ""
    keep_episode: bool = False


SNAPSHOT = "training.npz"  # in the folder of a job that ends before its training: what going on takes


@dataclass(frozen=True, slots=True)
class Rung:
    """A stage of the search's trainings; at its end the worse candidates stop.

    Attributes:
        number: from 0, the first.
        steps: that each training has taken at its end.
        seeds: trainings of each candidate; those that the rung before didn't have begin here.
        episodes: in which each policy is judged.
        places: candidates that it has room for.
        last: whether trainings end here.
    """

    number: int
    steps: int
    seeds: int
    episodes: int
    places: int
    last: bool = True


@dataclass(frozen=True, slots=True)
class Halted:
    """Why a candidate's training ended early: others had a better fitness after as many steps.

    Attributes:
        steps: that each of its trainings has taken.
        of: steps of a whole training.
        fitness: then.
        needed: fitness of the last that went on.
        places: how many could, of `among`.
    """

    candidate: str
    rung: int
    steps: int
    of: int
    fitness: float
    needed: float
    places: int
    among: int


@dataclass(frozen=True, slots=True)
class Training:
    """How a run trains every policy, the same for all that are compared.

    Attributes:
        hyperparameters: keyword arguments of SB3's class, complete.
        why: why it isn't the population trainer, in one line; "" where it is, or where nobody asked.
        bank: whether episodes are kept to screen later programs with.
    """

    algorithm: Algorithm
    hyperparameters: Mapping[str, Any]
    trainer: TrainerName = "sb3"
    why: str = ""
    bank: bool = False

    @property
    def discount(self) -> float:
        """Gamma, where nothing is said the algorithms' own."""
        return float(self.hyperparameters.get("gamma", 0.99))


@dataclass(frozen=True, slots=True)
class Rollout:
    """An episode of each of some trained policies, to be recorded: what a worker needs, in one file.

    Attributes:
        policies: folders of trainings.
        seed: of each episode's start.
        names: the columns wanted, `prev_` and `init_` included.
    """

    task: Task
    algorithm: Algorithm
    policies: tuple[str, ...]
    seed: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermStats:
    """One term over the transitions of one stretch of training.

    `share` is |term| summed over rows, divided by that of all summed terms, in [0, 1]; NaN-free;
    0 for diagnostics (`_` terms), which are not part of the reward.
    """

    mean: float
    low: float
    high: float
    share: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Training seen at one point: means over the episodes finished since the checkpoint before.

    `fitness`, `success` and `episode_length` (steps) are None where no episode finished.
    """

    step: int
    episodes: int
    fitness: float | None
    success: float | None
    episode_length: float | None
    terms: Mapping[str, TermStats]


@dataclass(frozen=True, slots=True)
class Score:
    """One judged episode of the final policy."""

    seed: int
    fitness: float
    success: float | None
    length: int


@dataclass(frozen=True, slots=True)
class Trained:
    """One finished training, judged.

    Attributes:
        correlations: term → Pearson correlation, over training episodes, of its episode mean with fitness;
            None where undefined (constant, or under 3 episodes).
        seconds: wall-clock of the training alone.
    """

    candidate: str
    seed: int
    steps: int
    scores: tuple[Score, ...]
    checkpoints: tuple[Checkpoint, ...]
    correlations: Mapping[str, float | None]
    seconds: float

    @property
    def fitness(self) -> float:
        """Mean fitness over the judged episodes."""
        return math.fsum(score.fitness for score in self.scores) / len(self.scores)

    @property
    def success(self) -> float | None:
        """Share of judged episodes that succeeded; None where the task has no success."""
        marks = [score.success for score in self.scores if score.success is not None]
        return math.fsum(marks) / len(marks) if marks else None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candidate with what came of it: one result a seed, or a single failure before training.

    Attributes:
        halted: set where its training ended early; the results are those of that moment.
    """

    candidate: Candidate
    results: tuple[Trained | Failed, ...]
    halted: Halted | None = None

    @property
    def trained(self) -> tuple[Trained, ...]:
        return tuple(result for result in self.results if isinstance(result, Trained))

    @property
    def failures(self) -> tuple[Failed, ...]:
        return tuple(result for result in self.results if isinstance(result, Failed))

    @property
    def fitness(self) -> float | None:
        """Mean over seeds; None unless every seed finished (a half-failed candidate is not ranked)."""
        if not self.results or self.failures:
            return None
        return math.fsum(result.fitness for result in self.trained) / len(self.results)
