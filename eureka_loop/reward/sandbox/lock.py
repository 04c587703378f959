"""A process locks itself, before it sees a line of generated code.

Runs in the forked child, single-threaded: a thread that existed before would escape Landlock.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from eureka_loop.reward.sandbox import landlock, seccomp
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.libc import LIBC, checked

MEMORY_BYTES = 512 * 1024**2  # what a program may take beyond the warm interpreter
NOBODY = 65534

_PR_SET_PDEATHSIG, _PR_GET_DUMPABLE, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 3, 4, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3, _CAP_KILL = 0x20080522, 5
_NOTHING = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_MEMLOCK")


def lock(wanted: Layer, *, parent: int, control: int) -> Layer:
    """Lock this process; only the descriptor `control` may be open. Returns the layers that took hold.

    Dies at once if `parent` is no longer its parent.
    """
    used = _address_space()
    # In this order: a change of identity clears the parent-death signal; Landlock needs no_new_privs and, for
    # a moment, a descriptor; after seccomp nothing of this is possible any more.
    steps: tuple[tuple[Layer, Callable[[], object]], ...] = (
        (Layer.IDENTITY, _drop_identity),
        (Layer.PRIVILEGES, lambda: _give_up_privileges(parent)),
        (Layer.LANDLOCK, landlock.restrict),
        (Layer.LIMITS, lambda: _limit(used)),
        (Layer.SECCOMP, lambda: seccomp.restrict(control)),
    )
    held = Layer(0)
    for layer, step in steps:
        if layer in wanted:
            with contextlib.suppress(OSError, ValueError):
                step()
                held |= layer
    return held


def rehearse(control: int) -> None:
    """What of `lock` can be done without locking anything, so that every child finds it done."""
    with contextlib.suppress(OSError):
        seccomp.assembled(control)
    landlock.abi()
    _address_space()
    if sys.platform == "linux":
        _prctl(_PR_GET_DUMPABLE, 0)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; exit now if that has happened already."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def may_end_another_identity() -> bool:
    """Whether this process could still kill a child that has become nobody: root may lack CAP_KILL."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return True
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_KILL & 1)


def _drop_identity() -> None:
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):  # a user namespace may forbid it; the two below still count
        os.setgroups([])
    if sys.platform == "linux":
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    else:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _drop_capabilities() -> None:
    number = _CAPSET.get(os.uname().machine)
    if number is not None:
        header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
        checked(LIBC.syscall(number, header, bytes(24)))


def _give_up_privileges(parent: int) -> None:
    die_with_parent(parent)
    if sys.platform != "linux":
        raise OSError("no such thing here")
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()  # where root stays root, as in some containers, it is still much less


def _limit(used: int | None) -> None:
    """No core dumps, files, descriptors or processes; at most MEMORY_BYTES more than the bytes `used`."""
    for name in _NOTHING:
        limit = getattr(resource, name, None)
        if limit is not None:
            resource.setrlimit(limit, (0, 0))
    if used is not None:
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    elif sys.platform == "linux":
        raise OSError(errno.ENOENT, "/proc/self/statm")


def _address_space() -> int | None:
    """Bytes of address space in use; None where the system doesn't say (macOS doesn't limit it either)."""
    try:
        descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return None
    try:
        return int(os.read(descriptor, 256).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)


def _prctl(option: int, value: int) -> None:
    checked(LIBC.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))))
