"""The owner's end of the warm parent: starts it, asks it for forks, ends them, notices its death."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

import eureka_loop
from eureka_loop.errors import SandboxError
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.protocol import END, FORK, WARM, WARM_MESSAGE

_WARM_SECONDS = 60.0  # numpy's import from a cold network disk
_REPLY_SECONDS = 10.0  # a fork takes 1 ms; a machine that needs longer than this is of no use anyway

# One thread: a second one would be lost in the fork with whatever locks it held. One hash seed: a set of
# strings has the same order in every process.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # some interpreters don't start without them

# Without site: nothing of the user's start-up files runs. The two folders are all that is needed.
_FLAGS = ("-S", "-s", "-P")
_BOOT = (
    "import sys; sys.path.extend(sys.argv[3:]); from eureka_loop.reward.sandbox.nursery import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]))"
)


class Link:
    """A running warm parent. Usable from several threads.

    Raises:
        SandboxError: from every method, once the warm parent is gone.
    """

    def __init__(self) -> None:
        if sys.platform == "win32":
            raise SandboxError("generated code can't be locked up on Windows; use WSL2")
        self._turn = threading.Lock()
        self._wire, theirs = socket.socketpair()
        try:
            self._process = _spawn(theirs.fileno())
        except SandboxError:
            self._wire.close()
            raise
        finally:
            theirs.close()
        self._warm = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def fork(self, descriptors: tuple[int, int, int], layers: Layer) -> int:
        """The process id of a new child, which gets these descriptors: control socket, inputs, outputs."""
        pid = self._ask(FORK, int(layers), descriptors)
        if pid < 0:
            raise SandboxError("can't start a reward process: the system has no processes or memory left")
        return pid

    def end(self, pid: int) -> int:
        """Kill a child and its process group, if it still lives, and return its wait status."""
        return self._ask(END, pid)

    def close(self) -> None:
        """End the warm parent; it ends its children first."""
        self._wire.close()
        try:
            self._process.wait(_REPLY_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the kernel ends its children
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()

    def _ask(self, operation: int, argument: int, descriptors: tuple[int, ...] = ()) -> int:
        with self._turn:
            if not self._warm:
                self._receive(WARM, _WARM_SECONDS)
                self._warm = True
            try:
                socket.send_fds(self._wire, [WARM_MESSAGE.pack(operation, argument)], descriptors)
            except OSError as error:
                raise self._gone() from error
            return self._receive(operation, _REPLY_SECONDS)

    def _receive(self, operation: int, seconds: float) -> int:
        self._wire.settimeout(seconds)
        try:
            message = self._wire.recv(WARM_MESSAGE.size)
        except OSError as error:
            raise self._gone() from error
        if len(message) != WARM_MESSAGE.size:
            raise self._gone()
        answered, result = WARM_MESSAGE.unpack(message)
        if answered != operation:
            raise self._gone()
        return int(result)

    def _gone(self) -> SandboxError:
        """It hung up, or doesn't answer: it must not live on with processes nobody can end."""
        self._process.kill()
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return SandboxError(
            f"the warm parent of the reward processes (pid {self.pid}) is gone ({how}), and they with it; "
            f"start them again{self._last_words()}"
        )

    def _last_words(self) -> str:
        errors = self._process.stderr
        if errors is None or errors.closed:
            return ""
        lines = errors.read().decode(errors="replace").strip().splitlines()
        return f" ({lines[-1]})" if lines else ""


def _spawn(control: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, *_FLAGS, "-c", _BOOT, *_arguments(control)],
            env=_ENVIRONMENT | {name: os.environ[name] for name in _KEPT if name in os.environ},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,  # only its last words, so it can't fill up
            pass_fds=[control],
            start_new_session=True,  # Ctrl-C is the owner's business
        )
    except OSError as error:
        raise SandboxError(f"can't start {sys.executable}: {error.strerror}") from error


def _arguments(control: int) -> list[str]:
    # The parent-death signal comes when the thread that started it ends; only the main thread stays.
    owner = os.getpid() if threading.current_thread() is threading.main_thread() else 0
    folders = {
        str(Path(file).resolve().parent.parent) for file in (np.__file__, eureka_loop.__file__) if file
    }
    return [str(owner), str(control), *sorted(folders)]
