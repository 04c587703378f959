"""The owner's side of a reward process: columns in, terms out. Nothing that the child sends is believed.

Anything wrong (late, malformed, unrequested, dead) ends the process and becomes a RewardFailure. What
something outside killed or stopped is started again: a program is pure, so the call can be repeated.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from eureka_loop import numbers
from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.records import Array
from eureka_loop.reward.contract import ENTRY_POINTS, is_diagnostic
from eureka_loop.reward.sandbox import answer, protocol
from eureka_loop.reward.sandbox.lock import Layer
from eureka_loop.reward.sandbox.protocol import ANSWER, DONE, FAILED, LOCKED, READY, REQUEST, LoadRequest
from eureka_loop.text import clean

if TYPE_CHECKING:
    from eureka_loop.reward.sandbox.fork_server import ForkServer

Columns = Mapping[str, Array]
T = TypeVar("T")

ROW_SECONDS = 1e-4  # of a processor, for each row: 20 times what programs with loops take
STARTS = 3  # of a process that something outside ends, for one call
_LOCK_SECONDS = 10.0  # takes 1 ms; a program's own deadline begins with its source
_PATIENCE = 30  # deadlines that a busy machine may keep a process waiting
_ENDING = 1000  # ms that a process may take to end
_TEXT_LIMIT = 4000  # characters of a message or a detail

_DEATHS = {
    "SIGSYS": "it tried more than computing: files, network, processes, threads are out of reach",
    "SIGSEGV": "it crashed: recursion too deep, or memory used in a way numpy can't survive",
}
_INTERRUPTED = "The reward process was {} from outside, each time; the machine may be out of memory"
_OWN = {*_DEATHS, "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP"}  # signals that a program causes itself


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
        """The reward, (N,): the sum of all terms but the diagnostics."""
        total: Array = self.values[[not is_diagnostic(name) for name in self.names]].sum(axis=0)
        return total

    def named(self) -> dict[str, Array]:
        """Term → (N,)."""
        return dict(zip(self.names, self.values, strict=True))


class RewardProcess(AbstractContextManager["RewardProcess"]):
    """One program in one locked process. Not for several threads at once. Close it, or use it in `with`.

    After a RewardFailure the process is gone.

    Args:
        seconds: of processor time, for loading and for each call; a row has `ROW_SECONDS`.

    Attributes:
        request: program and capacity of a batch.
        held: the layers with which it locked itself.
        ready: for an attempt of the self-test, the errno of what stopped it; 0 if it worked.

    Raises:
        RewardFailure: the program doesn't load, or not in time.
        SandboxError: the fork server is gone, or the process could not lock itself.
    """

    def __init__(self, server: ForkServer, request: LoadRequest, seconds: float) -> None:
        self._server, self.request, self._seconds, self._closed = server, request, seconds, True
        self._names: tuple[str, ...] = ()
        self._insist(self._start)

    def _start(self) -> None:
        """Fork the process, and have it load the program."""
        request, text = self.request, self.request.encode()
        with contextlib.ExitStack() as child_ends:
            size = len(text) + request.column_bytes()
            self._inputs, inputs = protocol.shared_memory(size, child_writes=False)
            child_ends.callback(os.close, inputs)
            self._outputs, outputs = protocol.shared_memory(
                protocol.output_bytes(request.rows), child_writes=True
            )
            child_ends.callback(os.close, outputs)
            self._socket, other = socket.socketpair()
            child_ends.enter_context(other)
            self._inputs[: len(text)] = text
            try:
                self.pid = self._server.fork((other.fileno(), inputs, outputs))
            except SandboxError:
                self._release()
                raise
        self._closed = False
        self._poll = select.poll()  # a socket with a timeout would make more system calls
        self._poll.register(self._socket, select.POLLIN)
        self._columns = request.columns(self._inputs)
        self._values = protocol.output_values(self._outputs, request.rows)
        try:
            held, _ = self._receive(LOCKED, request.token, _LOCK_SECONDS)
        except RewardFailure as failure:  # no line of the program has run yet
            if failure.kind == "interrupted":
                raise
            raise SandboxError(f"a reward process could not lock itself: {failure}") from failure
        self.held = Layer(held)
        try:
            self._server.require(self.held)
        except SandboxError:
            self.close()
            raise
        self.ready, _ = self._receive(READY, request.token, self._seconds)

    def evaluate(self, columns: Columns) -> Terms:
        """The terms of every row.

        Args:
            columns: parameter → (N, *shape), any real dtype; others than the program's are ignored.

        Raises:
            RewardFailure: the program failed.
            SandboxError: the fork server is gone, or this process was closed.
            ValueError: a column is missing or misshapen, or there are more rows than the capacity.
        """
        rows, count, size = self._call(columns)
        if not self._names:
            self._names = tuple(self._outputs[:size].decode("ascii", "replace").split("\n"))
            try:
                answer.check_names(self._names)
            except RewardFailure:
                raise self._broken("invalid term names") from None
        if count != len(self._names):
            raise self._broken("another number of terms than before")
        values = self._values[:count, :rows].copy()  # out of the child's reach, then checked
        if failure := answer.find_fault(self._names, values, self.request.shapes, self._columns):
            raise self._failed(failure)
        return Terms(self._names, values)

    def measure(self, columns: Columns) -> float:
        """The number of a fitness or success program for one whole episode, (N, *shape) each.

        Raises: as `evaluate`.
        """
        self._call(columns)
        value = float(self._values[0, 0])
        if not np.isfinite(value):
            text = f"`{self.request.kind}` returned {value}, expected a finite number"
            raise self._failed(RewardFailure("not_finite", text))
        return value

    def close(self) -> None:
        """End the process and free its memory; may be called again."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(SandboxError):  # it died with the fork server
                self._server.end(self.pid)
            self._release()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, columns: Columns) -> tuple[int, int, int]:
        """Evaluate a batch; returns the numbers of rows, of terms, and of bytes of text."""
        if self._closed:
            raise SandboxError("this reward process is closed; start another")
        if missing := self.request.shapes.keys() - columns.keys():
            raise ValueError(f"no column {min(missing)!r}")
        rows, most = len(columns[next(iter(self.request.shapes))]), self.request.rows
        if rows > most:
            raise ValueError(f"{rows} rows in columns, but the process was started for {most}")
        for name, shape in self.request.shapes.items():
            if columns[name].shape != (rows, *shape):
                raise ValueError(
                    f"column {name!r} has shape {columns[name].shape}, expected {(rows, *shape)}"
                )
        return rows, *self._insist(lambda: self._ask(columns, rows))

    def _ask(self, columns: Columns, rows: int) -> tuple[int, int]:
        """Send a batch; the numbers of terms and of bytes of text that come back."""
        if self._closed:  # something outside ended it
            self._start()
        for name, target in zip(self.request.shapes, self._columns, strict=True):
            target[:rows] = columns[name]
        token = protocol.random_token()
        try:
            self._socket.send(REQUEST.pack(token, rows))
        except OSError as error:
            raise self._died() from error
        return self._receive(DONE, token, max(self._seconds, rows * ROW_SECONDS))

    def _insist(self, work: Callable[[], T]) -> T:
        """The result of some work with the process; again, where something outside ended the process."""
        for _ in range(STARTS - 1):
            try:
                return work()
            except RewardFailure as failure:
                if failure.kind != "interrupted":
                    raise
        return work()

    def _receive(self, expected: int, token: int, seconds: float) -> tuple[int, int]:
        """Count and bytes of text of the next message, which must answer this request.

        An answer to no request arrives here as the next one, with another token.
        """
        if not self._wait(seconds):
            name = f"`{ENTRY_POINTS[self.request.kind]}`" if expected == DONE else "Loading the program"
            text = f"{name} took longer than {numbers.compact(seconds)} s"
            raise self._failed(RewardFailure("timed_out", text))
        message = b""
        with contextlib.suppress(ConnectionResetError):
            message = self._socket.recv(ANSWER.size)
        if not message:
            raise self._died()
        if len(message) != ANSWER.size:
            raise self._broken("a message of the wrong size")
        got_token, code, count, size = ANSWER.unpack(message)
        if got_token != token or size > protocol.TEXT_BYTES:
            raise self._broken("an answer to another request")
        if code == expected:
            return count, size
        parts = (each.decode("utf-8", "replace") for each in self._outputs[:size].split(b"\0", 2))
        kind, text, detail, *_ = *(clean(each[-_TEXT_LIMIT:]) for each in parts), "", ""
        if code == FAILED and expected != LOCKED and kind in protocol.CLAIMS:
            raise self._failed(RewardFailure(kind, text, detail))
        raise self._broken("an unknown code")

    def _wait(self, seconds: float) -> bool:
        """Whether a message comes before the process has computed for so long.

        Raises:
            RewardFailure: interrupted: it was stopped, or had no processor to compute on.
        """
        before = processor_seconds(self.pid)
        end, left = time.monotonic() + _PATIENCE * seconds, seconds
        while not self._poll.poll(max(1.0, left * 1000)):
            left, state = seconds - (processor_seconds(self.pid) - before), _state(self.pid)
            if state == "T" or (left > 0 and time.monotonic() > end):
                how = "stopped" if state == "T" else "kept from computing"
                raise self._failed(RewardFailure("interrupted", _INTERRUPTED.format(how)))
            if left <= 0 or state not in "RD":  # one that sleeps waits for nothing that will come
                return bool(self._poll.poll(0))
        return True

    def _broken(self, how: str) -> RewardFailure:
        text = f"The reward process broke the protocol ({how}) and was killed"
        return self._failed(RewardFailure("killed", text))

    def _failed(self, failure: RewardFailure) -> RewardFailure:
        self.close()
        return failure

    def _died(self) -> RewardFailure:
        """The failure of a process that ended without an answer."""
        for _ in range(_ENDING):  # its socket is closed a moment before it is dead
            if (state := _state(self.pid)) in "ZX":
                break
            time.sleep(0.001)
        if state not in "ZX":
            return self._broken("it closed its socket")
        self._closed = True
        try:
            status = self._server.end(self.pid)
        except SandboxError as error:  # with the fork server
            return RewardFailure("interrupted", str(error))
        finally:
            self._release()
        number, code = status & 0x7F, status >> 8
        if not number and code == protocol.EXIT_OUT_OF_MEMORY:
            return RewardFailure("out_of_memory", "more than 512 MB")
        name = next((each.name for each in signal.Signals if each == number), f"signal {number}")
        if number and name not in _OWN:
            return RewardFailure("interrupted", _INTERRUPTED.format(f"killed ({name})"))
        cause = f"{_DEATHS.get(name, 'by a signal')} ({name})"
        if not number:
            cause = f"it ended by itself (exit status {code})"
        return RewardFailure("killed", f"The reward process died: {cause}")

    def _release(self) -> None:
        self._socket.close()
        self._columns, self._values = [], np.zeros((0, 0))
        for memory in (self._inputs, self._outputs):
            with contextlib.suppress(BufferError):  # a traceback holds a view; unmapped with the last one
                memory.close()


def processor_seconds(pid: int) -> float:
    """Seconds that a process has computed for so far; 0 once it is gone."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # as `clock_getcpuclockid` in C
    except OSError:
        return 0.0


def _state(pid: int) -> str:
    """Its state as in `ps`: "R" runs, "D" waits for memory or a disk, "S" sleeps, "T" is stopped."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    return "X"
