"""This machine's own worker processes: a few, long-lived, one training each at a time."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput, RunError
from eureka_loop.execute.engine import Watch
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Failed, Job

TICK = 0.2  # s
MAX_KILLS = (
    3  # a job whose worker was killed from outside is tried again; after this many kills it has failed
)
SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "OPENAI", "AUTH")


class LocalEngine:
    """Worker processes on this machine, started when first needed.

    Args:
        jobs: trainings at once.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._idle: list[Worker] = []
        self._busy: dict[Path, Worker] = {}

    def run(self, folders: Sequence[Path], watch: Watch) -> Iterator[Path]:
        """See `Engine.run`."""
        waiting = deque(folders)
        kills: dict[Path, int] = {}
        busy = self._busy
        try:
            while waiting or busy:
                while waiting and len(busy) < self._jobs:
                    folder = waiting.popleft()
                    busy[folder] = self._start(folder)
                    watch.started(folder)
                for folder in _wait(busy):
                    worker = busy.pop(folder)
                    if (folder / "result.json").exists():
                        self._idle.append(worker)
                        yield folder
                    elif worker.stop() < 0 and kills.get(folder, 0) < MAX_KILLS - 1:
                        kills[folder] = kills.get(folder, 0) + 1
                        _clean(folder)
                        waiting.appendleft(folder)
                    else:
                        files.require_space(folder)  # a full disk is no fault of the candidate's
                        _give_up(folder, worker)
                        yield folder
                watch.tick(list(busy))
        finally:
            self._end_busy()

    def close(self) -> None:
        """End all workers."""
        self._end_busy()
        while self._idle:
            self._idle.pop().kill()

    def _end_busy(self) -> None:
        while self._busy:
            self._busy.popitem()[1].kill()

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, folder: Path) -> Worker:
        alive = [worker for worker in self._idle if worker.process.poll() is None]
        worker, self._idle = (alive[0], alive[1:]) if alive else (Worker(), [])
        worker.give(folder)
        return worker


class Worker:
    """One worker process; it dies with this one, however this one ends."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "eureka_loop.execute.worker", "--serve", str(os.getpid())]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )

    def give(self, folder: Path) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died while idle: seen at once as an ended job
            self.process.stdin.write(f"{folder.resolve()}\n".encode())
            self.process.stdin.flush()

    def stop(self) -> int:
        """Make sure that it has ended; its exit status, negative where a signal ended it."""
        try:
            return self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return 1
        finally:
            self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def survey(folder: Path) -> Vocabulary:
    """Have a worker look at the environment that `folder`/task.json names.

    Raises:
        BadInput: the environment doesn't exist, can't be made, or isn't of a kind that can be trained here.
    """
    worker = Worker()
    try:
        worker.give(folder)
        answered = _wait({folder: worker}, None)
    finally:
        worker.kill()
    refused = folder / "survey_error.json"
    if refused.exists():
        raise BadInput(files.read_json(refused, dict[str, str])["message"])
    if not answered or not (folder / "vocabulary.json").exists():
        files.require_space(folder)
        log = folder / "worker.log"
        last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
        raise RunError(f"looking at the environment failed: {' '.join(last) or 'its process was killed'}")
    return files.read_json(folder / "vocabulary.json", Vocabulary)


def environment() -> Mapping[str, str]:
    """What a worker inherits: no keys, one thread."""
    kept = {name: value for name, value in os.environ.items() if not _secret(name)}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1"), "CUDA_VISIBLE_DEVICES": ""}


def _secret(name: str) -> bool:
    return any(word in name.upper() for word in SECRETS)


def _wait(busy: Mapping[Path, Worker], seconds: float | None = TICK) -> list[Path]:
    """The folders whose worker has answered or ended, within that time."""
    with selectors.DefaultSelector() as selector:
        for folder, worker in busy.items():
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, folder)
        ready = [key for key, _ in selector.select(seconds)]
        for key in ready:
            os.read(key.fd, 4096)  # "done\n", or nothing where the worker has ended
        return [key.data for key in ready]


def _clean(folder: Path) -> None:
    """Leave nothing of an interrupted training but its job."""
    for path in folder.iterdir():
        if path.name != "job.json":
            path.unlink()


def _give_up(folder: Path, worker: Worker) -> None:
    """Write the failure that a worker could no longer write itself."""
    job = files.read_json(folder / "job.json", Job)
    log = folder / "worker.log"
    detail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    status = worker.process.returncode
    how = f"killed by signal {-status}, {MAX_KILLS} times" if status < 0 else f"exit status {status}"
    message = f"the training process ended without a result ({how}); see {log}"
    files.write_json(folder / "result.json", Failed(job.candidate, "crashed", message, detail, job.seed))
