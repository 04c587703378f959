"""Where jobs run: the seam, and its public fake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from eureka_loop import files
from eureka_loop.records import Job, Later
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

    def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
        """Yield each folder when its result is there, in order of finishing; None whenever there is time.

        Folders may come while others run. A `DesignerError` that ends them is raised once all that came has a
        result. Closing the iterator kills what is still running; its folders stay without one.
        """
        ...


class ScriptedEngine:
    """The public fake: `answer` stands in for training."""

    def __init__(self, answer: Callable[[Job], Trained | Failed]) -> None:
        self._answer = answer
        self.ran: list[Path] = []

    def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
        for folder in folders:
            if isinstance(folder, Later):
                watch.tick([])
                yield None
                continue
            watch.started(folder)
            self.ran.append(folder)
            files.write_json(folder / "result.json", self._answer(files.read_json(folder / "job.json", Job)))
            watch.tick([folder])
            yield folder
