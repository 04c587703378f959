"""Past the gate and out of the namespace: the operating system still holds it. One attack a test.

Much more of this is in the attack suite; here each way out is walked once.
"""

from __future__ import annotations

import sys

import pytest

from eureka_loop.errors import RewardFailure

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's locks")


@pytest.fixture(autouse=True)
def _only_where_it_is_strict(strict):
    pass


def outcome(process, columns) -> RewardFailure:
    with pytest.raises(RewardFailure) as caught:
        process.evaluate(columns(4))
    return caught.value


@pytest.mark.parametrize(
    "lines",
    [
        "os.open('/etc/passwd', 0)",
        "os.listdir('/')",
        "builtins['open']('/tmp/x', 'w')",
        "load('subprocess_that_was_never_imported')",
        "os.stat('/proc/self/environ')",
    ],
)
def test_files_are_refused_with_an_error_it_lives_to_see(escaped, columns, lines):
    failure = outcome(escaped(lines), columns)
    assert failure.kind == "exception"
    assert "PermissionError" in str(failure) or "ModuleNotFoundError" in str(failure)


@pytest.mark.parametrize(
    "lines",
    [
        "load('socket').socket()",
        "os.fork()",
        "os.execv('/bin/sh', ['sh'])",
        "os.kill(os.getppid(), 9)",
        "libc.kill(-1, 9)",
        "os.setuid(0)",
        "os.pipe()",
        "os.dup(0)",
        "libc.ptrace(0, 0, 0, 0)",
        "load('threading').Thread(target=int).start()",
        "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_EXEC)",
        "mmap.mmap(0, 4096)",
        "os.write(1, b'x')",
        "os.read(1, 1)",
        "libc.syscall(425, 1, 0)",
        "libc.syscall(0x40000000 + 39)",
        "load('signal').signal(15, 1)",
        "load('time').sleep(9)",
        "load('resource').setrlimit(7, (64, 64))",
        "libc.prctl(4, 1, 0, 0, 0)",
        "os.abort()",
        "libc.clock_gettime(ctypes.c_int((~os.getppid() << 3) | 2), ctypes.create_string_buffer(16))",
        "libc.syscall(202, ctypes.create_string_buffer(4), 6, 0, None)",
    ],
)
def test_a_call_that_arithmetic_does_not_need_is_death(escaped, columns, lines):
    failure = outcome(escaped(lines), columns)
    assert failure.kind == "killed"
    assert "SIGSYS" in str(failure)


def test_the_inputs_can_not_be_written_through_a_pointer(escaped, columns):
    failure = outcome(escaped("ctypes.memset(x.ctypes.data, 1, 8)\nreturn {'a': x}"), columns)
    assert failure.kind == "killed"
    assert "SIGSEGV" in str(failure)


def test_the_inputs_can_not_be_made_writable(escaped, columns):
    lines = """
    page = x.ctypes.data & ~4095
    result = libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), 3)
    return {'result': x * 0 + result}
    """
    assert escaped(lines).evaluate(columns(4)).total[0] == -1.0


def test_an_import_statement_brings_nothing(start, columns):
    source = "import os, sys\ndef compute_reward(x, v):\n    return {'a': x + (os is sys)}\n"
    given = columns(4)
    assert (start(source).evaluate(given).total == given["x"] + 1).all()  # both are None


def test_one_attack_leaves_the_neighbours_alone(escaped, start, columns):
    neighbour = start("def compute_reward(x, v):\n    return {'a': x}")
    outcome(escaped("libc.kill(-1, 9)"), columns)
    assert neighbour.evaluate(columns(4)).total.shape == (4,)
