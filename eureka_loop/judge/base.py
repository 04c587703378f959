"""Judges score whole episodes of the final policy: the seam, and all judges of a task together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol, Self

from eureka_loop.errors import BadInput
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.records import Array, Task
from eureka_loop.registry import Registry
from eureka_loop.results import JudgedEpisode, Score
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary

Columns = Mapping[str, Array]  # observable → (T, *shape) of one whole episode, in time order


class Judge(Protocol):
    """Scores whole episodes by name, more is better; called from several threads of a worker.

    Attributes:
        names: observables that it needs, `prev_` and `init_` included.
    """

    @property
    def names(self) -> Sequence[str]: ...

    def score(self, columns: Columns) -> Mapping[str, Score]:
        """Scores of one episode; `Score(None, "reason")` where it has none.

        Args:
            columns: at least those in `names`.

        Raises:
            RewardFailure: the judge is a program, and failed.
        """
        ...

    def close(self) -> None: ...


JudgeFactory = Callable[[ForkServer, Task, Vocabulary], Judge]

JUDGES: Registry[JudgeFactory] = Registry(
    "judge", "eureka_loop.judges", {"programs": "eureka_loop.judge.programs:ProgramJudge"}
)


class TaskJudge:
    """All judges of a task: its fitness and success programs, and those that it names; use it in `with`.

    Attributes:
        programs: the judge by fitness and success, for episodes of which nothing else is asked.
        names: observables that any of them needs.

    Raises:
        Refused: a program that the gate refuses.
        RewardFailure: a program that doesn't start.
        UnknownName: a judge that isn't registered.
    """

    def __init__(self, fork_server: ForkServer, task: Task, vocabulary: Vocabulary) -> None:
        with ExitStack() as stack:
            self.programs = stack.enter_context(ProgramJudge(fork_server, task, vocabulary))
            self._judges: list[Judge] = [self.programs]
            for name in task.judges:
                self._judges.append(JUDGES.load(name)(fork_server, task, vocabulary))
                stack.callback(self._judges[-1].close)
            self.close = stack.pop_all().close
        self.names = tuple(dict.fromkeys(name for judge in self._judges for name in judge.names))

    def score(self, columns: Columns) -> dict[str, Score]:
        """Scores of one episode by all judges.

        Raises:
            RewardFailure: a program failed; the message begins with its kind.
            BadInput: two judges give a score of one name.
        """
        scores: dict[str, Score] = {}
        for judge in self._judges:
            found = judge.score(columns)
            if twice := scores.keys() & found.keys():
                raise BadInput(f"two judges give a score {sorted(twice)[0]!r}; rename one of them")
            scores.update(found)
        return scores

    def judge(self, seed: int, columns: Columns) -> JudgedEpisode:
        """The episode of a seed, judged.

        Raises: as `score`.
        """
        return JudgedEpisode(seed, len(next(iter(columns.values()))), self.score(columns))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ScriptedJudge:
    """A judge by plain functions of the columns, for tests and examples.

    Args:
        names: observables that the functions need.
        scores: name of the score → function of the columns; None: unscored.
    """

    def __init__(self, names: Sequence[str], scores: Mapping[str, Callable[[Columns], float | None]]) -> None:
        self.names, self._scores = tuple(names), scores

    def score(self, columns: Columns) -> Mapping[str, Score]:
        return {name: Score(function(columns)) for name, function in self._scores.items()}

    def close(self) -> None:
        """Nothing to end."""
