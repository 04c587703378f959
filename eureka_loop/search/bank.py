"""A run's trajectory bank: whole judged episodes, of its policies and of random actions.

Each training leaves one in its folder, the survey leaves those of random actions. Programs that rank them
backwards are not trained, and with --relabel trainings begin with their transitions. A verdict is in the
candidate's folder before it is trained (bank.json), so a resumed run decides the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from eureka_loop import files, seeds
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.screening import RANDOM, Ranking, Screened, one_sided, reason, screen
from eureka_loop.judge.trajectory import FILE, joined, length, read
from eureka_loop.records import Array, Candidate, Task, Training
from eureka_loop.results import Failed, standing
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import REFERENCES, Run

BANK_BYTES = 256_000_000  # of the trained policies' episodes together, on disk


@dataclass(frozen=True, slots=True)
class BankEpisode:
    """One episode that the bank holds.

    Attributes:
        policy: the candidate that it was trained with, or "random".
        standing: key of its rank; see `results.standing`.
    """

    path: Path
    policy: str
    standing: tuple[bool, float, float]


class Bank:
    """Whole judged episodes: their ranks, higher is better, equal for equals: (E,); and their policies."""

    def __init__(self, episodes: Sequence[BankEpisode]) -> None:
        self.episodes = episodes
        order = sorted({each.standing for each in episodes})
        self.ranks: Array = np.array([order.index(each.standing) for each in episodes], np.float64)
        self.policies = [each.policy for each in episodes]

    @cached_property
    def ranking(self) -> Ranking:
        """Of the episodes; every program is compared with the same draws."""
        return Ranking(self.ranks, self.policies, rng=np.random.default_rng(0))

    def ask(
        self, program: Program, shapes: Mapping[str, tuple[int, ...]], fork_server: ForkServer
    ) -> tuple[Terms, list[int]]:
        """A reward program's terms of all rows, by one call of its process, and the length of each episode.

        Raises:
            RewardFailure: the program failed.
        """
        columns, lengths = joined([each.path for each in self.episodes], program.parameters)
        with fork_server.start(program, shapes, rows=sum(lengths)) as process:
            return process.evaluate(columns), lengths


class TrajectoryBank:
    """The episodes of a run, with what is decided by them before a training."""

    def __init__(
        self, run: Run, fork_server: ForkServer, task: Task, vocabulary: Vocabulary, training: Training
    ) -> None:
        self._run, self._fork_server, self._task = run, fork_server, task
        self._vocabulary, self._training = vocabulary, training
        self._standing: dict[Path, tuple[bool, float, float]] = {}  # of the episodes judged before
        self._begin_with: dict[int, list[Path]] = {}

    def gather(self, generation: int, most: int = BANK_BYTES) -> Bank:
        """The episodes of all generations before this one: the same however far this one has come.

        Where those are more than `most` bytes, some of the trained policies' episodes are deleted, such that
        the others are spread over all ranks; gathering again finds the same.
        """
        run, trained = self._run, list[BankEpisode]()
        with TaskJudge(self._fork_server, replace(self._task, judges=()), self._vocabulary) as judge:
            random = list(self._judged(judge, RANDOM, run.task_folder.glob("random-*.npz")))
            for id in run.candidate_ids():
                if id not in REFERENCES and run.candidate(id).generation < generation:
                    trained += self._judged(judge, id, run.candidate_folder(id).glob(f"seed-*/{FILE}"))
        kept = spread(trained, lambda each: each.path.stat().st_size, most)
        for each in trained:
            if each not in kept:
                each.path.unlink()
        return Bank([*random, *kept])

    def _judged(self, judge: TaskJudge, policy: str, paths: Iterable[Path]) -> Iterator[BankEpisode]:
        """Those that can be judged; the report's are left out."""
        for path in sorted(paths):
            seed = path.parent.name.removeprefix("seed-")
            if seed.isdigit() and seeds.is_report(int(seed)):
                continue
            if path not in self._standing:
                try:
                    self._standing[path] = standing(judge.judge(0, read(path, judge.names)).score)
                except RewardFailure:
                    continue
            yield BankEpisode(path, policy, self._standing[path])

    def begin_with(self, generation: int) -> Sequence[Path]:
        """Files of episodes that the off-policy trainings of a generation begin with, with --relabel.

        Whole episodes, spread over the ranks of all that earlier generations and random actions left; the
        same for all of a generation, and again when a run goes on.
        """
        most = self._training.relabel
        if most and generation not in self._begin_with:
            chosen = spread(self.gather(generation).episodes, lambda each: length(each.path), most)
            self._begin_with[generation] = [each.path for each in chosen]
        return self._begin_with.get(generation, ())

    async def screened(self, written: asyncio.Task[Candidate | None]) -> Candidate | None:
        """The candidate once it is written; one that the bank rejects has failed."""
        candidate = await written
        if candidate is not None:
            self.screen(candidate)
        return candidate

    def screen(self, candidate: Candidate) -> None:
        """Decide about a candidate that hasn't begun to train, once, and record its rejection."""
        run, id = self._run, candidate.id
        if run.failure(id) is not None:
            return
        found = run.screened(id)
        if found is None and not any(run.candidate_folder(id).glob("seed-*")):
            found = self._verdict(candidate)
            files.write_json(run.candidate_folder(id) / "bank.json", found)
        if found is not None and found.verdict == "backwards":
            run.fail(Failed(id, "ranks_backwards", reason(found)))

    def _verdict(self, candidate: Candidate) -> Screened:
        """A program that fails on the bank's rows is left for training to judge."""
        bank = self.gather(candidate.generation)
        counts = len(bank.policies), len(set(bank.policies))
        if why := one_sided(bank.ranks, bank.policies):
            return Screened("abstained", why, *counts)
        program = check(candidate.source, self._vocabulary)
        shapes = self._vocabulary.shapes(program.parameters)
        try:
            terms, lengths = bank.ask(program, shapes, self._fork_server)
        except RewardFailure as failure:
            return Screened("abstained", f"it failed on them ({failure.kind}: {failure})", *counts)
        return screen(terms, lengths, bank.ranking, self._training.discount)


def spread(
    episodes: Sequence[BankEpisode], size_of: Callable[[BankEpisode], int], most: int
) -> list[BankEpisode]:
    """As many as have no more than `most` together, evenly over their ranks from the best down."""
    sizes = {each.path: size_of(each) for each in episodes}
    chosen = ordered = sorted(episodes, key=lambda each: each.standing, reverse=True)
    while sum(sizes[each.path] for each in chosen) > most:
        places = np.linspace(0, len(ordered) - 1, len(chosen) - 1).round().astype(int)
        chosen = [ordered[place] for place in places]
    return [each for each in episodes if each in chosen]
