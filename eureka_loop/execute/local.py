"""Workers on this machine: a few persistent processes, since starting one (torch, MuJoCo) takes seconds.

A worker inherits no keys and dies with this process, however that ends.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from eureka_loop.errors import RunError
from eureka_loop.execute.machine import Share

TICK = 0.2  # s between looks at a worker's progress files
SILENCE = 900.0  # s without progress after which a worker counts as hung; judging long episodes takes minutes
SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "OPENAI", "AUTH")

_spare: list[Worker] = []  # idle workers that belong to no executor


class Worker:
    """One worker process, with folders on its standard input and "done" on its standard output.

    Args:
        program: arguments of the Python interpreter.
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
        """Have it work through these folders."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died while idle; `done` notices
            line = json.dumps([str(folder.resolve()) for folder in folders])
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def done(self, seconds: float | None) -> bool:
        """Whether it has worked through them, or has ended, within that time."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return False
        os.read(self.process.stdout.fileno(), 4096)  # "done\n", or nothing where it has ended
        return True

    def ended(self) -> str:
        """How a process that is ending has ended; "" where it goes on."""
        try:
            status = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return ""
        self.kill()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def ready() -> Worker:
    """An idle worker: a spare one, else a new one."""
    while _spare:
        worker = _spare.pop()
        if worker.alive:
            return worker
        worker.kill()
    return Worker()


def work_through(folder: Path) -> None:
    """Have a worker work through one folder, and wait for it; afterwards the worker is a spare one."""
    worker = ready()
    try:
        worker.give([folder])
        worker.done(None)
    except BaseException:
        worker.kill()
        raise
    _spare.append(worker)


@atexit.register
def end_spare() -> None:
    """End the spare workers."""
    while _spare:
        _spare.pop().kill()


class LocalExecutor:
    """Worker processes on this machine, started when first needed.

    Args:
        share: `share.workers` are at work at a time.
        start: starts a worker.
        silence: seconds without progress after which a worker counts as hung and is killed.
    """

    def __init__(
        self, share: Share, start: Callable[[], Worker] = ready, *, silence: float = SILENCE
    ) -> None:
        self._start, self._silence = start, silence
        self._threads = ThreadPoolExecutor(share.workers, thread_name_prefix="worker")  # one waits for each
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        """See `Executor.submit`."""
        return self._threads.submit(self._run, tuple(folders))

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self._closed = True
            for worker in self._busy:  # the thread that waits for it sees its end, and closes the pipes
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.process.pid, signal.SIGKILL)
            while self._idle:
                self._idle.pop().kill()
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, folders: Sequence[Path]) -> str:
        worker = self._take()
        worker.give(folders)
        progress = Progress(folders)
        while not worker.done(TICK):
            if progress.silent() > self._silence:
                os.killpg(worker.process.pid, signal.SIGKILL)
        complete = all((folder / "result.json").exists() for folder in folders)
        ended = "" if complete and worker.alive else worker.ended()
        with self._lock:
            self._busy.remove(worker)
            if not ended and not self._closed:
                self._idle.append(worker)
        return ended

    def _take(self) -> Worker:
        with self._lock:
            if self._closed:
                raise RunError("the executor is closed")
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    break
                worker.kill()
            else:
                worker = self._start()
            self._busy.append(worker)
            return worker


class Progress:
    """When something was last written to the folders' progress and log files."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._paths = [folder / name for folder in folders for name in ("progress.jsonl", "worker.log")]
        self._sizes: tuple[int, ...] = ()
        self._last = time.monotonic()

    def silent(self) -> float:
        """Seconds since then."""
        sizes = tuple(path.stat().st_size if path.exists() else -1 for path in self._paths)
        if sizes != self._sizes:
            self._sizes, self._last = sizes, time.monotonic()
        return time.monotonic() - self._last


def environment() -> Mapping[str, str]:
    """Environment variables of a worker: no keys, one thread."""
    kept = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRETS)
    }
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1")}
