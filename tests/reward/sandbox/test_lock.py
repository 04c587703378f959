"""The locks are really on, as the kernel sees the process, each by itself."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer, names, tier
from eureka_loop.reward.sandbox.lock import MEMORY_BYTES, NOBODY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

IDENTITY = "def compute_reward(x, v):\n    return {'a': x}\n"


@pytest.fixture
def status(strict, start) -> dict[str, str]:
    """/proc/PID/status of a waiting reward process."""
    lines = Path(f"/proc/{start(IDENTITY).pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def test_no_new_privileges(status):
    assert status["NoNewPrivs"] == "1"


def test_a_seccomp_filter(status):
    assert status["Seccomp"] == "2"


def test_one_thread(status):
    assert status["Threads"] == "1"


def test_no_capabilities(status):
    assert {status[f"Cap{kind}"] for kind in ("Prm", "Eff", "Inh", "Amb")} == {"0" * 16}


@pytest.mark.skipif(os.geteuid() != 0, reason="nothing to drop: not root")
def test_nobodys_identity(status):
    assert set(status["Uid"].split()) == {str(NOBODY)}
    assert set(status["Gid"].split()) == {str(NOBODY)}
    assert status["Groups"].split() == []


def test_a_session_and_process_group_of_its_own(strict, start):
    process = start(IDENTITY)
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that isn't dumpable")
def test_no_descriptor_but_the_control_socket(strict, start):
    process = start(IDENTITY)
    descriptors = list(Path(f"/proc/{process.pid}/fd").iterdir())
    assert [each.name for each in descriptors] == ["0"]
    assert str(descriptors[0].readlink()).startswith("socket:")


def test_not_dumpable_so_its_memory_belongs_to_root(strict, start):
    assert Path(f"/proc/{start(IDENTITY).pid}/mem").stat().st_uid == 0


@pytest.mark.parametrize("limit", ["Max core file size", "Max file size", "Max open files", "Max processes"])
def test_a_limit_of_nothing(strict, start, limit):
    limits = Path(f"/proc/{start(IDENTITY).pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith(limit))
    assert line.removeprefix(limit).split()[:2] == ["0", "0"]


def test_address_space_is_limited_to_what_was_there_and_the_allowance(strict, start):
    pid = start(IDENTITY).pid
    line = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "address" in line)
    limit = int(line.split()[3])
    used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    assert 0 <= used + MEMORY_BYTES - limit < 64 * 1024**2


def test_no_secret_of_the_owners_environment_reaches_the_warm_parent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with ForkServer() as fresh:
        assert fresh.tier
        environment = Path(f"/proc/{fresh.pid}/environ").read_bytes()
    assert b"sk-secret" not in environment
    assert {entry.split(b"=")[0] for entry in environment.split(b"\0") if entry} <= {
        *(b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS", b"MKL_NUM_THREADS", b"VECLIB_MAXIMUM_THREADS"),
        *(b"PYTHONHASHSEED", b"LD_LIBRARY_PATH"),
    }


def test_a_locked_process_has_no_environment(strict, escaped, columns):
    assert (
        escaped("return {'a': x * 0 + len(os.environ) + bool(libc.getenv(b'OMP_NUM_THREADS'))}")
        .evaluate(columns(4))
        .total.tolist()
        == [0.0] * 4
    )


def test_no_memory_is_both_written_and_executed(strict, start):
    maps = Path(f"/proc/{start(IDENTITY).pid}/maps").read_text().splitlines()
    assert [line for line in maps if "w" in line.split()[1] and "x" in line.split()[1]] == []


def test_where_memory_runs_out_a_locked_process_goes_first(strict, start):
    assert Path(f"/proc/{start(IDENTITY).pid}/oom_score_adj").read_text() == "1000\n"


def test_the_filter_is_assembled_once_for_all():
    from eureka_loop.reward.sandbox import seccomp

    if seccomp.machine() is None:
        pytest.skip("no filter for this machine")
    assert seccomp.assembled(0) is seccomp.assembled(0)


def test_the_warm_parent_has_one_thread(fork_server):
    assert fork_server.tier
    assert len(list(Path(f"/proc/{fork_server.pid}/task").iterdir())) == 1


def test_the_lock_comes_before_the_first_line_of_the_program(strict, start):
    steal = """
load = tolerance.__globals__["__builtins__"]["__import__"]
load("os").open("/etc/passwd", 0)
"""
    with pytest.raises(RewardFailure, match="PermissionError"):
        start(steal + IDENTITY)


def test_the_lock_comes_before_the_source_is_parsed(strict, start):
    bomb = "(" * 90 + "-" * 9000 + "1" + ")" * 90  # breaks parsers: what it breaks is locked by then
    with pytest.raises(RewardFailure):
        start(f"def compute_reward(x, v):\n    return {{'a': {bomb}}}\n")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (ALL_LAYERS, "strict"),
        (ALL_LAYERS & ~Layer.IDENTITY, "strict"),
        (ALL_LAYERS & ~Layer.LANDLOCK, "no-landlock"),
        (ALL_LAYERS & ~Layer.SECCOMP, "reduced"),
        (ALL_LAYERS & ~Layer.PRIVILEGES, "reduced"),
        (Layer.LIMITS, "reduced"),
        (ALL_LAYERS & ~Layer.LIMITS, "none"),
        (Layer(0), "none"),
    ],
)
def test_a_tier_is_what_took_hold(held, expected):
    assert tier(held) == expected


def test_layers_have_names_for_reports():
    assert names(ALL_LAYERS) == ["limits", "privileges", "identity", "landlock", "seccomp"]
