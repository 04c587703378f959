"""Judges score whole episodes of the final policy by name.

Fitness, success and progress of a task are programs, each in a locked process of its own: a fitness that a
model wrote is trusted no more than a reward. Further judges come from other packages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from eureka_loop.errors import BadInput, RewardFailure
from eureka_loop.judge.behaviour import ROWS, BehaviourRecorder, Bounds, Columns
from eureka_loop.records import Task
from eureka_loop.registry import Registry
from eureka_loop.results import JudgedEpisode, Score, judged_episode
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.reward.vocabulary import Vocabulary

LONGEST = 10_000  # steps; where an env has no time limit, a judged episode is cut here


class Judge(Protocol):
    """Scores whole episodes by name, more is better."""

    @property
    def names(self) -> Sequence[str]:
        """Observables that it needs, `prev_` and `init_` included."""
        ...

    def score(self, columns: Columns) -> Mapping[str, Score]:
        """Scores of one episode, from at least its `names`; `Score(None, "reason")` where it has none."""
        ...

    def close(self) -> None: ...


JUDGES: Registry[Callable[[ForkServer, Task, Vocabulary], Judge]] = Registry(
    "judge", "eureka_loop.judges", {}
)


class TaskJudge(AbstractContextManager["TaskJudge"]):
    """All judges of a task: its own programs, and those that it names.

    Programs may read hidden observables: a model's was held to the shown ones when it was accepted.

    Attributes:
        names: observables that any judge needs.
        program_names: those that fitness and success need, which are measured in training, too.

    Raises:
        Refused, RewardFailure: a program that the gate refuses, or that doesn't start.
        UnknownName: a judge that isn't registered.
    """

    def __init__(self, fork_server: ForkServer, task: Task, vocabulary: Vocabulary) -> None:
        factories = [JUDGES.load(name) for name in task.judges]
        sources: dict[Kind, str | None] = {
            "fitness": task.fitness,
            "success": task.success,
            "progress": task.progress,
        }
        self._programs = {
            kind: check(source, vocabulary, kind, hidden=True) for kind, source in sources.items() if source
        }
        self._fork_server, self._vocabulary = fork_server, vocabulary
        self._processes = {kind: self._start(kind) for kind in self._programs}
        self._others = [make(fork_server, task, vocabulary) for make in factories]
        needed = {kind: each.parameters for kind, each in self._programs.items()}
        progress = needed.pop("progress", ())
        self.program_names = tuple(dict.fromkeys(name for each in needed.values() for name in each))
        others = (name for judge in self._others for name in judge.names)
        self.names = tuple(dict.fromkeys((*self.program_names, *progress, *others)))
        self._recorder = BehaviourRecorder(fork_server, list(self._programs.values()), vocabulary)

    def recorded(self, rewards: Iterable[CheckedProcess]) -> tuple[str, ...]:
        """The observables of a judged episode: `names`, and those by which behaviour is summarised.

        Args:
            rewards: the programs that the judged policies were trained with.
        """
        beside = [name for each in rewards for name in each.request.shapes]
        return tuple(dict.fromkeys((*self.names, *beside, *self._recorder.names(beside))))

    def episode_bytes(self, names: Iterable[str]) -> int:
        """Size of the columns of the longest episode."""
        floats = sum(map(math.prod, self._vocabulary.shapes(names, hidden=True).values()))
        return 8 * floats * (self._vocabulary.horizon or LONGEST)

    def measure(self, columns: Columns) -> tuple[float, float | None]:
        """Fitness and success of one whole episode, from `program_names`; success is None where undefined.

        Raises:
            RewardFailure: a program failed; the message begins with its kind.
        """
        fitness = self._measure("fitness", columns)
        return fitness, self._measure("success", columns) if "success" in self._programs else None

    def judge(self, seed: int, columns: Columns) -> JudgedEpisode:
        """The episode of a seed with its scores by all judges.

        Raises:
            RewardFailure, BadInput: as `measure`; two judges give a score of one name.
        """
        fitness, success = self.measure(columns)
        progress = self._progress(columns, success) if "progress" in self._programs else None
        own = judged_episode(seed, fitness, success, len(next(iter(columns.values()))), progress)
        scores = dict(own.scores)
        for judge in self._others:
            found = judge.score(columns)
            if twice := scores.keys() & found.keys():
                raise BadInput(f"two judges give a score {sorted(twice)[0]!r}; rename one of them")
            scores.update(found)
        return replace(own, scores=scores)

    def judge_with_behaviour(
        self, seed: int, columns: Columns, reward: CheckedProcess | None, bounds: Bounds
    ) -> JudgedEpisode:
        """As `judge`, with the policy's behaviour in the episode.

        Args:
            columns: those of `recorded`.
            reward: the program that the policy was trained with.
            bounds: of the action.
        """
        succeeds = self._succeeds if "success" in self._programs else None
        behaviour = self._recorder.behaviour(columns, succeeds, reward, bounds)
        return replace(self.judge(seed, columns), behaviour=behaviour)

    def _succeeds(self, columns: Columns) -> bool:
        return bool(self._measure("success", columns))

    def _progress(self, columns: Columns, success: float | None) -> Score:
        """Unscored where the episode succeeds, unless its first step does so already: then that is luck."""
        if success and not self._succeeds({name: each[:1] for name, each in columns.items()}):
            return Score(None, "it succeeded")
        return Score(self._measure("progress", columns))

    def close(self) -> None:
        self._recorder.close()
        for process in self._processes.values():
            process.close()
        for judge in self._others:
            judge.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, kind: Kind) -> RewardProcess:
        program = self._programs[kind]
        shapes = self._vocabulary.shapes(program.parameters, hidden=True)
        return self._fork_server.start(program, shapes, rows=ROWS)

    def _measure(self, kind: Kind, columns: Columns) -> float:
        try:
            return self._processes[kind].measure(columns)
        except RewardFailure as failure:
            self._processes[kind] = self._start(kind)  # for the next episode
            raise RewardFailure(failure.kind, f"{kind}: {failure}", failure.detail) from failure


@dataclass(frozen=True)
class ScriptedJudge:
    """A judge by plain functions of the columns, for tests and examples."""

    names: Sequence[str]  # observables that the functions need
    functions: Mapping[str, Callable[[Columns], float | None]]  # by name of the score; None: unscored

    def score(self, columns: Columns) -> Mapping[str, Score]:
        return {name: Score(function(columns)) for name, function in self.functions.items()}

    def close(self) -> None:
        """Nothing to end."""
