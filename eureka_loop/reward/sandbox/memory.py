"""Memory shared between a process and the locked one: anonymous, of fixed size, one side may write.

A memfd where there is one, else a temporary file that is unlinked before anything is written to it. Seals
keep the size: a child that could shrink the file would kill the parent with SIGBUS.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

# fcntl's numbers: Python knows F_SEAL_FUTURE_WRITE from 3.13 on.
_F_ADD_SEALS = 1033
_F_SEAL_SEAL, _F_SEAL_SHRINK, _F_SEAL_GROW, _F_SEAL_FUTURE_WRITE = 0x1, 0x2, 0x4, 0x10
_FIXED_SIZE = _F_SEAL_SEAL | _F_SEAL_SHRINK | _F_SEAL_GROW


def shared(size: int, *, child_writes: bool) -> tuple[mmap.mmap, int]:
    """This process's writable map of `size` zero bytes, and a descriptor through which a child maps them.

    Without `child_writes` the child can map it for reading only, and its map can't be made writable later.
    The caller closes both.
    """
    share = _memfd if hasattr(os, "memfd_create") else _unlinked_file
    return share(size, child_writes)


def _memfd(size: int, child_writes: bool) -> tuple[mmap.mmap, int]:
    descriptor = os.memfd_create("eureka", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    memory = mmap.mmap(descriptor, size)
    if child_writes:
        _seal(descriptor, _FIXED_SIZE)
    elif not _seal(descriptor, _FIXED_SIZE | _F_SEAL_FUTURE_WRITE):  # Linux before 5.1
        _seal(descriptor, _FIXED_SIZE)
        readable = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(descriptor)
        descriptor = readable
    return memory, descriptor


def _seal(descriptor: int, seals: int) -> bool:
    import fcntl  # absent on Windows, where this module must still import

    try:
        fcntl.fcntl(descriptor, _F_ADD_SEALS, seals)
    except OSError:
        return False
    return True


def _unlinked_file(size: int, child_writes: bool) -> tuple[mmap.mmap, int]:
    descriptor, path = tempfile.mkstemp(prefix="eureka-")
    try:
        os.ftruncate(descriptor, size)
        memory = mmap.mmap(descriptor, size)
        if child_writes:
            return memory, descriptor
        readable = os.open(path, os.O_RDONLY)
        os.close(descriptor)
        return memory, readable
    finally:
        Path(path).unlink()
