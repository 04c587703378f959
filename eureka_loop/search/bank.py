"""A run's trajectory bank: the episodes kept so far, and what each is worth.

Every training's worker keeps one in its own folder, the survey those of random actions; nobody else writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eureka_loop import seeds
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.screening import RANDOM, Ranking
from eureka_loop.judge.trajectory import FILE, Trajectory, joined, size
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.store import REFERENCES, Run

BANK_BYTES = 256_000_000  # of the trained policies' episodes together, before compression
READ_BYTES = 128_000_000  # of columns that are kept from one program to the next


@dataclass(frozen=True, slots=True)
class Kept:
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
        policies: whose episode each is.
    """

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._kept = kept
        self.fitness: Array = np.array([each.fitness for each in kept])
        self.policies = [each.policy for each in kept]

    @cached_property
    def ranking(self) -> Ranking:
        """Of the episodes by fitness; every program is held against the same draws."""
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


@dataclass(slots=True)
class Known:
    """What never changes of episodes that were seen before, so that it isn't read again for every program.

    Attributes:
        fitness: of those that were judged.
    """

    fitness: dict[Path, float] = field(default_factory=dict)
    _sizes: dict[Path, int] = field(default_factory=dict)
    _episodes: dict[Path, Trajectory] = field(default_factory=dict)

    def episode(self, path: Path) -> Trajectory:
        return self._episodes.setdefault(path, Trajectory(path))

    def size(self, path: Path) -> int:
        """Bytes before compression."""
        if path not in self._sizes:
            self._sizes[path] = size(path)
        return self._sizes[path]

    def shrink(self) -> None:
        """Forget the columns that were read, once they are many."""
        if sum(each.kept for each in self._episodes.values()) > READ_BYTES:
            for each in self._episodes.values():
                each.forget()


def gather(
    run: Run, judge: ProgramJudge, generation: int, most: int = BANK_BYTES, known: Known | None = None
) -> Bank:
    """All that generations before this one left, so that it doesn't matter how far this one has come.

    Where that is more than `most` bytes, some of the trained policies' episodes are deleted, such that the
    others are spread over all of fitness; gathering again finds the same.

    Args:
        known: what needn't be read and judged again; what is now is added.
    """
    known = Known() if known is None else known
    random = [(path, RANDOM) for path in sorted(run.task_folder.glob("random-*.npz"))]
    kept = _within(_judged(_trained(run, generation), judge, known), most, known)
    return Bank([*_judged(random, judge, known), *kept])


def _trained(run: Run, generation: int) -> Iterable[tuple[Path, str]]:
    """Where the search's episodes are, and whose; the report's are not for its eyes."""
    for id in run.candidate_ids():
        if id in REFERENCES or run.candidate(id).generation >= generation:
            continue
        for path in sorted(run.candidate_folder(id).glob(f"**/seed-*/{FILE}")):
            if not seeds.is_report(int(path.parent.name.removeprefix("seed-"))):
                yield path, id


def _judged(found: Iterable[tuple[Path, str]], judge: ProgramJudge, known: Known) -> list[Kept]:
    """Those that fitness can be told of."""
    kept = []
    for path, policy in found:
        trajectory = known.episode(path)
        if path not in known.fitness:
            try:
                known.fitness[path], _ = judge.measure(trajectory.columns(judge.names))
            except RewardFailure:
                continue
        kept.append(Kept(path, policy, trajectory, known.fitness[path]))
    return kept


def _within(kept: Sequence[Kept], most: int, known: Known) -> list[Kept]:
    """As many as `most` bytes hold, evenly over their ranks of fitness; the others' files are deleted."""
    chosen = spread(kept, lambda each: known.size(each.path), most)
    for each in kept:
        if each not in chosen:
            each.path.unlink()
    return chosen


def spread(kept: Sequence[Kept], size_of: Callable[[Kept], int], most: int) -> list[Kept]:
    """As many as have no more than `most` together, evenly over their ranks of fitness from the best down."""
    sizes = {each.path: size_of(each) for each in kept}
    chosen = ordered = sorted(kept, key=lambda each: -each.fitness)
    while sum(sizes[each.path] for each in chosen) > most:
        places = np.linspace(0, len(ordered) - 1, len(chosen) - 1).round().astype(int)
        chosen = [ordered[place] for place in places]
    return [each for each in kept if each in chosen]
