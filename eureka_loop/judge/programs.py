"""Fitness and success of whole episodes, by programs that never meet the reward's.

Each runs in a locked process of its own, so a fitness that a model wrote is trusted no more than a reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Self

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array, Task
from eureka_loop.results import FITNESS, SUCCESS, Score
from eureka_loop.reward.contract import Program
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
        fitness = check(task.fitness, vocabulary, "fitness", hidden=True)
        success = check(task.success, vocabulary, "success", hidden=True) if task.success else None
        self.names = tuple(dict.fromkeys((*fitness.parameters, *(success.parameters if success else ()))))
        self._lock = Lock()
        self._fitness = _Measure(fork_server, fitness, vocabulary)
        self._success = _Measure(fork_server, success, vocabulary) if success else None

    def measure(self, columns: Mapping[str, Array]) -> tuple[float, float | None]:
        """Fitness and success of one whole episode; success is None where the task defines none.

        A program that failed on one episode is started again for the next.

        Args:
            columns: at least those in `names`, each (T, ...), in time order.

        Raises:
            RewardFailure: a program failed; the message begins with its kind.
        """
        with self._lock:
            return self._fitness(columns), self._success(columns) if self._success else None

    def score(self, columns: Mapping[str, Array]) -> dict[str, Score]:
        """The same, as scores.

        Raises: as `measure`.
        """
        fitness, success = self.measure(columns)
        return {FITNESS: Score(fitness), SUCCESS: Score(success)}

    def close(self) -> None:
        self._fitness.close()
        if self._success:
            self._success.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Measure:
    """One program in its process."""

    def __init__(self, fork_server: ForkServer, program: Program, vocabulary: Vocabulary) -> None:
        self._arguments = fork_server, program, vocabulary
        self._process: RewardProcess | None = start(*self._arguments, rows=ROWS)

    def __call__(self, columns: Mapping[str, Array]) -> float:
        self._process = self._process or start(*self._arguments, rows=ROWS)
        try:
            return self._process.measure(columns)
        except RewardFailure as failure:
            self._process = None
            kind = self._arguments[1].kind
            raise RewardFailure(failure.kind, f"{kind}: {failure}", failure.detail) from failure

    def close(self) -> None:
        if self._process:
            self._process.close()


def start(fork_server: ForkServer, program: Program, vocabulary: Vocabulary, *, rows: int) -> RewardProcess:
    """A locked process for the program, with room for so many rows a call."""
    shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
    return fork_server.start(program, shapes, rows=rows)
