"""The fork server's own process, and the locked processes that it forks, one for each program.

It is executed afresh, never forked from a process with keys or torch. It runs no program itself and takes two
requests: fork and end. A child is reaped only on request, so a process id stays valid as long as it is used.
A child locks itself, loads one program and answers requests until its control socket closes. It can import
nothing, so what numpy imports on first use is imported here.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import signal
import socket
import sys
import tokenize  # noqa: F401 (`linecache` imports it on first use)
import unicodedata  # noqa: F401 (so does the compiler, at a letter beyond ASCII)
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, cast

import numpy as np
import numpy.ma  # some functions import it on first use

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward import functions
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.parsing import compiled
from eureka_loop.reward.sandbox import answer, lock, probes, protocol
from eureka_loop.reward.sandbox.lock import Layer

CONTROL = 0  # the control socket of the fork server, and of a child, its only descriptor

_MESSAGE_BYTES, _DETAIL_BYTES = 2048, protocol.TEXT_BYTES - 2048 - 64  # the rest is for the kind
_DESCRIPTORS = 256  # the fork server holds fewer than ten; closing up to the system's limit can take 0.1 s


def main(owner: int) -> NoReturn:
    """Serve until the owner closes the socket or dies.

    Args:
        owner: the owner's process id, to die with it; 0 where the spawning thread may end before its process
            does (the parent-death signal follows the thread), so that only the closed socket ends it.
    """
    if owner:
        lock.die_with_parent(owner)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with contextlib.suppress(OSError):  # where memory runs out, children end before the training they serve
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.environ.clear()  # the libraries have read it by now
    scope = functions.namespace()  # built here, it costs a child no page faults
    gc.collect()
    gc.freeze()  # else the first collection in a child would copy every page
    possible = lock.ALL_LAYERS if lock.may_kill_other_users() else lock.ALL_LAYERS & ~Layer.IDENTITY
    children: set[int] = set()
    with contextlib.suppress(OSError), socket.socket(fileno=CONTROL) as control_socket:
        while True:
            request, descriptors, *_ = socket.recv_fds(control_socket, protocol.SERVER_MESSAGE.size, 3)
            if len(request) != protocol.SERVER_MESSAGE.size:
                break
            operation, argument = protocol.SERVER_MESSAGE.unpack(request)
            if operation == protocol.FORK:
                result = _fork(descriptors, Layer(argument) & possible, scope)
                children.add(result)
            else:
                result = _end(argument) if argument in children else -1
                children.discard(argument)
            control_socket.sendall(protocol.SERVER_MESSAGE.pack(operation, result))
    for pid in children:
        _end(pid)
    os._exit(0)


def _fork(descriptors: list[int], layers: Layer, scope: dict[str, object]) -> int:
    """The child's process id; -1 where the system has none left."""
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        _run_child(descriptors, layers, parent, scope)
    for descriptor in descriptors:
        os.close(descriptor)
    return pid


def _end(pid: int) -> int:
    """Kill a child and its process group; returns its wait status."""
    if pid < 0:
        return -1
    for send in (os.killpg, os.kill):  # there is no group before the child's setsid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _run_child(descriptors: list[int], wanted: Layer, parent: int, scope: dict[str, object]) -> NoReturn:
    """Body of a fork; never returns into the fork server's loop. `scope`: the program's namespace."""
    status = protocol.EXIT_FAILED
    try:
        control, inputs, outputs = descriptors
        readable = mmap.mmap(inputs, os.fstat(inputs).st_size, access=mmap.ACCESS_READ)
        writable = mmap.mmap(outputs, os.fstat(outputs).st_size)
        os.setsid()
        os.dup2(control, CONTROL)
        os.closerange(CONTROL + 1, _DESCRIPTORS)
        sys.stdin = sys.stdout = sys.stderr = None  # a stray write would be fatal
        held = lock.lock(wanted, parent=parent, control=CONTROL)
        request = protocol.LoadRequest.decode(readable)  # nothing of it is read before the lock
        server = ProgramServer(request, request.columns(readable), writable)
        server.send(request.token, protocol.LOCKED, int(held))
        if request.kind == "probe":
            server.send(request.token, protocol.READY, probes.attempt(request.source))
        elif server.load(scope):
            while message := os.read(CONTROL, protocol.REQUEST.size):
                server.serve(*protocol.REQUEST.unpack(message))
        status = 0
    except MemoryError:
        status = protocol.EXIT_OUT_OF_MEMORY
    finally:
        os._exit(status)


class ProgramServer:
    """Loads one program and evaluates it on request."""

    def __init__(self, request: protocol.LoadRequest, columns: list[Array], outputs: mmap.mmap) -> None:
        self._request, self._columns, self._outputs = request, columns, outputs
        self._values = protocol.output_values(outputs, request.rows)
        self._names: tuple[str, ...] = ()

    def load(self, scope: dict[str, object]) -> bool:
        """Compile and execute the source; returns whether that worked."""
        try:
            exec(compiled(self._request.source), scope)
            self._function = cast("Callable[..., object]", scope[ENTRY_POINTS[self._request.kind]])
        except BaseException as error:  # noqa: BLE001 (the process's boundary: the owner gets it as text)
            self._send_failure(self._request.token, error)
            return False
        self.send(self._request.token, protocol.READY)
        return True

    def serve(self, token: int, rows: int) -> None:
        """Answer one request."""
        try:
            text, count = self._evaluate(rows)
        except BaseException as error:  # noqa: BLE001 (the process's boundary)
            self._send_failure(token, error, rows)
        else:
            self.send(token, protocol.DONE, count, text)

    def send(self, token: int, code: int, count: int = 0, text: bytes = b"") -> None:
        if text:
            self._outputs[: len(text)] = text
        os.write(CONTROL, protocol.ANSWER.pack(token, code, count, len(text)))

    def _evaluate(self, rows: int) -> tuple[bytes, int]:
        """The names as text where they are new, and the number of terms."""
        result = self._function(*(column[:rows] for column in self._columns))
        shape: tuple[int, ...] = (rows,)
        if self._request.kind != "reward":
            result, shape = {self._request.kind: result}, ()
        names = answer.collect(result, self._names, shape, self._values)
        new, self._names = names != self._names, names
        return "\n".join(names).encode() if new else b"", len(names)

    def _send_failure(self, token: int, error: BaseException, rows: int = 0) -> None:
        failure = error if type(error) is RewardFailure else answer.explain(error, self._request.source, rows)
        kind = failure.kind if failure.kind in protocol.CLAIMS else "exception"
        parts = [
            each.replace("\0", " ").encode("utf-8", "replace") for each in (str(failure), failure.detail)
        ]
        # The end of a detail is the most useful part.
        text = b"\0".join([kind.encode(), parts[0][:_MESSAGE_BYTES], parts[1][-_DETAIL_BYTES:]])
        self.send(token, protocol.FAILED, 0, text)
