"""Where jobs run: the seam, and its public fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from eureka_loop import files
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained


class Watch(Protocol):
    """Who looks on while jobs run."""

    def started(self, folder: Path) -> None:
        """A worker has taken this job."""
        ...

    def tick(self, active: Sequence[Path]) -> None:
        """Called a few times a second with the jobs in training. An exception here ends the batch."""
        ...


class Engine(Protocol):
    """Runs jobs, each a folder with a job.json, until each has a result.json."""

    def run(self, folders: Sequence[Path], watch: Watch) -> Iterator[Path]:
        """Yield each folder when its result is there, in order of finishing.

        Closing the iterator kills what is still running; its folders stay without a result.
        """
        ...


class ScriptedEngine:
    """The public fake: `answer` stands in for training."""

    def __init__(self, answer: Callable[[Job], Trained | Failed]) -> None:
        self._answer = answer
        self.ran: list[Path] = []

    def run(self, folders: Sequence[Path], watch: Watch) -> Iterator[Path]:
        for folder in folders:
            watch.started(folder)
            self.ran.append(folder)
            files.write_json(folder / "result.json", self._answer(files.read_json(folder / "job.json", Job)))
            watch.tick([folder])
            yield folder
