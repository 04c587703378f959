"""What both ends of a reward process agree on: messages of fixed size, codes, and the shared memory's layout.

Control runs over a socket pair, one request and one answer at a time. Both carry a sequence number and a
random token that must come back, so an answer can't be given before it is asked for. Arrays and texts lie in
shared memory: inputs (the parent writes, the child can't), outputs (the child writes, the parent copies, then
checks).
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.results import FailureKind
from eureka_loop.reward.contract import MAX_TERMS

REQUEST = struct.Struct("<QQQ")  # sequence, token, rows
ANSWER = struct.Struct("<QQIIQ")  # sequence, token, code, count, bytes of text

WARM_MESSAGE = struct.Struct("<Iq")  # owner and warm parent: operation, argument or result
WARM, FORK, END = 1, 2, 3  # END's result is the wait status, -1 where there is no such process

LOCKED, READY, DONE = 1, 2, 3  # codes; `count` is the layers that hold, nothing, the number of terms
FAILURES: dict[int, FailureKind] = {  # what a child may say of itself; the parent finds out the others
    16: "exception",
    17: "out_of_memory",
    18: "not_finite",
    19: "out_of_range",
    20: "wrong_shape",
    21: "wrong_dtype",
    22: "wrong_terms",
    23: "mutated_input",
}
CODES: dict[str, int] = {kind: code for code, kind in FAILURES.items()}

EXIT_FAILED, EXIT_OUT_OF_MEMORY = (
    70,
    71,
)  # exit statuses: it couldn't be set up, or find words for its failure

LOCKED_SEQUENCE, READY_SEQUENCE = 0, 1  # unasked; requests count on from 2

TEXT_BYTES = 16384  # at the start of the outputs: term names, or an error's message, NUL, its detail

_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 64  # a cache line, and any SIMD width


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to run. It travels as JSON at the start of the inputs.

    Attributes:
        kind: a program's kind, or "probe": `source` then names one of the witness's attempts.
        shapes: parameter → shape of one row, in the order in which the program takes them.
        rows: capacity.
        token: comes back with the two unasked messages.
        seconds: the deadline of one request.
    """

    kind: str
    entry_point: str
    source: str
    shapes: Mapping[str, tuple[int, ...]]
    rows: int
    token: int
    seconds: float

    def encode(self) -> bytes:
        text = json.dumps(asdict(self)).encode()
        return _LENGTH.pack(len(text)) + text

    @staticmethod
    def decode(memory: mmap.mmap) -> tuple[Order, int]:
        """The order, and how many bytes it takes."""
        end = _LENGTH.size + _LENGTH.unpack_from(memory)[0]
        fields = json.loads(memory[_LENGTH.size : end])
        fields["shapes"] = {name: tuple(shape) for name, shape in fields["shapes"].items()}
        return Order(**fields), end


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns lie in the inputs: after the order, float64 in C order, then the episode starts."""

    order: Order
    start: int

    @property
    def size(self) -> int:
        return self.starts_offset + self.order.rows

    @property
    def starts_offset(self) -> int:
        return self.start + sum(self._bytes(shape) for shape in self.order.shapes.values())

    def columns(self, memory: mmap.mmap) -> list[Array]:
        """Views (rows, *shape), in the order of the parameters."""
        views, offset = [], self.start
        for shape in self.order.shapes.values():
            full = (self.order.rows, *shape)
            views.append(np.ndarray(full, np.float64, memory, offset))
            offset += self._bytes(shape)
        return views

    def starts(self, memory: mmap.mmap) -> npt.NDArray[np.bool_]:
        """View (rows,): whether a row is the first of its episode."""
        return np.ndarray(self.order.rows, np.bool_, memory, self.starts_offset)

    def _bytes(self, shape: tuple[int, ...]) -> int:
        return _aligned(self.order.rows * math.prod(shape) * 8)


def layout(order: Order, order_bytes: int) -> Layout:
    return Layout(order, _aligned(order_bytes))


def output_size(rows: int) -> int:
    return TEXT_BYTES + MAX_TERMS * rows * 8


def output_values(memory: mmap.mmap, rows: int) -> Array:
    """View (MAX_TERMS, rows) of the outputs."""
    return np.ndarray((MAX_TERMS, rows), np.float64, memory, TEXT_BYTES)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
