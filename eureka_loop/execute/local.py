"""This machine's own worker processes: a few, long-lived, one batch of trainings each at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.execute.batches import Batch
from eureka_loop.execute.engine import Watch
from eureka_loop.execute.line import Line
from eureka_loop.execute.machine import Share
from eureka_loop.execute.processes import NO_FAULT, Worker, answered, last_words, ready
from eureka_loop.records import Job, Later
from eureka_loop.results import Failed

TICK = 0.2  # s
SILENCE = 900.0  # s without a sign of life: then a worker counts as hung; judging long episodes takes minutes
TRIES = 3  # a job whose worker ended under it is tried again; after this many it has failed


@dataclass(eq=False, slots=True)
class Busy:
    """A worker with what it is at.

    Attributes:
        began: monotonic time.
        heard: that of the last sign of life.
        sizes: of the files that tell one.
    """

    worker: Worker
    batch: Batch
    began: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    sizes: tuple[int, ...] = ()

    def silent(self) -> float:
        """Seconds since something was written."""
        paths = [folder / name for folder in self.batch for name in ("progress.jsonl", "worker.log")]
        sizes = tuple(path.stat().st_size if path.exists() else -1 for path in paths)
        if sizes != self.sizes:
            self.sizes, self.heard = sizes, time.monotonic()
        return time.monotonic() - self.heard


class LocalEngine:
    """Worker processes on this machine, started when first needed.

    Args:
        share: workers at once, and learners in each.
        start: starts a worker.
        silence: seconds without a sign of life after which a worker counts as hung.
    """

    def __init__(
        self, share: Share, start: Callable[[], Worker] = ready, *, silence: float = SILENCE
    ) -> None:
        self._share, self._new, self._silence = share, start, silence
        self._idle: list[Worker] = []
        self._busy: list[Busy] = []

    def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
        """See `Engine.run`.

        Raises:
            RunError: the machine, not a candidate, keeps trainings from ending: no space, no sandbox.
        """
        line = Line(folders, self._share)
        ends: Counter[Path] = Counter()
        try:
            line.look()
            while self._busy or not line.empty:
                while batch := line.next(self._share.workers - len(self._busy)):
                    self._start(batch)
                    for folder in batch:
                        watch.started(folder)
                for busy in self._ready():
                    yield from self._finish(busy, line, ends)
                watch.tick([folder for busy in self._busy for folder in busy.batch])
                yield None
                line.look()
        finally:
            self._end_busy()
        line.close()

    def close(self) -> None:
        """End all workers."""
        self._end_busy()
        while self._idle:
            self._idle.pop().kill()

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end_busy(self) -> None:
        while self._busy:
            self._busy.pop().worker.kill()

    def _start(self, batch: Batch) -> None:
        alive = [worker for worker in self._idle if worker.alive]
        worker, self._idle = (alive[0], alive[1:]) if alive else (self._new(), [])
        worker.give(batch)
        self._busy.append(Busy(worker, batch))

    def _ready(self) -> list[Busy]:
        """Those that have answered or ended, or are made to end."""
        done = answered([busy.worker for busy in self._busy], TICK)
        for busy in self._busy:
            if busy.worker not in done and busy.silent() > self._silence:
                busy.worker.kill()
                done.append(busy.worker)
        return [busy for busy in self._busy if busy.worker in done]

    def _finish(self, busy: Busy, line: Line, ends: Counter[Path]) -> Iterator[Path]:
        """What has a result; what has none goes back to those waiting, unless it was tried too often."""
        self._busy.remove(busy)
        line.took(time.monotonic() - busy.began)
        left = [folder for folder in busy.batch if not (folder / "result.json").exists()]
        yield from (folder for folder in busy.batch if folder not in left)
        if not left:
            self._idle.append(busy.worker)
            return
        status = busy.worker.stop()
        ends.update(left)
        again = [folder for folder in left if ends[folder] < TRIES]
        for folder in again:
            _clean(folder)
        if max(ends[folder] for folder in left) == 1:
            line.again([tuple(again)])
        else:  # alone: who brings a cohort down is found, and the others are spared
            line.again([(folder,) for folder in again])
        for folder in left:
            if folder not in again:
                files.require_space(folder)  # a full disk is no fault of the candidate's
                _give_up(folder, status)
                yield folder


def _clean(folder: Path) -> None:
    """Leave nothing of an interrupted training but its job."""
    for path in folder.iterdir():
        if path.name != "job.json":
            path.unlink()


def _give_up(folder: Path, status: int) -> None:
    """Write the failure that a worker could no longer write itself.

    Raises:
        RunError: the worker said that the job is not to blame.
    """
    words = last_words(folder)
    if status == NO_FAULT:
        raise RunError(f"training can't go on: {words.splitlines()[-1] if words else 'see worker.log'}")
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    message = (
        f"the training process ended without a result {TRIES} times, last by {how}; "
        f"see {folder / 'worker.log'}"
    )
    job = files.read_json(folder / "job.json", Job)
    files.write_json(folder / "result.json", Failed(job.candidate, "crashed", message, words, job.seed))
