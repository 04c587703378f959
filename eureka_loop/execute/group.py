"""Candidates in training together: what is done with them, who is in it, and who has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eureka_loop.records import Candidate, Job, Rung


@dataclass(frozen=True, slots=True)
class Stretch:
    """What part of which trainings is done.

    Attributes:
        training: training seeds.
        judging: seeds of the judged episodes.
        report: whether these are the report's trainings.
        rung: how far they go, each from where the rung before left it; None: to the end.
    """

    training: Sequence[int]
    judging: Sequence[int]
    report: bool = False
    rung: Rung | None = None

    @property
    def early(self) -> int | None:
        """The rung's number, where trainings don't end on it."""
        return None if self.rung is None or self.rung.last else self.rung.number


@dataclass(slots=True)
class Group:
    """Who is in training, and who has ended."""

    jobs: dict[Path, Job] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)  # trainings of each candidate
    ended: list[Candidate] = field(default_factory=list)
    members: dict[str, Candidate] = field(default_factory=dict)

    def begin(self, candidate: Candidate, jobs: Mapping[Path, Job]) -> None:
        """Take in a candidate with the trainings that it still needs."""
        self.members[candidate.id] = candidate
        self.jobs.update(jobs)
        self.left[candidate.id] = len(jobs)
        if not jobs:
            self.ended.append(candidate)

    def end(self, folder: Path) -> None:
        """A training has a result."""
        id = self.jobs[folder].candidate
        self.left[id] -= 1
        if not self.left[id]:
            self.ended.append(self.members[id])
