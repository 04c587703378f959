"""The owner's side of the fork server: one locked process for each program, in milliseconds."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

import eureka_loop
from eureka_loop.errors import SandboxError
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.reward.sandbox.protocol import END, FORK, SERVER_MESSAGE, LoadRequest

_REPLY_SECONDS = 60.0  # a fork takes 1 ms, but numpy's import before the first may be from a network disk
_PROBE_SECONDS = 5.0

# One thread: a second one would be lost in the fork, with the locks that it held. One hash seed: a set of
# strings has the same order in every process.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ENVIRONMENT = {**dict.fromkeys(_THREADS, "1"), "PYTHONHASHSEED": "0"}
_KEPT = ("LD_LIBRARY_PATH",)  # some interpreters don't start without it

# Without site: none of the user's start-up files runs. The two folders are all that is needed.
_FLAGS = ("-S", "-s", "-P")
_BOOT = (
    "import sys; sys.path.extend(sys.argv[2:]); from eureka_loop.reward.sandbox.server import main; "
    "main(int(sys.argv[1]))"
)


class ForkServer(AbstractContextManager["ForkServer"]):
    """Starts reward processes. Usable from several threads; its processes end with it, and with its owner.

    The server's process starts at once, in the background. If it dies, the next `start` starts another.

    Args:
        layers: layers of the lock; fewer only to test one of them alone.

    Raises:
        SandboxError: this system can't have one.
    """

    def __init__(self, *, layers: Layer = ALL_LAYERS) -> None:
        if sys.platform != "linux":
            raise SandboxError(
                "generated code can be locked up only on Linux: "
                "on macOS run in a Linux container or virtual machine, on Windows in WSL2"
            )
        self._layers = layers
        self._mutex = threading.Lock()
        self._held: Layer | None = None
        self._launch()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    @property
    def held(self) -> Layer:
        """The layers that really hold on this machine, as a locked process reports.

        Raises:
            SandboxError: no process can be started.
        """
        if self._held is None:
            self.probe("")
        assert self._held is not None
        return self._held

    def start(
        self, program: Program, shapes: Mapping[str, tuple[int, ...]], *, rows: int, deadline: float = 1.0
    ) -> RewardProcess:
        """A process that has loaded the program and waits for batches.

        Args:
            shapes: parameter → shape of one row; others than the program's parameters are ignored.
            rows: capacity of a batch.
            deadline: seconds of processor time for loading, and for each call; see `RewardProcess`.

        Raises:
            RewardFailure: the program doesn't load.
            SandboxError: no process can be started.
        """
        own = {parameter: tuple(shapes[parameter]) for parameter in program.parameters}
        return self._start(LoadRequest(program.kind, program.source, own, rows), deadline)

    def probe(self, attempt: str) -> int:
        """Make one attempt of the self-test in a locked process; returns the errno, 0 if it worked.

        Raises:
            RewardFailure: the attempt killed the process.
            SandboxError: as `start`.
        """
        with self._start(LoadRequest("probe", attempt, {}, 1), _PROBE_SECONDS) as process:
            return process.ready

    def close(self) -> None:
        """End the server, which ends its children first; may be called again."""
        with self._mutex:
            self._socket.close()
            try:
                self._process.wait(_REPLY_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()  # the kernel ends its children
                self._process.wait()
            self._errors.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def fork(self, descriptors: tuple[int, int, int]) -> int:
        """Process id of a new child, which gets these descriptors: control socket, inputs, outputs."""
        with self._mutex:
            if self._socket.fileno() < 0:
                raise SandboxError("this fork server is closed")
            if self._process.poll() is not None:
                self._socket.close()
                self._errors.close()
                self._launch()
            pid = self._request(FORK, int(self._layers), descriptors)
        if pid < 0:
            raise SandboxError("can't start a reward process: the system has no processes or memory left")
        return pid

    def end(self, pid: int) -> int:
        """Kill a child and its process group, if it still lives, and return its wait status."""
        with self._mutex:
            status = self._request(END, pid)
        if status < 0:
            raise SandboxError(f"the reward process {pid} ended with its fork server; start it again")
        return status

    def require(self, held: Layer) -> None:
        """
        Raises:
            SandboxError: a process holds other layers than the first one did.
        """
        self._held = held if self._held is None else self._held
        if held != self._held:
            raise SandboxError(f"a reward process is locked with {held!r}, not {self._held!r}")

    def _launch(self) -> None:
        """Start the server's process."""
        self._socket, other = socket.socketpair()
        self._socket.settimeout(_REPLY_SECONDS)
        # The parent-death signal comes when the thread that started it ends; only the main thread stays.
        owner = os.getpid() if threading.current_thread() is threading.main_thread() else 0
        folders = sorted({str(Path(str(each.__file__)).resolve().parents[1]) for each in (np, eureka_loop)})
        try:
            self._process = subprocess.Popen(
                [sys.executable, *_FLAGS, "-c", _BOOT, str(owner), *folders],
                env=_ENVIRONMENT | {name: os.environ[name] for name in _KEPT if name in os.environ},
                cwd="/",
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,  # only its last lines, so it can't fill up
                start_new_session=True,  # Ctrl-C goes to the owner alone
            )
        except OSError as error:
            self._socket.close()
            raise SandboxError(f"can't start {sys.executable}: {error.strerror}") from error
        finally:
            other.close()
        assert self._process.stderr is not None
        self._errors = self._process.stderr

    def _start(self, request: LoadRequest, seconds: float) -> RewardProcess:
        try:
            return RewardProcess(self, request, seconds)
        except OSError as error:
            raise SandboxError(f"can't start a reward process: {error.strerror}") from error

    def _request(self, operation: int, argument: int, descriptors: tuple[int, ...] = ()) -> int:
        """Send a request and return its result. A server that doesn't answer is killed, with its children."""
        try:
            socket.send_fds(self._socket, [SERVER_MESSAGE.pack(operation, argument)], descriptors)
            answered, result = SERVER_MESSAGE.unpack(self._socket.recv(SERVER_MESSAGE.size))
            if answered == operation:
                return int(result)
        except (OSError, struct.error):
            pass
        self._process.kill()
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        lines = b"" if self._errors.closed else self._errors.read()
        last = "".join(f" ({line})" for line in lines.decode(errors="replace").splitlines()[-1:])
        raise SandboxError(
            f"the fork server of the reward processes (pid {self.pid}) is gone ({how}), and they with it; "
            f"start them again{last}"
        )
