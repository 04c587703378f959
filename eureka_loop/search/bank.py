"""A run's trajectory bank: whole episodes of known fitness, of its policies and of random actions.

Each training leaves one in its folder, the survey leaves those of random actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eureka_loop import seeds
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.screening import RANDOM, Ranking
from eureka_loop.judge.trajectory import FILE, Trajectory, joined, size
from eureka_loop.records import Array, Task
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import REFERENCES, Run

BANK_BYTES = 256_000_000  # of the trained policies' episodes together, before compression


@dataclass(frozen=True, slots=True)
class BankEpisode:
    """One episode that the bank holds.

    Attributes:
        policy: the candidate that it was trained with, or "random".
    """

    path: Path
    policy: str
    trajectory: Trajectory
    fitness: float


class Answer(NamedTuple):
    """A program's terms of all rows, and how many of them each episode has."""

    terms: Terms
    lengths: list[int]


class Bank:
    """Whole episodes of known fitness.

    Attributes:
        fitness: (E,).
        policies: of each episode: the candidate that it was trained with, or "random".
    """

    def __init__(self, kept: Sequence[BankEpisode]) -> None:
        self._kept = kept
        self.fitness: Array = np.array([each.fitness for each in kept])
        self.policies = [each.policy for each in kept]

    @cached_property
    def ranking(self) -> Ranking:
        """Of the episodes by fitness; every program is compared with the same draws."""
        return Ranking(self.fitness, self.policies, rng=np.random.default_rng(0))

    def ask(self, program: Program, shapes: Mapping[str, tuple[int, ...]], fork_server: ForkServer) -> Answer:
        """A reward program's terms on all episodes, by one call of its locked process.

        Args:
            shapes: parameter → shape of one row.

        Raises:
            RewardFailure: the program failed.
        """
        episodes = [each.trajectory for each in self._kept]
        columns, starts = joined(episodes, program.parameters)
        with fork_server.start(program, shapes, rows=len(starts)) as process:
            return Answer(process.evaluate(columns), list(map(len, episodes)))

    def transitions(self, most: int) -> list[Path]:
        """Files of whole episodes, spread over fitness, that hold no more transitions than this together."""
        return [each.path for each in spread(self._kept, lambda each: len(each.trajectory), most)]


def gather(
    run: Run, judge: ProgramJudge, generation: int, known: dict[Path, float], most: int = BANK_BYTES
) -> Bank:
    """The episodes of all generations before this one: the same however far this one has come.

    Where those are more than `most` bytes, some of the trained policies' episodes are deleted, such that the
    others are spread over all of fitness; gathering again finds the same.

    Args:
        known: fitness of files that were judged before; completed here.
    """
    random = [(path, RANDOM) for path in sorted(run.task_folder.glob("random-*.npz"))]
    kept = _within(_judged(_trained(run, generation), judge, known), most)
    return Bank([*_judged(random, judge, known), *kept])


def _trained(run: Run, generation: int) -> Iterable[tuple[Path, str]]:
    """Files of the search's episodes, with their candidates; the report's are left out."""
    for id in run.candidate_ids():
        if id in REFERENCES or run.candidate(id).generation >= generation:
            continue
        for path in sorted(run.candidate_folder(id).glob(f"**/seed-*/{FILE}")):
            if not seeds.is_report(int(path.parent.name.removeprefix("seed-"))):
                yield path, id


def _judged(
    found: Iterable[tuple[Path, str]], judge: ProgramJudge, known: dict[Path, float]
) -> list[BankEpisode]:
    """Those that have a fitness."""
    kept = []
    for path, policy in found:
        trajectory = Trajectory(path)
        if path not in known:
            try:
                known[path], _ = judge.measure(trajectory.columns(judge.names))
            except RewardFailure:
                continue
        kept.append(BankEpisode(path, policy, trajectory, known[path]))
    return kept


def _within(kept: Sequence[BankEpisode], most: int) -> list[BankEpisode]:
    """As many as `most` bytes hold, evenly over their ranks of fitness; the others' files are deleted."""
    chosen = spread(kept, lambda each: size(each.path), most)
    for each in kept:
        if each not in chosen:
            each.path.unlink()
    return chosen


def spread(
    kept: Sequence[BankEpisode], size_of: Callable[[BankEpisode], int], most: int
) -> list[BankEpisode]:
    """As many as have no more than `most` together, evenly over their ranks of fitness from the best down."""
    sizes = {each.path: size_of(each) for each in kept}
    chosen = ordered = sorted(kept, key=lambda each: -each.fitness)
    while sum(sizes[each.path] for each in chosen) > most:
        places = np.linspace(0, len(ordered) - 1, len(chosen) - 1).round().astype(int)
        chosen = [ordered[place] for place in places]
    return [each for each in kept if each in chosen]


def relabelled_episodes(
    run: Run, fork_server: ForkServer, task: Task, vocabulary: Vocabulary, most: int
) -> Callable[[int], Sequence[Path]]:
    """Generation → files of episodes that its off-policy trainings begin with, relabelled by their reward.

    Whole episodes, spread over the fitness of all that earlier generations and random actions left; the same
    for all of a generation, and again when a run goes on.

    Args:
        most: transitions of a training; 0: none.
    """
    known: dict[Path, float] = {}

    @lru_cache
    def episodes(generation: int) -> Sequence[Path]:
        if not most:
            return ()
        with ProgramJudge(fork_server, task, vocabulary) as judge:
            return gather(run, judge, generation, known).transitions(most)

    return episodes
