"""The owner's side of a reward process: columns in, terms out. Nothing that the child sends is believed.

Anything wrong (late, malformed, unrequested, dead) ends the process and becomes a RewardFailure.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from eureka_loop import numbers
from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program, is_diagnostic
from eureka_loop.reward.sandbox import answer
from eureka_loop.reward.sandbox.lock import Layer
from eureka_loop.reward.sandbox.protocol import (
    ANSWER,
    DONE,
    EXIT_OUT_OF_MEMORY,
    FAILURES,
    LOCKED,
    LOCKED_SEQUENCE,
    READY,
    READY_SEQUENCE,
    REQUEST,
    TEXT_BYTES,
    LoadRequest,
    output_bytes,
    output_values,
    shared_memory,
)

if TYPE_CHECKING:
    from eureka_loop.reward.sandbox.fork_server import ServerProcess

Columns = Mapping[str, Array]

_LOCK_SECONDS = 10.0  # takes 1 ms; a program's own deadline begins with its source
_TEXT_LIMIT = 4000  # characters of a message or a detail

_DEATHS = {
    "SIGSYS": "it tried more than computing: files, network, processes, threads are out of reach",
    "SIGSEGV": "it crashed: recursion too deep, or memory used in a way numpy can't survive",
    "SIGKILL": "it was killed from outside; the machine may be out of memory",
}


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Reward terms of N rows.

    Attributes:
        names: in the program's order; those that begin with `_` are diagnostics.
        values: (K, N), finite, |value| <= 1e6.
    """

    names: tuple[str, ...]
    values: Array

    @property
    def total(self) -> Array:
        """The reward, (N,): the sum of all terms but the diagnostics, added in the program's order."""
        # Term by term: numpy's own sum may add the terms of a single row in another order than those of many.
        total = np.zeros(self.values.shape[1])
        for name, values in zip(self.names, self.values, strict=True):
            if not is_diagnostic(name):
                total += values
        return total

    def named(self) -> dict[str, Array]:
        """Term → (N,)."""
        return dict(zip(self.names, self.values, strict=True))


class Died(RewardFailure):
    """The process ended without an answer; `status` is its wait status."""

    def __init__(self, status: int) -> None:
        self.status = status
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == EXIT_OUT_OF_MEMORY:
            super().__init__("out_of_memory", "more than 512 MB")
        else:
            super().__init__("killed", f"The reward process died: {_cause(status)}")


class LockedProcess:
    """A locked process with its socket, shared memory and deadlines. Close it, or use it in `with`.

    Attributes:
        held: the layers with which it locked itself.
        ready: the `count` of its READY message.

    Raises:
        RewardFailure: the program doesn't load, or not in time.
        SandboxError: the fork server is gone, or the process could not lock itself.
    """

    def __init__(self, server: ServerProcess, request: LoadRequest, layers: Layer) -> None:
        self._server, self._request = server, request
        self._sequence, self._closed = READY_SEQUENCE, False
        text = request.encode()
        with contextlib.ExitStack() as child_ends:
            self._inputs, inputs = shared_memory(request.input_bytes(len(text)), child_writes=False)
            child_ends.callback(os.close, inputs)
            self._outputs, outputs = shared_memory(output_bytes(request.rows), child_writes=True)
            child_ends.callback(os.close, outputs)
            self._socket, other = socket.socketpair()
            child_ends.enter_context(other)
            self._inputs[: len(text)] = text
            try:
                self.pid = server.fork((other.fileno(), inputs, outputs), layers)
            except SandboxError:
                self._release()
                raise
        self._poll = select.poll()  # a socket with a timeout would make more system calls
        self._poll.register(self._socket, select.POLLIN)
        self._columns = request.columns(self._inputs, len(text))
        self._values = output_values(self._outputs, request.rows)
        try:
            held, _ = self._receive(LOCKED, LOCKED_SEQUENCE, request.token, _LOCK_SECONDS)
        except RewardFailure as failure:  # no line of the program has run yet
            raise SandboxError(f"a reward process could not lock itself: {failure}") from failure
        self.held = Layer(held)
        self.ready, _ = self._receive(READY, READY_SEQUENCE, request.token, request.seconds)

    def close(self) -> None:
        """End the process and free its memory; may be called again."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(SandboxError):  # it died with the fork server
                if self._server.alive:
                    self._server.end(self.pid)
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, rows: int) -> tuple[int, int]:
        """Evaluate the first `rows` rows of the columns; returns the number of terms, and of bytes of text.

        Raises:
            RewardFailure: the process has ended then.
        """
        self._sequence += 1
        token = random_token()
        try:
            self._socket.send(REQUEST.pack(self._sequence, token, rows))
        except OSError as error:
            raise self._died() from error
        return self._receive(DONE, self._sequence, token, self._request.seconds)

    def _receive(self, expected: int, sequence: int, token: int, seconds: float) -> tuple[int, int]:
        """Count and bytes of text of the next message, which must answer this request.

        An answer to no request arrives here as the next one, with another sequence number or token.
        """
        if not self._poll.poll(seconds * 1000):
            name = f"`{self._request.entry_point}`" if expected == DONE else "Loading the program"
            raise self._failed(
                RewardFailure("timed_out", f"{name} took longer than {numbers.compact(seconds)} s")
            )
        try:
            message = self._socket.recv(ANSWER.size)
        except ConnectionResetError:
            message = b""
        if not message:
            raise self._died()
        if len(message) != ANSWER.size:
            raise self._broken("a message of the wrong size")
        got_sequence, got_token, code, count, size = ANSWER.unpack(message)
        if (got_sequence, got_token) != (sequence, token) or size > TEXT_BYTES:
            raise self._broken("an answer to another request")
        if code == expected:
            return count, size
        if code in FAILURES and expected != LOCKED:
            text, _, detail = self._outputs[:size].partition(b"\0")
            raise self._failed(RewardFailure(FAILURES[code], clean(text), clean(detail)))
        raise self._broken("an unknown code")

    def _broken(self, how: str) -> RewardFailure:
        """End the process for breaking the protocol."""
        return self._failed(
            RewardFailure("killed", f"The reward process broke the protocol ({how}) and was killed")
        )

    def _failed(self, failure: RewardFailure) -> RewardFailure:
        self.close()
        return failure

    def _died(self) -> RewardFailure:
        self._closed, status = True, -1
        try:
            status = self._server.end(self.pid)
        finally:
            self._release()
        return Died(status)

    def _release(self) -> None:
        self._socket.close()
        self._columns, self._values = [], np.zeros((0, 0))
        for memory in (self._inputs, self._outputs):
            with contextlib.suppress(BufferError):  # a traceback holds a view; unmapped with the last one
                memory.close()


class RewardProcess(LockedProcess):
    """One program in one locked process. Not for several threads at once.

    After a RewardFailure the process is gone.
    """

    def __init__(self, program: Program, server: ServerProcess, request: LoadRequest, layers: Layer) -> None:
        super().__init__(server, request, layers)
        self.program, self.rows = program, request.rows
        self._names: tuple[str, ...] = ()

    def evaluate(self, columns: Columns) -> Terms:
        """The terms of every row.

        Args:
            columns: parameter → (N, *shape), any real dtype; others than the program's are ignored.

        Raises:
            RewardFailure: the program failed.
            SandboxError: the fork server is gone, or this process was closed.
            ValueError: a column is missing or misshapen, or there are more rows than the capacity.
        """
        rows = self._fill(columns)
        count, size = self._call(rows)
        if not self._names:
            self._names = self._read_names(size)
        if count != len(self._names):
            raise self._broken("another number of terms than before")
        values = self._values[:count, :rows].copy()  # out of the child's reach, then checked
        fault = answer.find_fault(self._names, values)
        if fault is not None:
            failure, row = fault
            inputs = answer.inputs_at(self.program.parameters, self._columns, row)
            raise self._failed(RewardFailure(failure.kind, f"{failure}, where {inputs}"))
        return Terms(self._names, values)

    def measure(self, columns: Columns) -> float:
        """The number of a fitness or success program for one whole episode, (N, *shape) each.

        Raises: as `evaluate`.
        """
        self._call(self._fill(columns))
        value = float(self._values[0, 0])
        if not np.isfinite(value):
            raise self._broken("a number that is not finite")
        return value

    def _fill(self, columns: Columns) -> int:
        """Copy the program's columns to shared memory; returns their number of rows."""
        if self._closed:
            raise SandboxError("this reward process is closed; start another")
        names = self.program.parameters or tuple(columns)
        if not columns or names[0] not in columns:
            raise ValueError(f"no column {names[0]!r}" if names else "no columns: how many rows are there?")
        rows = len(columns[names[0]])
        if rows > self.rows:
            raise ValueError(f"{rows} rows in columns, but the process was started for {self.rows}")
        for name, target in zip(self.program.parameters, self._columns, strict=True):
            column, expected = columns.get(name), (rows, *target.shape[1:])
            if column is None or column.shape != expected:
                found = "is missing" if column is None else f"has shape {column.shape}"
                raise ValueError(f"column {name!r} {found}, expected {expected}")
            target[:rows] = column
        return rows

    def _read_names(self, size: int) -> tuple[str, ...]:
        names = tuple(self._outputs[:size].decode("ascii", "replace").split("\n"))
        try:
            answer.check_names(names)
        except RewardFailure:
            raise self._broken("invalid term names") from None
        return names


def random_token() -> int:
    """64 bits that can't be foreseen."""
    return int.from_bytes(os.urandom(8), "little")


def clean(text: bytes) -> str:
    """Text from a locked process, fit for a terminal, a log and a prompt: printable, and cut."""
    decoded = text.decode("utf-8", "replace")[-_TEXT_LIMIT:]
    return "".join(mark if mark.isprintable() or mark == "\n" else "\ufffd" for mark in decoded)


def _cause(status: int) -> str:
    if os.WIFEXITED(status):
        return f"it ended by itself (exit status {os.WEXITSTATUS(status)})"
    number = os.WTERMSIG(status)
    try:
        name = signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {number}"
    return f"{_DEATHS.get(name, 'by a signal')} ({name})"
