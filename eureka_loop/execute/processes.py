"""Worker processes on this machine: started, given folders, listened to, ended."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import RunError

NO_FAULT = 75  # a worker's exit status where neither job nor program is to blame (EX_TEMPFAIL)
SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "OPENAI", "AUTH")

_spare: list[Worker] = []  # idle, and nobody's


class Worker:
    """One worker process; it dies with this one, however this one ends.

    Args:
        program: what Python runs.
    """

    def __init__(self, program: Sequence[str] = ("-m", "eureka_loop.execute.worker")) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", *program, "--serve", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def give(self, folders: Sequence[Path]) -> None:
        """Have it work through these; they are answered together."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died while idle: seen at once as an ended job
            line = json.dumps([str(folder.resolve()) for folder in folders])
            self.process.stdin.write(f"{line}\n".encode())
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


def answered(workers: Sequence[Worker], seconds: float | None) -> list[Worker]:
    """Those that have answered or ended, within that time."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        ready = [key for key, _ in selector.select(seconds)]
        for key in ready:
            os.read(key.fd, 4096)  # "done\n", or nothing where the worker has ended
        return [key.data for key in ready]


def work_through(folder: Path) -> None:
    """Have a worker work through one folder, and wait for it; afterwards it is there for others."""
    worker = ready()
    try:
        worker.give([folder])
        answered([worker], None)
    except BaseException:
        worker.kill()
        raise
    _spare.append(worker)


def ready() -> Worker:
    """A worker with nothing to do: one that is left over, else a new one, which takes seconds to begin."""
    while _spare:
        worker = _spare.pop()
        if worker.alive:
            return worker
        worker.kill()
    return Worker()


@atexit.register
def end_spare() -> None:
    """End the workers that are left over."""
    while _spare:
        _spare.pop().kill()


def require_left(path: Path, task: str) -> Path:
    """The file that a worker was to leave in its folder.

    Args:
        task: what it was at, for the error.

    Raises:
        RunError: the file isn't there.
    """
    if not path.exists():
        files.require_space(path.parent)
        last = last_words(path.parent).splitlines()[-1:]
        raise RunError(f"{task} failed: {' '.join(last) or 'its process was killed'}")
    return path


def environment() -> Mapping[str, str]:
    """What a worker inherits: no keys, one thread."""
    kept = {name: value for name, value in os.environ.items() if not _secret(name)}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1")}


def _secret(name: str) -> bool:
    return any(word in name.upper() for word in SECRETS)


def last_words(folder: Path) -> str:
    """The end of what a worker wrote while it was busy with a folder."""
    log = folder / "worker.log"
    return log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
