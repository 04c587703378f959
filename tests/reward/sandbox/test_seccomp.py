"""The filter's own rules, run by a small interpreter of classic BPF: both architectures, on any machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eureka_loop.reward.sandbox import probes
from eureka_loop.reward.sandbox.seccomp import ALLOW, ERRNO, KILL_PROCESS, MACHINES, rules

CONTROL = 0
NUMBERS = {  # x86-64, aarch64
    "read": (0, 63), "write": (1, 64), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215),
    "madvise": (28, 233), "futex": (202, 98), "clock_gettime": (228, 113), "openat": (257, 56),
    "execve": (59, 221), "clone": (56, 220), "clone3": (435, 435), "socket": (41, 198),
    "ptrace": (101, 117), "kill": (62, 129), "io_uring_setup": (425, 425), "prctl": (157, 167),
    "prlimit64": (302, 261), "seccomp": (317, 277), "pkey_mprotect": (329, 288), "nanosleep": (35, 101),
}  # fmt: skip


def verdict(machine: str, name: str, *arguments: int, audit: int | None = None) -> int:
    """The value that the filter returns for a call, without an errno's number."""
    target = MACHINES[machine]
    number = NUMBERS[name][target.column] if name in NUMBERS else int(name)
    data = {0: number, 4: target.audit if audit is None else audit}
    data |= {16 + 8 * index: value & 0xFFFFFFFF for index, value in enumerate(arguments)}
    program, at, accumulator = rules(target, CONTROL), 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x20:
            accumulator = data.get(operand, 0)
        elif code == 0x06:
            return operand & 0xFFFF0000
        else:
            holds = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }
            at += if_true if holds[code] else if_false


both = pytest.mark.parametrize("machine", sorted(MACHINES))
ANONYMOUS = (-1, 0)


@both
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read", (CONTROL,)),
        ("write", (CONTROL,)),
        ("mmap", (0, 4096, 3, 0x22, *ANONYMOUS)),
        ("mprotect", (0, 4096, 3)),
        *(("futex", (4096, operation)) for operation in (0, 1, 0x80, 0x81, 0x101)),  # wait and wake
        *(("clock_gettime", (clock,)) for clock in range(12)),
        *(("madvise", (0, 4096, advice)) for advice in (4, 8, 14)),
    ],
)
def test_calls_of_arithmetic_are_allowed(machine, name, arguments):
    assert verdict(machine, name, *arguments) == ALLOW


@both
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, (descriptor,)) for name in ("read", "write") for descriptor in (1, 2, 3, 99)),
        ("mmap", (0, 4096, 5, 0x22, *ANONYMOUS)),  # executable
        ("mmap", (0, 4096, 1, 0x02, 5, 0)),  # a file
        ("mprotect", (0, 4096, 7)),
        # Move a lock, lend priority to its owner.
        *(("futex", (4096, each)) for each in (2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 0x86, 0x200, 0xFFFFFFFF)),
        *(("clock_gettime", ((~pid << 3) | 2,)) for pid in (1, 4242)),  # clocks of other processes
        *(("madvise", (0, 4096, advice)) for advice in (0, 9, 12, 21, 100)),  # 12 merges with others' memory
        *((name, ()) for name in ("execve", "clone", "clone3", "socket", "ptrace", "kill", "io_uring_setup")),
        *((name, ()) for name in ("prctl", "prlimit64", "seccomp", "pkey_mprotect", "nanosleep")),
        *((str(number), ()) for number in (600, 1023, 0x40000000, 0x40000001, 0xFFFFFFFF)),
    ],
)
def test_other_calls_kill(machine, name, arguments):
    assert verdict(machine, name, *arguments) == KILL_PROCESS


@both
def test_file_lookups_fail_and_another_architectures_calls_kill(machine):
    assert verdict(machine, "openat", 0, 0) == ERRNO
    assert verdict(machine, "munmap", audit=0x40000003) == KILL_PROCESS


# Calls that the filter allows or answers, by name, so that their numbers are checked as well.
WITH_ARGUMENTS = {"read", "write", "mmap", "mprotect", "madvise", "futex", "clock_gettime"}
ANSWERED = {
    *("munmap", "mremap", "brk", "sched_yield", "getrandom", "restart_syscall"),
    *("rt_sigreturn", "exit", "exit_group"),
    *("open", "openat", "openat2", "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat"),
    *("faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "lseek", "ioctl", "close"),
}
ONLY_X86 = {"open", "stat", "lstat", "access", "readlink"}


@both
def test_no_other_number_is_answered(machine):
    """Every number there could be, by each of its arguments: only these calls do anything but kill."""
    names = {number: name for name, number in numbers(machine).items()}
    passed = {
        names.get(number, str(number))
        for number in range(2048)
        for argument in (0, 1, 4)
        if verdict(machine, str(number), argument, argument, argument, 0x22) != KILL_PROCESS
    }
    assert passed == (WITH_ARGUMENTS | ANSWERED) - (ONLY_X86 if machine == "aarch64" else set())


@both
def test_the_self_test_makes_the_calls_that_it_names(machine):
    known = numbers(machine)
    column = MACHINES[machine].column
    for name in ("bpf", "keyctl", "perf_event_open", "userfaultfd", "io_uring_setup", "pidfd_open"):
        assert known[name] == getattr(probes, f"_{name.upper()}")[column], name
    assert known["seccomp"] == MACHINES[machine].seccomp


_HEADERS = {
    "x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h",),
}
_OTHER_NAMES = {"fstatat": "newfstatat"}  # of asm-generic, for 64 bits


def numbers(machine: str) -> dict[str, int]:
    """System calls by name, from the kernel's own headers."""
    for name in _HEADERS[machine]:
        path = Path("/usr/include", name)
        if path.exists():
            defined = re.findall(r"#define __NR(3264)?_(\w+)\s+(\d+)\n", path.read_text())
            return {
                _OTHER_NAMES.get(call, call) if wide else call: int(number) for wide, call, number in defined
            }
    pytest.skip("the kernel's headers (linux-libc-dev) are not here")
