"""Records of a run: task → reply → candidate → job. Their outcomes are in `results`.

Frozen, plain data. Every record goes into a JSON file and comes back equal (see `files`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, StringConstraints

from eureka_loop.errors import BadInput

Array = npt.NDArray[np.float64]

Algorithm = Literal["ppo", "sac"]

# Types of fields, checked when a file is read. An id is the name of a folder; a place stays inside the run's.
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PLACE = rf"^((\.\./){{0,3}}({ID.pattern}/){{0,4}}{ID.pattern}(\.npz)?)?$"
Id = Annotated[str, StringConstraints(pattern=f"^{ID.pattern}$")]
Place = Annotated[str, StringConstraints(pattern=_PLACE)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[float, Field(ge=0.0)]
PROGRESS: Any = dict[str, float | None]  # a line of progress.jsonl


def letters(text: str, other: str) -> str:
    """The text with `other` for all but letters and digits, of any script: "左 腿:1" → "左_腿_1"."""
    normal = unicodedata.normalize("NFKC", text)  # as Python reads identifiers
    return "".join(each if f"a{each}".isidentifier() else other for each in normal)


@dataclass(frozen=True, slots=True)
class Task:
    """A task and its measures. Programs are source text, all of one kind."""

    name: str  # file-system safe: "halfcheetah-run"
    env_id: str  # of Gymnasium; a domain file in `envs/` may describe it
    text: str  # the task in plain words, as the designer reads it
    fitness: str  # `def fitness(<observables>)`: whole episode in, one number out; more is better
    success: str | None = None  # `def success(<observables>)`: episode → 0 or 1, where it has a meaning
    progress: str | None = None  # as fitness: ranks policies that never succeed; needs `success`
    sparse: str | None = None  # reward program that pays only for the task itself
    human: str | None = None  # hand-written reward program, where there is one
    human_source: str = ""  # where that comes from
    original: str | None = None  # reward program whose weights the run tunes
    native: tuple[str, ...] = ()  # the env's methods that compute its own reward, in place of `human`
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)  # passed to `gymnasium.make`
    judges: tuple[str, ...] = ()  # further judges of the final policy, by registered name (see `judge.base`)

    def __post_init__(self) -> None:
        if self.progress and not self.success:
            raise BadInput(
                f"task {self.name!r} has progress without success: progress ranks policies that never "
                "succeed; give it a success program, too, or leave progress out"
            )


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one exchange with a model; `usd` is None where no price is known."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    usd: Size | None = None

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        """The sum; its price is unknown where a part with tokens has none."""
        known = all(each.usd is not None or not each.tokens for each in (self, other))
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            (self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )


def _with_turns(exchange: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Raises:
        ValueError: its messages or its reply are no texts.
    """
    turns = exchange.get("messages") or []
    if not isinstance(turns, list) or not all(isinstance(each, dict) for each in turns):
        raise ValueError("its messages are none")
    texts = [each.get(name, "") for each in turns for name in ("role", "content")]
    if not all(isinstance(each, str) for each in (*texts, exchange.get("reply") or "")):
        raise ValueError("its messages are no texts")
    return exchange


Exchange = Annotated[Mapping[str, Any], AfterValidator(_with_turns)]


@dataclass(frozen=True, slots=True)
class Reply:
    """A designer's answer: source, or the reason why there is none."""

    source: str | None  # the program's text, unchecked
    parents: tuple[Id, ...] = ()  # ids of the candidates it was made from
    note: str = ""  # one line on its origin ("mutated: weight of 'speed' × 1.7")
    problem: str = ""  # why there is no source
    exchange: Exchange = field(default_factory=dict)  # messages, raw reply, usage: JSON
    operator: str = ""  # by which it was made; "": that of the request
    designer: str = ""  # that wrote it, where several do


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reward program; `source` may not have passed the gate."""

    id: Id  # "g0-03": generation 0, fourth sample; references: "human", "sparse"
    generation: Count
    source: str
    designer: str
    parents: tuple[Id, ...] = ()
    note: str = ""
    operator: str = ""  # by which it was made of the parents; see `propose.operators`


NATIVE = '''def compute_reward(native_reward):
    """The environment's own reward, as it comes from its step function."""
    return {"native": native_reward}
'''


def references(task: Task) -> Iterator[Candidate]:
    """The programs that generated rewards are compared with.

    The one whose weights are tuned; the hand-written reward, or the env's own in its place; the sparse one.
    """
    if task.original is not None:
        yield Candidate("original", 0, task.original, "original", note="with the weights that were given")
    if task.human is not None:
        yield Candidate("human", 0, task.human, "human", note=task.human_source)
    elif task.native:
        yield Candidate("native", 0, NATIVE, "native", note=f"what {task.env_id} returns")
    if task.sparse is not None:
        yield Candidate("sparse", 0, task.sparse, "sparse", note="pays only for the task itself")


@dataclass(frozen=True, slots=True)
class Job:
    """One training of one program with one seed; everything a worker needs, in one file."""

    candidate: Id
    seed: Seed
    task: Task
    source: str  # the reward program
    algorithm: Algorithm
    steps: Count  # 0: a floor, whose policy the candidate's id names
    hyperparameters: Mapping[str, Any]  # keyword arguments of SB3's algorithm, complete
    judge_seeds: tuple[Seed, ...]  # one judged episode a seed; disjoint from training seeds
    trainer: str = "sb3"  # as registered: "population", many at once, or "sb3", one at a time
    checkpoints: Count = 10  # points of training at which statistics are kept
    keep_episode: bool = False  # whether an episode of its policy goes into the trajectory bank
    begin_with: tuple[Place, ...] = ()  # episodes for its replay buffer, relative to the job's folder
    cohort: tuple[Place, ...] = ()  # folders of the jobs trained together, itself included; see `cohorts`


POLICY = "policy.npz"  # in the folder of a finished training: the policy, without code


@dataclass(frozen=True, slots=True)
class Training:
    """How a run trains every policy, the same for all that are compared."""

    algorithm: Algorithm
    hyperparameters: Mapping[str, Any]  # keyword arguments of SB3's class, complete
    trainer: str = "sb3"
    why: str = ""  # reason against the population trainer; "" where it trains, or the user chose another
    bank: bool = False  # whether episodes are kept to screen later programs with
    relabel: Count = 0  # most of their transitions that a training of the search begins with

    @property
    def discount(self) -> float:
        """Gamma; the algorithms' default where it isn't set."""
        return float(self.hyperparameters.get("gamma", 0.99))


PENDING_ROWS = 2_048  # unrewarded rows of SAC (of all envs together) at most, e.g. before learning starts


def rows_of_call(training: Job | Training) -> int:
    """Rows of a training's largest call of its reward: a rollout of PPO, SAC's pending transitions."""
    if training.algorithm == "sac":
        return PENDING_ROWS
    settings = training.hyperparameters
    return int(settings.get("n_envs", 1)) * int(settings.get("n_steps", 2_048))


def in_cohorts(trainer: str) -> bool:
    """Whether a trainer is given several jobs at once: each one but Stable-Baselines3."""
    return trainer != "sb3"


def on_gpu(training: Job | Training) -> bool:
    """Whether all learners share a GPU, and so must be in one process."""
    return in_cohorts(training.trainer) and training.hyperparameters.get("device", "cpu") != "cpu"


@dataclass(frozen=True, slots=True)
class Recording:
    """Whole episodes with every observable, one of each policy, to be recorded by a worker."""

    task: Task
    policies: tuple[str, ...]  # folders of trainings, or names of scripted policies (see `train.floors`)
    seeds: tuple[Seed, ...]  # of each episode's start


@dataclass(frozen=True, slots=True)
class Rollout:
    """One episode of each of some trained policies, to be recorded by a worker."""

    task: Task
    policies: tuple[str, ...]  # folders of trainings
    seed: Seed  # of each episode's start
    names: tuple[str, ...]  # the columns wanted, `prev_` and `init_` included
