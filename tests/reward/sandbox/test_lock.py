"""The lock as the kernel reports it, and its effect on a program that has left its namespace."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import MEMORY_BYTES, NOBODY
from tests.reward.sandbox.conftest import columns

PLAIN = "def compute_reward(x, v):\n    return {'a': x}\n"


@pytest.fixture
def locked(strict, start) -> Path:
    """/proc/PID of a waiting reward process."""
    return Path(f"/proc/{start(PLAIN).pid}")


def test_status(locked):
    status = dict(line.split(":\t", 1) for line in (locked / "status").read_text().splitlines())
    assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
    assert {status[f"Cap{kind}"] for kind in ("Prm", "Eff", "Inh", "Amb")} == {"0" * 16}
    if os.geteuid() == 0:
        assert set(status["Uid"].split() + status["Gid"].split()) == {str(NOBODY)}
        assert status["Groups"].split() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that isn't dumpable")
def test_no_descriptor_but_the_control_socket(locked):
    descriptors = list((locked / "fd").iterdir())
    assert [each.name for each in descriptors] == ["0"]
    assert str(descriptors[0].readlink()).startswith("socket:")


def test_not_dumpable_so_its_memory_belongs_to_root(locked):
    assert (locked / "mem").stat().st_uid == 0


def test_limits(locked):
    lines = (locked / "limits").read_text().splitlines()
    for limit in ("Max core file size", "Max file size", "Max open files", "Max processes"):
        line = next(line for line in lines if line.startswith(limit))
        assert line.removeprefix(limit).split()[:2] == ["0", "0"]
    limit = int(next(line for line in lines if "address" in line).split()[3])
    used = int((locked / "statm").read_text().split()[0]) * resource.getpagesize()
    assert 0 <= used + MEMORY_BYTES - limit < 64 * 1024**2


def test_no_memory_is_both_written_and_executed(locked):
    rights = [line.split()[1] for line in (locked / "maps").read_text().splitlines()]
    assert [each for each in rights if "w" in each and "x" in each] == []


def test_where_memory_runs_out_a_locked_process_ends_first(locked):
    assert (locked / "oom_score_adj").read_text() == "1000\n"


def test_no_secret_of_the_owners_environment_reaches_the_fork_server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with ForkServer() as fresh:
        assert fresh.held
        environment = Path(f"/proc/{fresh.pid}/environ").read_bytes()
        assert len(list(Path(f"/proc/{fresh.pid}/task").iterdir())) == 1
    assert b"sk-secret" not in environment
    assert {entry.split(b"=")[0] for entry in environment.split(b"\0") if entry} <= {
        *(b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS", b"MKL_NUM_THREADS"),
        *(b"PYTHONHASHSEED", b"LD_LIBRARY_PATH"),
    }


def test_a_locked_process_has_no_environment(strict, escaped):
    process = escaped("return {'a': x * 0 + len(os.environ) + bool(libc.getenv(b'OMP_NUM_THREADS'))}")
    assert process.evaluate(columns(4)).total.tolist() == [0.0] * 4


STEAL = 'tolerance.__globals__["__builtins__"]["__import__"]("os").open("/etc/passwd", 0)\n'


def test_the_lock_comes_before_the_first_line_of_the_program(strict, start):
    with pytest.raises(RewardFailure, match="PermissionError"):
        start(STEAL + PLAIN)


@pytest.mark.parametrize(
    "lines",
    [
        "os.open('/etc/passwd', 0)",
        "builtins['open']('/tmp/x', 'w')",
        "load('subprocess_that_was_never_imported')",
        "os.stat('/proc/self/environ')",
    ],
)
def test_files_are_refused_with_an_error(strict, escaped, lines):
    with pytest.raises(RewardFailure, match=r"PermissionError|ModuleNotFoundError") as caught:
        escaped(lines).evaluate(columns(4))
    assert caught.value.kind == "exception"
