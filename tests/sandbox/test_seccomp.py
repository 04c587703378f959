"""The filter's own rules, run by a small interpreter of classic BPF: both architectures, on any machine."""

from __future__ import annotations

import pytest

from eureka_loop.sandbox.seccomp import ALLOW, ERRNO, KILL_PROCESS, MACHINES, rules

CONTROL = 0
NUMBERS = {  # x86-64, aarch64
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "futex": (202, 98),
    "clock_gettime": (228, 113),
    "openat": (257, 56),
    "execve": (59, 221),
    "clone": (56, 220),
    "clone3": (435, 435),
    "socket": (41, 198),
    "ptrace": (101, 117),
    "kill": (62, 129),
    "io_uring_setup": (425, 425),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "seccomp": (317, 277),
    "pkey_mprotect": (329, 288),
    "nanosleep": (35, 101),
}


def verdict(machine: str, name: str, *arguments: int, audit: int | None = None) -> int:
    """What the filter returns for a call, without an errno's number."""
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


@both
def test_the_control_socket_may_be_read_and_written(machine):
    assert verdict(machine, "read", CONTROL) == verdict(machine, "write", CONTROL) == ALLOW


@both
@pytest.mark.parametrize("name", ["read", "write"])
def test_no_other_descriptor_may(machine, name):
    assert {verdict(machine, name, descriptor) for descriptor in (1, 2, 3, 99)} == {KILL_PROCESS}


@both
def test_memory_may_be_mapped_anonymously(machine):
    assert verdict(machine, "mmap", 0, 4096, 3, 0x22, -1, 0) == ALLOW


@both
def test_memory_may_not_be_mapped_executable(machine):
    assert verdict(machine, "mmap", 0, 4096, 5, 0x22, -1, 0) == KILL_PROCESS


@both
def test_files_may_not_be_mapped(machine):
    assert verdict(machine, "mmap", 0, 4096, 1, 0x02, 5, 0) == KILL_PROCESS


@both
def test_memory_may_be_protected_but_not_made_executable(machine):
    assert verdict(machine, "mprotect", 0, 4096, 3) == ALLOW
    assert verdict(machine, "mprotect", 0, 4096, 7) == KILL_PROCESS


@both
@pytest.mark.parametrize("operation", [0, 1, 0x80, 0x81, 0x101])
def test_a_lock_may_be_waited_for_and_given_back(machine, operation):
    assert verdict(machine, "futex", 4096, operation) == ALLOW


@both
@pytest.mark.parametrize("operation", [2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 0x86, 0x200, 0xFFFFFFFF])
def test_a_lock_may_not_be_moved_nor_priority_lent_to_its_owner(machine, operation):
    assert verdict(machine, "futex", 4096, operation) == KILL_PROCESS


@both
def test_its_own_clocks_may_be_read(machine):
    assert {verdict(machine, "clock_gettime", clock) for clock in range(12)} == {ALLOW}


@both
@pytest.mark.parametrize("pid", [1, 4242])
def test_the_clocks_of_other_processes_may_not_be_read(machine, pid):
    assert verdict(machine, "clock_gettime", (~pid << 3) | 2) == KILL_PROCESS


@both
def test_looking_up_a_file_is_an_errno(machine):
    assert verdict(machine, "openat", 0, 0) == ERRNO


@both
@pytest.mark.parametrize(
    "name",
    [
        *("execve", "clone", "clone3", "socket", "ptrace", "kill", "io_uring_setup"),
        *("prctl", "prlimit64", "seccomp", "pkey_mprotect", "nanosleep"),
    ],
)
def test_everything_else_kills(machine, name):
    assert verdict(machine, name) == KILL_PROCESS


@both
def test_a_number_nobody_knows_kills(machine):
    assert {verdict(machine, str(number)) for number in (600, 1023, 0x40000000, 0x40000001, 0xFFFFFFFF)} == {
        KILL_PROCESS
    }


@both
def test_another_architectures_calls_kill(machine):
    assert verdict(machine, "munmap", audit=0x40000003) == KILL_PROCESS


@both
def test_jumps_stay_inside_the_program(machine):
    program = rules(MACHINES[machine], CONTROL)
    for at, (code, if_true, if_false, _) in enumerate(program):
        assert code in (0x20, 0x06) or at + 1 + max(if_true, if_false) < len(program)
    assert program[-1] == (0x06, 0, 0, KILL_PROCESS)
