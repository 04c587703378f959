"""Fitness and success of whole episodes, by programs that never meet the reward's.

Each runs in a locked process of its own, so a fitness that a model wrote is trusted no more than a reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Self

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array, Task
from eureka_loop.results import FITNESS, SUCCESS, Score
from eureka_loop.reward.contract import Kind, Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.reward.vocabulary import Vocabulary

ROWS = 100_000  # of the longest episode; memory is taken only where rows are written


class ProgramJudge:
    """A task's fitness and success. Usable from several threads. Close it, or use it in `with`.

    Hidden observables are allowed: a model's program was held to the shown ones when it was accepted.

    Attributes:
        names: the parameters of both programs, `prev_` and `init_` included.

    Raises:
        Refused: a program that the gate refuses.
        RewardFailure: a program that doesn't start.
    """

    def __init__(self, fork_server: ForkServer, task: Task, vocabulary: Vocabulary) -> None:
        programs = [check(task.fitness, vocabulary, "fitness", hidden=True)]
        if task.success:
            programs.append(check(task.success, vocabulary, "success", hidden=True))
        self.names = tuple(dict.fromkeys(name for program in programs for name in program.parameters))
        self._start = partial(start, fork_server, vocabulary=vocabulary, rows=ROWS)
        self._programs = {program.kind: program for program in programs}
        self._processes = {program.kind: self._start(program) for program in programs}
        self._lock = Lock()

    def measure(self, columns: Mapping[str, Array]) -> tuple[float, float | None]:
        """Fitness and success of one whole episode; success is None where the task defines none.

        A program that failed on one episode is started again for the next.

        Args:
            columns: at least those in `names`, each (T, ...), in time order.

        Raises:
            RewardFailure: a program failed; the message begins with its kind.
        """
        with self._lock:
            fitness = self._measure("fitness", columns)
            return fitness, self._measure("success", columns) if "success" in self._programs else None

    def _measure(self, kind: Kind, columns: Mapping[str, Array]) -> float:
        if kind not in self._processes:
            self._processes[kind] = self._start(self._programs[kind])
        try:
            return self._processes[kind].measure(columns)
        except RewardFailure as failure:
            del self._processes[kind]
            raise RewardFailure(failure.kind, f"{kind}: {failure}", failure.detail) from failure

    def score(self, columns: Mapping[str, Array]) -> dict[str, Score]:
        """The same, as scores.

        Raises: as `measure`.
        """
        fitness, success = self.measure(columns)
        return {FITNESS: Score(fitness), SUCCESS: Score(success)}

    def close(self) -> None:
        for process in self._processes.values():
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(fork_server: ForkServer, program: Program, vocabulary: Vocabulary, *, rows: int) -> RewardProcess:
    """A locked process for the program, with room for so many rows a call."""
    shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
    return fork_server.start(program, shapes, rows=rows)
