"""Messages and shared memory of a reward process and its owner.

Control messages of fixed size go over a socket pair, one request and one answer at a time. A random token
comes back with the answer, so none can be given before its request. Arrays and texts lie in shared memory:
inputs (only the owner can write) and outputs (the child writes; the owner copies, then checks).
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.contract import MAX_TERMS
from eureka_loop.reward.sandbox.seccomp import LIBC, checked

REQUEST = struct.Struct("<QQ")  # token, rows
ANSWER = struct.Struct("<QIIQ")  # token, code, count, bytes of text
# Codes; `count` is the layers that hold, the errno of a probe, the number of terms.
LOCKED, READY, DONE, FAILED = 1, 2, 3, 4

SERVER_MESSAGE = struct.Struct("<Iq")  # owner and fork server: operation, argument or result
FORK, END = 1, 2  # END's result is the wait status, -1 where there is no such process

CLAIMS = frozenset(  # failures that a child reports itself; the owner finds the others
    "exception out_of_memory wrong_shape wrong_dtype wrong_terms mutated_input".split()
)
EXIT_FAILED, EXIT_OUT_OF_MEMORY = 70, 71  # exit statuses: no set-up; no memory to report the failure

TEXT_BYTES = 16384  # at the start of the outputs: term names, or a failure's kind, message, detail, by NUL

_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 64  # of the first column: a cache line, and any SIMD width


def random_token() -> int:
    """64 bits that can't be foreseen."""
    return secrets.randbits(64)


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Program and batch size of a child; travels as JSON at the start of the inputs, columns follow.

    Attributes:
        kind: a program's kind, or "probe": `source` then names an attempt of the self-test.
        shapes: parameter → shape of one row, in the program's order.
        rows: capacity.
        token: comes back with the two messages that are sent without a request.
    """

    kind: str
    source: str
    shapes: Mapping[str, Sequence[int]]
    rows: int
    token: int = field(default_factory=random_token)

    def encode(self) -> bytes:
        text = json.dumps(asdict(self)).encode()
        text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
        return _LENGTH.pack(len(text)) + text

    @staticmethod
    def decode(memory: mmap.mmap) -> LoadRequest:
        return LoadRequest(**json.loads(memory[_LENGTH.size : _start_of_columns(memory)]))

    def column_bytes(self) -> int:
        return 8 * self.rows * sum(map(math.prod, self.shapes.values()))

    def columns(self, memory: mmap.mmap) -> list[Array]:
        """Views (rows, *shape) of the inputs that begin with this request, in the program's order."""
        found, offset = [], _start_of_columns(memory)
        for shape in self.shapes.values():
            found.append(np.ndarray((self.rows, *shape), np.float64, memory, offset))
            offset += found[-1].nbytes
        return found


def _start_of_columns(memory: mmap.mmap) -> int:
    return _LENGTH.size + int(_LENGTH.unpack_from(memory)[0])


def output_bytes(rows: int) -> int:
    return TEXT_BYTES + MAX_TERMS * rows * 8


def output_values(memory: mmap.mmap, rows: int) -> Array:
    """View (MAX_TERMS, rows) of the outputs."""
    return np.ndarray((MAX_TERMS, rows), np.float64, memory, TEXT_BYTES)


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
    try:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _FIXED_SIZE | (0 if child_writes else _FUTURE_WRITE))
    except OSError:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _FIXED_SIZE)
        readable = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(descriptor)
        descriptor = readable
    return memory, descriptor
