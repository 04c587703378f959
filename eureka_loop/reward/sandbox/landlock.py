"""Landlock: a process gives up files, TCP, signals and abstract sockets for good (Linux 5.13 and later).

Nothing is allowed: the ruleset handles every right that the kernel's ABI knows, and holds no rule. What an
older ABI doesn't know stays with seccomp alone: truncation before 3, TCP before 4, device ioctls before 5,
signals and abstract sockets before 6 (kernel documentation, userspace-api/landlock).
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from eureka_loop.reward.sandbox.libc import LIBC, checked

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same on every architecture
_VERSION_FLAG = 1

_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI → how many rights on files it knows, from bit 0 on
_TCP_SINCE, _TCP_RIGHTS = 4, 0b11  # bind, connect
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract Unix sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def abi() -> int:
    """The kernel's Landlock ABI; 0 where there is none, or it is switched off."""
    if sys.platform != "linux":
        return 0  # these numbers would be other calls
    return max(0, int(LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def restrict() -> int:
    """Deny this thread, and all that comes of it, everything that Landlock knows. Returns the ABI.

    Needs no_new_privs.

    Raises:
        OSError: this kernel has no Landlock.
    """
    version = abi()
    if version == 0:
        raise OSError(errno.ENOSYS, "no Landlock")
    ruleset = _Ruleset(files=(1 << max((n for v, n in _FILE_RIGHTS.items() if v <= version), default=0)) - 1)
    size = 8
    if version >= _TCP_SINCE:
        ruleset.tcp, size = _TCP_RIGHTS, 16
    if version >= _SCOPES_SINCE:
        ruleset.scopes, size = _SCOPES, 24
    descriptor = checked(
        LIBC.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    )
    try:
        checked(LIBC.syscall(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0)))
    finally:
        os.close(descriptor)
    return version
