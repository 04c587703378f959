"""The lock of a process: identity, privileges, Landlock, limits, seccomp, before it reads generated code.

Runs in the forked child, single-threaded: a thread that existed before would escape Landlock.
"""

from __future__ import annotations

import contextlib
import ctypes
import enum
import errno
import os
import resource
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from eureka_loop.reward.sandbox import seccomp
from eureka_loop.reward.sandbox.seccomp import LIBC, checked

MEMORY_BYTES = 512 * 1024**2  # address space of a program beyond that of the fork server
NOBODY = 65534

Tier = Literal["strict", "reduced", "none"]


class Layer(enum.IntFlag):
    """A layer of the lock. A session of its own, closed descriptors, an empty environment come with any."""

    LIMITS = 1  # rlimits: address space, files, processes, core dumps
    PRIVILEGES = 2  # no_new_privs, no capabilities, not dumpable, dies with its parent
    IDENTITY = 4  # unprivileged user and group, if it was root
    LANDLOCK = 8  # files, TCP, signals, abstract sockets, as far as the kernel's ABI goes
    SECCOMP = 16  # system calls other than those of arithmetic


ALL_LAYERS = Layer(31)


def tier(held: Layer) -> Tier:
    """strict: all layers hold (without root there is no identity to drop); none: not even limits."""
    if held | Layer.IDENTITY == ALL_LAYERS:
        return "strict"
    return "reduced" if held & Layer.LIMITS else "none"


def layer_names(layers: Layer) -> list[str]:
    """Names for reports: ["limits", "privileges", ...]."""
    return [(each.name or "").lower() for each in Layer if each in layers]


def lock(wanted: Layer, *, parent: int, control: int) -> Layer:
    """Lock this process, in which only the descriptor `control` may be open; returns the layers that hold.

    Exits at once if `parent` is no longer its parent.
    """
    used = _address_space()
    # In this order: a change of identity clears the parent-death signal; Landlock needs no_new_privs and, for
    # a moment, a descriptor; after seccomp nothing of this is possible any more.
    steps: tuple[tuple[Layer, Callable[[], object]], ...] = (
        (Layer.IDENTITY, _drop_identity),
        (Layer.PRIVILEGES, lambda: _drop_privileges(parent)),
        (Layer.LANDLOCK, _restrict_by_landlock),
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


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; exit now if that has already happened."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def may_kill_other_users() -> bool:
    """Whether this process can kill a child of another user; root in a container may not."""
    if os.geteuid() != 0:
        return True
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next(line for line in lines if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_KILL & 1)


_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3, _CAP_KILL = 0x20080522, 5


def _drop_identity() -> None:
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):  # a user namespace may forbid it; the two below still count
        os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _drop_privileges(parent: int) -> None:
    die_with_parent(parent)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    number = _CAPSET.get(os.uname().machine)  # where root stays root, as in some containers, this is much
    if number is not None:
        checked(LIBC.syscall(number, struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), bytes(24)))


def _prctl(option: int, value: int) -> None:
    checked(LIBC.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))))


# Landlock (Linux 5.13; kernel documentation, userspace-api/landlock). The ruleset handles every right that
# the kernel's ABI has and holds no rule, so nothing is allowed. Older ABIs leave some to seccomp alone:
# truncation before 3, TCP before 4, device ioctls before 5, signals and abstract sockets before 6.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same on every architecture
_VERSION_FLAG = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI → number of rights on files, from bit 0 on
_TCP_SINCE, _SCOPES_SINCE = 4, 6  # two bits each: bind, connect; abstract Unix sockets, signals


def landlock_abi() -> int:
    """The kernel's Landlock ABI; 0 where there is none, or it is switched off."""
    return max(0, int(LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def _restrict_by_landlock() -> None:
    abi = landlock_abi()
    if abi == 0:
        raise OSError(errno.ENOSYS, "no Landlock")
    files = (1 << max(rights for since, rights in _FILE_RIGHTS.items() if since <= abi)) - 1
    rights = [files, *[0b11] * (abi >= _TCP_SINCE), *[0b11] * (abi >= _SCOPES_SINCE)]
    ruleset = struct.pack(f"<{len(rights)}Q", *rights)
    size = ctypes.c_size_t(len(ruleset))
    descriptor = checked(LIBC.syscall(_CREATE_RULESET, ruleset, size, ctypes.c_uint32(0)))
    try:
        checked(LIBC.syscall(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0)))
    finally:
        os.close(descriptor)


def _limit(used: int) -> None:
    """No core dumps, files, descriptors or processes; at most MEMORY_BYTES more than the bytes `used`."""
    for name in ("CORE", "FSIZE", "NOFILE", "NPROC", "MEMLOCK"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))


def _address_space() -> int:
    """Bytes of address space in use."""
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
