"""The seam to where trainings run, its registry, and its public fake."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from eureka_loop import files
from eureka_loop.execute.machine import Share
from eureka_loop.records import Job
from eureka_loop.registry import Registry
from eureka_loop.results import Failed, Trained

COMMAND = (sys.executable, "-P", "-m", "eureka_loop.execute.worker")  # and the folders as arguments
ERROR = "error.json"  # left by a worker where no program is to blame


class Executor(Protocol):
    """Runs `COMMAND FOLDER...` somewhere that shares the file system, as a child of this process or not."""

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        """Run the command on the folders of one cohort, now or when there is room.

        The future is done when the process has ended; its value says how ("killed by signal 9").
        """
        ...

    def close(self) -> None:
        """End everything that still runs; its folders stay without a result."""


EXECUTORS: Registry[Callable[[Share], Executor]] = Registry(
    "executor", "eureka_loop.executors", {"local": "eureka_loop.execute.local:LocalExecutor"}
)


class ScriptedExecutor:
    """The public fake: `answer` stands in for a training; `submitted` holds the folders, in order."""

    def __init__(self, answer: Callable[[Job], Trained | Failed]) -> None:
        self._answer = answer
        self.submitted: list[tuple[Path, ...]] = []

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        self.submitted.append(tuple(folders))
        for folder in folders:
            (folder / "progress.jsonl").touch()
            files.write_json(folder / "result.json", self._answer(files.read_json(folder / "job.json", Job)))
        done: Future[str] = Future()
        done.set_result("exit status 0")
        return done

    def close(self) -> None:
        pass
