"""The reward process: locks itself, loads one program, answers until its control socket closes.

Everything it says is checked by the parent, `conversation` and `process`; nothing here has to be believed.
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
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.lock import lock
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
    Layout,
    Order,
    layout,
    output_values,
)

Function = Callable[..., object]
Descriptors = tuple[int, int, int]  # control socket, inputs, outputs

CONTROL = 0  # the control socket's descriptor, the only one

_MESSAGE_BYTES = 2048  # of TEXT_BYTES; the detail takes the rest
_DESCRIPTORS = 256  # the warm parent holds fewer than ten; closing up to the system's limit can take 0.1 s
_RESERVE_BYTES = 4 * 1024**2  # given back when memory is out, so that the failure can be put into words


def run(descriptors: Descriptors, wanted: Layer, parent: int, scope: dict[str, object]) -> NoReturn:
    """What the fork becomes. `scope`: the namespace that the program is to be run in."""
    status = EXIT_FAILED
    try:
        status = _run(descriptors, wanted, parent, scope)
    except MemoryError:
        status = EXIT_OUT_OF_MEMORY
    finally:
        os._exit(status)  # nobody may return into the warm parent's loop


def _run(descriptors: Descriptors, wanted: Layer, parent: int, scope: dict[str, object]) -> int:
    control, inputs, outputs = descriptors
    readable = mmap.mmap(inputs, os.fstat(inputs).st_size, access=mmap.ACCESS_READ)
    writable = mmap.mmap(outputs, os.fstat(outputs).st_size)
    _stand_alone(control)
    held = lock(wanted, parent=parent, control=CONTROL)
    order, order_bytes = Order.decode(readable)  # not a byte of it is looked at before the lock
    teller = Teller(order, writable)
    teller.say(LOCKED_SEQUENCE, order.token, LOCKED, int(held))
    if order.kind == "probe":
        teller.say(READY_SEQUENCE, order.token, READY, probes.attempt(order.source))
        return 0
    server = Server(layout(order, order_bytes), readable, teller)
    if server.load(scope):
        while message := os.read(CONTROL, REQUEST.size):
            server.serve(message)
    return 0


def _stand_alone(control: int) -> None:
    """A session of its own, nothing open but the control socket."""
    os.setsid()
    os.dup2(control, CONTROL)
    os.closerange(CONTROL + 1, _DESCRIPTORS)
    sys.stdin = sys.stdout = sys.stderr = None  # a stray write would be fatal


class Teller:
    """The child's voice: answers over the socket, texts and values through the outputs."""

    def __init__(self, order: Order, outputs: mmap.mmap) -> None:
        self._outputs = outputs
        self.values = output_values(outputs, order.rows)

    def say(self, sequence: int, token: int, code: int, count: int = 0, text: bytes = b"") -> None:
        if text:
            self._outputs[: len(text)] = text
        os.write(CONTROL, ANSWER.pack(sequence, token, code, count, len(text)))

    def fail(self, sequence: int, token: int, failure: RewardFailure) -> None:
        message = str(failure).encode("utf-8", "replace")[:_MESSAGE_BYTES]
        # The end of a detail says most.
        detail = failure.detail.encode("utf-8", "replace")[-(TEXT_BYTES - _MESSAGE_BYTES - 1) :]
        code = CODES.get(failure.kind, CODES["exception"])
        self.say(sequence, token, code, 0, message + b"\0" + detail)


class Server:
    """One program, loaded and asked."""

    def __init__(self, where: Layout, inputs: mmap.mmap, teller: Teller) -> None:
        self._order = where.order
        self._columns = where.columns(inputs)
        self._teller = teller
        self._names: tuple[str, ...] = ()
        self._function: Function = lambda: None
        # Never touched, so it costs nothing but its place.
        self._reserve = mmap.mmap(-1, _RESERVE_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def load(self, scope: dict[str, object]) -> bool:
        """Compile and run the program's text; says whether that worked."""
        order = self._order
        try:
            exec(compile(compile_ready(order.source), FILENAME, "exec", dont_inherit=True), scope)
            self._function = _entry(scope, order.entry_point)
        except BaseException as error:  # noqa: BLE001 (the process's boundary: it goes to the parent as words)
            self._teller.fail(READY_SEQUENCE, order.token, self._explain(error))
            return False
        self._teller.say(READY_SEQUENCE, order.token, READY)
        return True

    def serve(self, message: bytes) -> None:
        """Answer one request."""
        sequence, token, rows = REQUEST.unpack(message)
        columns = self._columns
        if rows != self._order.rows:
            columns = [column[:rows] for column in columns]
        try:
            text, count = self._evaluate(columns, rows)
        except RewardFailure as failure:
            self._teller.fail(sequence, token, failure)
        except BaseException as error:  # noqa: BLE001 (the process's boundary)
            self._teller.fail(sequence, token, self._explain(error))
        else:
            self._teller.say(sequence, token, DONE, count, text)

    def _explain(self, error: BaseException) -> RewardFailure:
        if isinstance(error, MemoryError):
            self._reserve.close()
        return explain(error, self._order.source)

    def _evaluate(self, columns: list[Array], rows: int) -> tuple[bytes, int]:
        """The names as text where they are new, and how many terms there are."""
        result = self._function(*columns)
        values = self._teller.values
        if self._order.kind != "reward":
            answer.number(result, self._order.kind, values)
            return b"", 1
        names = answer.collect(result, self._names, rows, values)
        new, self._names = names != self._names, names
        return "\n".join(names).encode() if new else b"", len(names)


def _entry(scope: dict[str, object], name: str) -> Function:
    function = scope.get(name)
    if not callable(function):
        raise Refused([Problem(1, f"there is no function `{name}`")])
    return function
