"""The locked process: locks itself, loads one program, answers requests until its control socket closes.

The owner checks everything it sends (see `process`); nothing here has to be believed.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from eureka_loop.errors import Problem, Refused, RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.parsing import compile_ready
from eureka_loop.reward.sandbox import answer, probes
from eureka_loop.reward.sandbox.explain import FILENAME, explain
from eureka_loop.reward.sandbox.lock import Layer, lock
from eureka_loop.reward.sandbox.protocol import (
    ANSWER,
    CODES,
    DONE,
    EXIT_FAILED,
    EXIT_OUT_OF_MEMORY,
    LOCKED,
    LOCKED_SEQUENCE,
    READY,
    READY_SEQUENCE,
    REQUEST,
    TEXT_BYTES,
    LoadRequest,
    output_values,
)

Descriptors = tuple[int, int, int]  # control socket, inputs, outputs

CONTROL = 0  # the control socket's descriptor, the only one

_MESSAGE_BYTES = 2048  # of TEXT_BYTES; the detail takes the rest
_DESCRIPTORS = 256  # the fork server holds fewer than ten; closing up to the system's limit can take 0.1 s
_RESERVE_BYTES = 4 * 1024**2  # given back when memory is out, so that the failure can be reported


def run(descriptors: Descriptors, wanted: Layer, parent: int, scope: dict[str, object]) -> NoReturn:
    """Body of a fork; never returns into the fork server's loop. `scope`: the program's namespace."""
    status = EXIT_FAILED
    try:
        status = _run(descriptors, wanted, parent, scope)
    except MemoryError:
        status = EXIT_OUT_OF_MEMORY
    finally:
        os._exit(status)


def _run(descriptors: Descriptors, wanted: Layer, parent: int, scope: dict[str, object]) -> int:
    control, inputs, outputs = descriptors
    readable = mmap.mmap(inputs, os.fstat(inputs).st_size, access=mmap.ACCESS_READ)
    writable = mmap.mmap(outputs, os.fstat(outputs).st_size)
    os.setsid()
    os.dup2(control, CONTROL)
    os.closerange(CONTROL + 1, _DESCRIPTORS)
    sys.stdin = sys.stdout = sys.stderr = None  # a stray write would be fatal
    held = lock(wanted, parent=parent, control=CONTROL)
    request, encoded = LoadRequest.decode(readable)  # nothing of it is read before the lock
    server = Server(request, request.columns(readable, encoded), writable)
    server.send(LOCKED_SEQUENCE, request.token, LOCKED, int(held))
    if request.kind == "probe":
        server.send(READY_SEQUENCE, request.token, READY, probes.attempt(request.source))
    elif server.load(scope):
        while message := os.read(CONTROL, REQUEST.size):
            server.serve(message)
    return 0


class Server:
    """Loads one program and evaluates it on request."""

    def __init__(self, request: LoadRequest, columns: list[Array], outputs: mmap.mmap) -> None:
        self._request, self._columns, self._outputs = request, columns, outputs
        self._values = output_values(outputs, request.rows)
        self._names: tuple[str, ...] = ()
        self._function: Callable[..., object] = lambda: None
        # Never touched, so it costs nothing but address space.
        self._reserve = mmap.mmap(-1, _RESERVE_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def load(self, scope: dict[str, object]) -> bool:
        """Compile and execute the source; returns whether that worked."""
        token, name = self._request.token, self._request.entry_point
        try:
            exec(compile(compile_ready(self._request.source), FILENAME, "exec", dont_inherit=True), scope)
            function = scope.get(name)
            if not callable(function):
                raise Refused([Problem(1, f"there is no function `{name}`")])
        except BaseException as error:  # noqa: BLE001 (the process's boundary: the owner gets it as text)
            self._send_failure(READY_SEQUENCE, token, error)
            return False
        self._function = function
        self.send(READY_SEQUENCE, token, READY)
        return True

    def serve(self, message: bytes) -> None:
        """Answer one request."""
        sequence, token, rows = REQUEST.unpack(message)
        try:
            text, count = self._evaluate(rows)
        except BaseException as error:  # noqa: BLE001 (the process's boundary)
            self._send_failure(sequence, token, error, rows)
        else:
            self.send(sequence, token, DONE, count, text)

    def send(self, sequence: int, token: int, code: int, count: int = 0, text: bytes = b"") -> None:
        if text:
            self._outputs[: len(text)] = text
        os.write(CONTROL, ANSWER.pack(sequence, token, code, count, len(text)))

    def _evaluate(self, rows: int) -> tuple[bytes, int]:
        """The names as text where they are new, and the number of terms."""
        columns = self._columns
        if rows != self._request.rows:
            columns = [column[:rows] for column in columns]
        result = self._function(*columns)
        if self._request.kind != "reward":
            answer.collect_number(result, self._request.kind, self._values)
            return b"", 1
        names = answer.collect(result, self._names, rows, self._values)
        new, self._names = names != self._names, names
        return "\n".join(names).encode() if new else b"", len(names)

    def _send_failure(self, sequence: int, token: int, error: BaseException, rows: int = 0) -> None:
        if isinstance(error, MemoryError):
            self._reserve.close()
        request = self._request
        shapes = request.shapes if request.kind == "reward" else None
        failure = error if type(error) is RewardFailure else explain(error, request.source, rows, shapes)
        message = str(failure).encode("utf-8", "replace")[:_MESSAGE_BYTES]
        # The end of a detail is the most useful part.
        detail = failure.detail.encode("utf-8", "replace")[-(TEXT_BYTES - _MESSAGE_BYTES - 1) :]
        self.send(sequence, token, CODES.get(failure.kind, CODES["exception"]), 0, message + b"\0" + detail)
