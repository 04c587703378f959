"""Workers on this machine: a few persistent processes, since starting one (torch, MuJoCo) takes seconds.

A worker inherits no keys and dies with this process, however that ends. Idle ones serve the next executor.
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

_idle: list[Worker] = []


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

    def give(self, folders: Sequence[Path]) -> None:
        """Have it work through these folders."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended while idle; `answer` is then ""
            line = json.dumps([str(folder.resolve()) for folder in folders])
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def answer(self, seconds: float) -> str | None:
        """ "done" when it has worked through them, "" when it has ended; None after that time."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return None
        return os.read(self.process.stdout.fileno(), 4096).decode().strip()

    def kill(self) -> str:
        """End it; how it ended, which may be earlier and by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.5)
        self.stop()
        status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        """Send the signal that ends it, with its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@atexit.register
def end_idle() -> None:
    """End the idle workers."""
    while _idle:
        worker = _idle.pop()
        worker.stop()
        worker.kill()


def work_through(folder: Path) -> None:
    """Have a worker work through one folder, and wait for it."""
    with LocalExecutor(Share(1, 1)) as executor:
        executor.submit([folder]).result()


class LocalExecutor:
    """Worker processes on this machine, started when first needed.

    Args:
        share: `share.workers` are at work at a time.
        start: starts a worker.
        silence: seconds without progress after which a worker counts as hung and is killed.
    """

    def __init__(
        self, share: Share, start: Callable[[], Worker] = Worker, *, silence: float = SILENCE
    ) -> None:
        self._start, self._silence = start, silence
        self._threads = ThreadPoolExecutor(share.workers, thread_name_prefix="worker")  # one waits for each
        self._busy: list[Worker] = []
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        """See `Executor.submit`."""
        return self._threads.submit(self._run, tuple(folders))

    def close(self) -> None:
        """End the workers that are at work."""
        with self._lock:
            self._closed = True
            for worker in self._busy:  # the thread that waits for it sees its end
                worker.stop()
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, folders: Sequence[Path]) -> str:
        with self._lock:
            if self._closed:
                raise RunError("the executor is closed")
            worker = self._ready()
            self._busy.append(worker)
        worker.give(folders)
        sizes, last = _sizes(folders), time.monotonic()
        while (answer := worker.answer(TICK)) is None:
            if (now := _sizes(folders)) != sizes:
                sizes, last = now, time.monotonic()
            elif time.monotonic() - last > self._silence:
                worker.stop()
        with self._lock:
            self._busy.remove(worker)
            if answer and not self._closed:
                _idle.append(worker)
                return ""
        return worker.kill()

    def _ready(self) -> Worker:
        with contextlib.suppress(IndexError):  # none is idle
            while (worker := _idle.pop()).process.poll() is not None:
                worker.kill()
            return worker
        return self._start()


def _sizes(folders: Sequence[Path]) -> list[int]:
    """Bytes of the folders' progress and log files."""
    paths = [folder / name for folder in folders for name in ("progress.jsonl", "worker.log")]
    return [path.stat().st_size if path.exists() else -1 for path in paths]


def environment() -> Mapping[str, str]:
    """Environment variables of a worker: no keys, one thread."""
    kept = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRETS)
    }
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1")}
