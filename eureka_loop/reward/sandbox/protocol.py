"""Messages and shared memory of a reward process and its owner.

Control messages of fixed size go over a socket pair, one request and one answer at a time. Each carries a
sequence number and a random token that must come back, so an answer can't be given before its request. Arrays
and texts lie in shared memory: inputs (only the owner can write) and outputs (the child writes; the owner
copies, then checks).
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from eureka_loop.records import Array
from eureka_loop.results import FailureKind
from eureka_loop.reward.contract import MAX_TERMS
from eureka_loop.reward.sandbox.seccomp import LIBC, checked

REQUEST = struct.Struct("<QQQ")  # sequence, token, rows
ANSWER = struct.Struct("<QQIIQ")  # sequence, token, code, count, bytes of text

SERVER_MESSAGE = struct.Struct("<Iq")  # owner and fork server: operation, argument or result
WARM, FORK, END = 1, 2, 3  # END's result is the wait status, -1 where there is no such process

LOCKED, READY, DONE = 1, 2, 3  # codes; `count`: layers that hold, errno of a probe, number of terms
FAILURES: dict[int, FailureKind] = {  # failures that a child reports itself; the owner finds the others
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
EXIT_FAILED, EXIT_OUT_OF_MEMORY = 70, 71  # exit statuses: no set-up; no memory to report the failure

LOCKED_SEQUENCE, READY_SEQUENCE = 0, 1  # sent without a request; requests count on from 2

TEXT_BYTES = 16384  # at the start of the outputs: term names, or an error's message, NUL, its detail

_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 64  # a cache line, and any SIMD width


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Program and batch size of a child; travels as JSON at the start of the inputs, columns follow.

    Attributes:
        kind: a program's kind, or "probe": `source` then names an attempt of the self-test.
        shapes: parameter → shape of one row, in the program's order.
        rows: capacity.
        token: comes back with the two messages that are sent without a request.
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
    def decode(memory: mmap.mmap) -> tuple[LoadRequest, int]:
        """The request, and its length in bytes."""
        end = _LENGTH.size + _LENGTH.unpack_from(memory)[0]
        fields = json.loads(memory[_LENGTH.size : end])
        fields["shapes"] = {name: tuple(shape) for name, shape in fields["shapes"].items()}
        return LoadRequest(**fields), end

    def input_bytes(self, encoded: int) -> int:
        """Size of the inputs, where the encoded request takes so many bytes."""
        return _aligned(encoded) + sum(self._column_bytes(shape) for shape in self.shapes.values())

    def columns(self, memory: mmap.mmap, encoded: int) -> list[Array]:
        """Views (rows, *shape) of the inputs, in the program's order."""
        views, offset = [], _aligned(encoded)
        for shape in self.shapes.values():
            views.append(np.ndarray((self.rows, *shape), np.float64, memory, offset))
            offset += self._column_bytes(shape)
        return views

    def _column_bytes(self, shape: tuple[int, ...]) -> int:
        return _aligned(self.rows * math.prod(shape) * 8)


def output_bytes(rows: int) -> int:
    return TEXT_BYTES + MAX_TERMS * rows * 8


def output_values(memory: mmap.mmap, rows: int) -> Array:
    """View (MAX_TERMS, rows) of the outputs."""
    return np.ndarray((MAX_TERMS, rows), np.float64, memory, TEXT_BYTES)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


_MFD_CLOEXEC, _MFD_ALLOW_SEALING = 1, 2
_F_ADD_SEALS = 1033
_FIXED_SIZE = 0x1 | 0x2 | 0x4  # seal, shrink, grow: shrinking would kill the owner with SIGBUS
_FUTURE_WRITE = 0x10  # Linux 5.1


def shared_memory(size: int, *, child_writes: bool) -> tuple[mmap.mmap, int]:
    """A writable map of `size` zero bytes, and a descriptor from which a child maps the same; close both.

    Without `child_writes` the child can map it only for reading, and can't make its map writable later.
    """
    # By way of the C library: Pythons built for old systems have no `os.memfd_create`.
    descriptor = checked(LIBC.memfd_create(b"eureka", _MFD_CLOEXEC | _MFD_ALLOW_SEALING))
    os.ftruncate(descriptor, size)
    memory = mmap.mmap(descriptor, size)
    if child_writes:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _FIXED_SIZE)
        return memory, descriptor
    try:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _FIXED_SIZE | _FUTURE_WRITE)
    except OSError:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _FIXED_SIZE)
        readable = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(descriptor)
        descriptor = readable
    return memory, descriptor
