"""seccomp: an allow-list of the system calls that arithmetic in a running interpreter needs.

The filter is assembled here (classic BPF over `struct seccomp_data`; kernel documentation,
userspace-api/seccomp_filter). Any other call kills the process. File look-ups fail with an errno instead, so
that a library that tries to import something raises an ImportError with a line number.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import NamedTuple

LIBC = ctypes.CDLL(None, use_errno=True)

ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000

# Name → numbers on x86-64 and aarch64 (asm/unistd_64.h, asm-generic/unistd.h); None: no such call there.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "munmap": (11, 215),
    "mremap": (25, 216),
    "brk": (12, 214),
    "sched_yield": (24, 124),
    "getrandom": (318, 278),
    "restart_syscall": (219, 128),  # after SIGSTOP and SIGCONT
    "rt_sigreturn": (15, 139),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_REFUSED: dict[str, tuple[int | None, int | None]] = {  # calls of a failing import
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "lseek": (8, 62),
    "ioctl": (16, 29),
    "close": (3, 57),
}
_READ, _WRITE, _MMAP, _MPROTECT = (0, 63), (1, 64), (9, 222), (10, 226)
_FUTEX, _CLOCK_GETTIME, _MADVISE = (202, 98), (228, 113), (28, 233)

_WAIT_OR_WAKE = 0x181  # futex operations 0 and 1, private or not, by either clock; others lend priorities
_CLOCKS = 16  # clocks from here on, negative ones included, belong to other processes or devices
_ADVICE = (4, 8, 14)  # DONTNEED, FREE, HUGEPAGE, for allocators; MERGEABLE would reveal others' memory
_PROT_EXEC, _MAP_ANONYMOUS = 4, 0x20
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data; eight bytes an argument, little-endian.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000  # x86-64's second system call table
_SET_MODE_FILTER, _TSYNC = 1, 1


class Machine(NamedTuple):
    """An architecture: column of the tables above, audit number, number of the seccomp call."""

    column: int
    audit: int
    seccomp: int


MACHINES = {"x86_64": Machine(0, 0xC000003E, 317), "aarch64": Machine(1, 0xC00000B7, 277)}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def checked(result: int) -> int:
    """The result of a C call.

    Raises:
        OSError: it was negative, so the call failed.
    """
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def rules(target: Machine, control: int) -> list[Instruction]:
    """The filter; `control` is the only descriptor that may be read and written."""
    column = target.column
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, target.audit),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),  # neither architecture has another number that large
        (_RETURN, 0, 0, KILL_PROCESS),
    ]
    allow = (_RETURN, 0, 0, ALLOW)
    for call in (_READ, _WRITE):
        program += _if_argument(call[column], 0, [(_EQUAL, 0, 1, control), allow])
    program += _if_argument(_MPROTECT[column], 2, [(_ANY_BIT, 1, 0, _PROT_EXEC), allow])
    anonymous = [(_LOAD, 0, 0, _ARGUMENTS + 8 * 3), (_ANY_BIT, 0, 1, _MAP_ANONYMOUS), allow]
    program += _if_argument(_MMAP[column], 2, [(_ANY_BIT, 3, 0, _PROT_EXEC), *anonymous])
    # A single thread never waits for another. The vDSO answers for the clocks, except where the clock source
    # needs the kernel.
    program += _if_argument(_FUTEX[column], 1, [(_ANY_BIT, 1, 0, ~_WAIT_OR_WAKE & 0xFFFFFFFF), allow])
    program += _if_argument(_CLOCK_GETTIME[column], 0, [(_AT_LEAST, 1, 0, _CLOCKS), allow])
    advice = [step for each in _ADVICE for step in ((_EQUAL, 0, 1, each), allow)]
    program += _if_argument(_MADVISE[column], 2, advice)
    for table, action in ((_ALLOWED, ALLOW), (_REFUSED, ERRNO | errno.EACCES)):
        for numbers in table.values():
            if (number := numbers[column]) is not None:
                program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, action)]
    return [*program, (_RETURN, 0, 0, KILL_PROCESS)]


def _if_argument(number: int, argument: int, test: list[Instruction]) -> list[Instruction]:
    """On this call, test the low half of an argument; a test that falls through kills.

    The kernel itself reads no more than that of a descriptor, `prot`, `flags`, an operation or a clock.
    """
    body = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *test, (_RETURN, 0, 0, KILL_PROCESS)]
    return [(_EQUAL, 0, len(body), number), *body]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict(control: int) -> None:
    """Install the filter in every thread of this process, irrevocably. Needs no_new_privs.

    Raises:
        OSError: the kernel or the architecture has no such filter.
    """
    here = MACHINES.get(platform.machine())
    if here is None or sys.maxsize < 2**32:  # a 32-bit interpreter
        raise OSError(errno.ENOSYS, f"no system call filter for {platform.machine()}")
    steps = rules(here, control)
    program = _Program(len(steps), b"".join(struct.pack("<HBBI", *each) for each in steps))
    if LIBC.syscall(here.seccomp, _SET_MODE_FILTER, _TSYNC, ctypes.byref(program)) != 0:
        raise OSError(ctypes.get_errno() or errno.EBUSY, "seccomp")
