"""The parent's end of one locked process: its memories, its socket, its deadline. It believes nothing.

Whatever goes wrong (late, malformed, unasked, dead) ends the process and becomes a RewardFailure.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.link import Link
from eureka_loop.reward.sandbox.memory import shared
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
    Order,
    layout,
    output_size,
    output_values,
)

_MALFORMED = "The reward process broke the protocol ({}) and was killed"
_LOCK_SECONDS = 10.0  # takes 1 ms; a program's own deadline begins with its text
_TEXT_LIMIT = 4000  # characters of a message or a detail

_DEATHS = {
    "SIGSYS": "it tried more than computing: files, network, processes, threads are out of reach",
    "SIGSEGV": "it crashed: recursion too deep, or memory used in a way numpy can't survive",
    "SIGKILL": "it was killed from outside; the machine may be out of memory",
}


class Death(RewardFailure):
    """The process ended without an answer; `status` is its wait status."""

    def __init__(self, status: int) -> None:
        self.status = status
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == EXIT_OUT_OF_MEMORY:
            super().__init__("out_of_memory", "more than 512 MB")
        else:
            super().__init__("killed", f"The reward process died: {_cause(status)}")


class Conversation:
    """One locked process, ready to be asked.

    Attributes:
        columns: views (rows, *shape) of the inputs, in the order's order; the caller fills them.
        starts: view (rows,) of the episode starts.
        values: view (MAX_TERMS, rows) of the outputs: copy first, then look.
        held: the layers with which the process locked itself.
        status: its wait status, once it has ended.

    Raises:
        RewardFailure: the program doesn't load, or not in time.
        SandboxError: the warm parent is gone, or the process could not lock itself.
    """

    def __init__(self, link: Link, order: Order, layers: Layer) -> None:
        self._link, self._order = link, order
        self._sequence, self._tokens = READY_SEQUENCE, _random_tokens()
        self.status: int | None = None
        text = order.encode()
        where = layout(order, len(text))
        with contextlib.ExitStack() as theirs:
            self._inputs, inputs = shared(where.size, child_writes=False)
            theirs.callback(os.close, inputs)
            self._outputs, outputs = shared(output_size(order.rows), child_writes=True)
            theirs.callback(os.close, outputs)
            self._wire, wire = socket.socketpair()
            theirs.enter_context(wire)
            self._inputs[: len(text)] = text
            try:
                self.pid = link.fork((wire.fileno(), inputs, outputs), layers)
            except SandboxError:
                self._release()
                raise
        self.columns, self.starts = where.columns(self._inputs), where.starts(self._inputs)
        self.values = output_values(self._outputs, order.rows)
        self._poll = select.poll()
        self._poll.register(self._wire, select.POLLIN)
        self.held, self.ready = self._greet()

    def ask(self, rows: int, until: float) -> tuple[int, int]:
        """Have the first `rows` rows of the columns evaluated; returns how many terms, and bytes of text.

        Args:
            until: deadline, on the monotonic clock.

        Raises:
            RewardFailure: the process has ended then.
        """
        if self.status is not None:
            raise SandboxError("this reward process is closed; start another")
        self._sequence += 1
        token = next(self._tokens)
        try:
            self._wire.send(REQUEST.pack(self._sequence, token, rows))
        except OSError as error:
            raise self._died() from error
        return self._receive(DONE, self._sequence, token, until)

    def text(self, size: int) -> bytes:
        """A copy of the outputs' text."""
        return self._outputs[:size]

    def broken(self, how: str) -> RewardFailure:
        """End the process for breaking the protocol."""
        return self._fail(RewardFailure("killed", _MALFORMED.format(how)))

    def close(self) -> None:
        """End the process and give everything back; may be called again."""
        if self.status is None:
            try:
                self.status = self._link.end(self.pid) if self._link.alive else -1
            except SandboxError:
                self.status = -1  # it died with the warm parent
            self._release()

    def _greet(self) -> tuple[Layer, int]:
        token = self._order.token
        try:
            held, _ = self._receive(LOCKED, LOCKED_SEQUENCE, token, time.monotonic() + _LOCK_SECONDS)
        except RewardFailure as failure:  # no line of the program has run yet
            raise SandboxError(f"a reward process could not lock itself: {failure}") from failure
        ready, _ = self._receive(READY, READY_SEQUENCE, token, time.monotonic() + self._order.seconds)
        return Layer(held), ready

    def _receive(self, expected: int, sequence: int, token: int, until: float) -> tuple[int, int]:
        """Count and bytes of text of the next message, which must be this one.

        An answer nobody asked for comes up here as the next, with a sequence number or a token that is not.
        """
        if not self._poll.poll(max(0.0, (until - time.monotonic()) * 1000)):
            raise self._fail(RewardFailure("timed_out", self._late(expected)))
        message = self._take()
        if not message:
            raise self._died()
        if len(message) != ANSWER.size:
            raise self.broken("a message of the wrong size")
        got_sequence, got_token, code, count, size = ANSWER.unpack(message)
        if (got_sequence, got_token) != (sequence, token) or size > TEXT_BYTES:
            raise self.broken("an answer to another question")
        if code == expected:
            return count, size
        if code in FAILURES and expected != LOCKED:
            message, _, detail = self.text(size).partition(b"\0")
            raise self._fail(RewardFailure(FAILURES[code], clean(message), clean(detail)))
        raise self.broken("an unknown code")

    def _late(self, expected: int) -> str:
        if expected == LOCKED:
            return f"no answer within {_LOCK_SECONDS:g} s"
        if expected == DONE:
            return f"`{self._order.entry_point}` took longer than {self._order.seconds:g} s"
        return f"The program did not load within {self._order.seconds:g} s"

    def _take(self) -> bytes:
        try:
            return self._wire.recv(ANSWER.size)
        except ConnectionResetError:
            return b""

    def _died(self) -> RewardFailure:
        self.status = -1
        try:
            self.status = self._link.end(self.pid)
        finally:
            self._release()
        return Death(self.status)

    def _fail(self, failure: RewardFailure) -> RewardFailure:
        self.close()
        return failure

    def _release(self) -> None:
        self._wire.close()
        self.columns, self.starts, self.values = [], np.zeros(0, np.bool_), np.zeros((0, 0))
        for memory in (self._inputs, self._outputs):
            with contextlib.suppress(BufferError):  # a traceback holds a view; unmapped with the last one
                memory.close()


def clean(text: bytes) -> str:
    """What a locked process wrote, fit for a terminal, a log and a prompt: printable, not too long."""
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


def _random_tokens() -> Iterator[int]:
    """64 bits each, that nobody foresees; drawn many at a time, which is what makes them cheap."""
    while True:
        yield from struct.unpack("<256Q", os.urandom(2048))
