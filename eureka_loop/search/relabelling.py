"""Which recorded episodes the off-policy trainings of a generation begin with, each with its own reward."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.records import Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.bank import Known, gather
from eureka_loop.store import Run


class Relabelling:
    """
    Args:
        most: transitions that a training begins with; 0: none.
        known: see `gather`.
    """

    def __init__(
        self,
        run: Run,
        fork_server: ForkServer,
        task: Task,
        vocabulary: Vocabulary,
        most: int,
        known: Known | None = None,
    ) -> None:
        self._run, self._zygote, self._task, self._vocabulary = run, fork_server, task, vocabulary
        self._most, self._known = most, known
        self.episodes = lru_cache(self._episodes)

    def _episodes(self, generation: int) -> Sequence[Path]:
        """Whole episodes, spread over the fitness of all that earlier generations and random actions left.

        The same for all of a generation, and again when a run goes on: see `gather`.
        """
        if not self._most:
            return ()
        with ProgramJudge(self._zygote, self._task, self._vocabulary) as judge:
            return gather(self._run, judge, generation, known=self._known).transitions(self._most)
