"""Nothing outlives its owner, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.reward.sandbox.fork_server import ForkServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

PLAIN = "def compute_reward(x, v):\n    return {'a': x}\n"
SHAPES = {"x": (), "v": (3,)}


def gone(pid: int) -> bool:
    """Dead; perhaps not yet reaped by whoever inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, seconds: float = 5.0) -> float:
    """Seconds until it holds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds
        time.sleep(0.001)
    return time.monotonic() - begin


def open_descriptors() -> list[str]:
    return sorted(str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink())


def shared_mappings() -> int:
    return Path("/proc/self/maps").read_text().count("memfd:eureka")


def test_closing_leaves_no_process_descriptor_or_memory(fork_server, program, columns):
    assert fork_server.tier
    before = len(open_descriptors()), shared_mappings()
    process = fork_server.start(program(PLAIN), SHAPES, rows=8)
    process.evaluate(columns(8))
    process.close()
    assert (len(open_descriptors()), shared_mappings()) == before
    assert not Path(f"/proc/{process.pid}").exists()


def test_failing_leaves_no_process_descriptor_or_memory(fork_server, program, columns):
    assert fork_server.tier
    before = len(open_descriptors()), shared_mappings()
    for source in ("oops", PLAIN.replace("x}", "x[:, 0]}"), "while True: pass"):
        with pytest.raises(RewardFailure):
            fork_server.start(program(source), SHAPES, rows=8, deadline=0.2).evaluate(columns(8))
    assert (len(open_descriptors()), shared_mappings()) == before
    assert not list(
        Path(f"/proc/{fork_server.pid}/task/{fork_server.pid}").joinpath("children").read_text().split()
    )


def test_memory_is_given_back_while_a_traceback_still_looks_at_it(fork_server, program, columns):
    before = shared_mappings()
    with (
        fork_server.start(program(PLAIN), SHAPES, rows=8) as process,
        pytest.raises(ValueError, match="column"),
    ):
        process.evaluate({"x": columns(8)["x"], "v": columns(8)["x"]})
    assert shared_mappings() == before


def test_many_programs_leave_nothing(fork_server, program, columns):
    assert fork_server.tier
    before = len(open_descriptors()), shared_mappings()
    for _ in range(40):
        with fork_server.start(program(PLAIN), SHAPES, rows=8) as process:
            process.evaluate(columns(8))
    assert (len(open_descriptors()), shared_mappings()) == before
    assert len(list(Path(f"/proc/{fork_server.pid}/fd").iterdir())) <= 5


def test_closing_the_zygote_ends_its_processes(program):
    with ForkServer() as own:
        processes = [own.start(program(PLAIN), SHAPES, rows=8) for _ in range(3)]
    assert all(gone(process.pid) for process in processes)
    assert gone(own.pid)
    for process in processes:
        process.close()


def test_a_closed_zygote_starts_nothing(program):
    own = ForkServer()
    own.close()
    own.close()
    with pytest.raises(SandboxError, match="closed"):
        own.start(program(PLAIN), SHAPES, rows=8)


OWNER = """
import sys, threading, time
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
import numpy as np

def start(text):
    return fork_server.start(Program("reward", text, ("x",), {}), {"x": ()}, rows=4, deadline=60)

fork_server = ForkServer()
waiting = start("def compute_reward(x):\\n    return {'a': x}")
busy = start("def compute_reward(x):\\n    while True:\\n        pass")
threading.Thread(target=busy.evaluate, args=({"x": np.zeros(4)},), daemon=True).start()
time.sleep(0.1)
print(fork_server.pid, waiting.pid, busy.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def owner():
    """A process of its own with a warm parent, a waiting and a busy reward process; their pids."""
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in process.stdout.readline().split()]
    yield process, pids
    process.kill()
    process.wait()
    process.stdout.close()


def test_after_the_owners_sigkill_every_child_is_gone_at_once(owner):
    process, pids = owner
    assert len(pids) == 3
    assert not any(map(gone, pids))
    process.kill()
    wait_for(lambda: all(map(gone, pids)), seconds=2.0)  # benchmarks/reward_process.py says how long it takes


def test_ctrl_c_in_the_terminal_is_the_owners_business_alone(owner):
    _, (warm, *children) = owner
    assert os.getsid(warm) == warm
    assert all(os.getsid(child) == child for child in children)


def test_a_dead_warm_parent_takes_its_processes_along_and_is_reported(program, columns):
    with ForkServer() as own:
        process = own.start(program(PLAIN), SHAPES, rows=8)
        os.kill(own.pid, signal.SIGKILL)
        wait_for(lambda: gone(process.pid))
        with pytest.raises(SandboxError, match=r"warm parent .* is gone \(SIGKILL\).*start them again"):
            process.evaluate(columns(8))


def test_the_next_start_brings_up_another_warm_parent(program, columns):
    with ForkServer() as own:
        assert own.tier
        dead = own.pid
        os.kill(dead, signal.SIGKILL)
        with own.start(program(PLAIN), SHAPES, rows=8) as process:
            assert own.pid != dead
            assert process.evaluate(columns(8)).total.shape == (8,)


def test_a_zygote_outlives_the_thread_that_made_it(program, columns):
    made: list[ForkServer] = []
    thread = threading.Thread(target=lambda: made.append(ForkServer()))
    thread.start()
    thread.join()
    time.sleep(0.05)
    with made[0] as own, own.start(program(PLAIN), SHAPES, rows=8) as process:
        assert process.evaluate(columns(8)).total.shape == (8,)


def test_threads_may_start_processes_at_once(fork_server, program, columns):
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                with fork_server.start(program(PLAIN), SHAPES, rows=8) as process:
                    process.evaluate(columns(8))
        except BaseException as error:  # noqa: BLE001 (a thread's failure is the test's)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_stopped_process_is_timed_out_and_killed(fork_server, program, columns):
    process = fork_server.start(program(PLAIN), SHAPES, rows=8, deadline=0.2)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(RewardFailure) as caught:
        process.evaluate(columns(8))
    assert caught.value.kind == "timed_out"
    assert gone(process.pid)


def test_a_process_killed_from_outside_is_reported(fork_server, program, columns):
    process = fork_server.start(program(PLAIN), SHAPES, rows=8)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(RewardFailure, match=r"SIGKILL") as caught:
        process.evaluate(columns(8))
    assert caught.value.kind == "killed"


def test_an_interpreter_that_does_not_start_is_reported(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxError, match="/nonexistent/python"):
        ForkServer()


def test_a_warm_parent_that_fails_says_its_last_words(monkeypatch, program):
    from eureka_loop.reward.sandbox import link

    monkeypatch.setattr(link, "_BOOT", "raise RuntimeError('no numpy here')")
    with ForkServer() as own, pytest.raises(SandboxError, match="no numpy here"):
        own.start(program(PLAIN), SHAPES, rows=8)


def test_hashes_are_the_same_in_every_warm_parent(program):
    source = """
load = tolerance.__globals__["__builtins__"]
def compute_reward(x, v):
    return {"a": x * 0 + load["hash"]("anything") % 1000}
"""
    given = {"x": np.zeros(1), "v": np.zeros((1, 3))}
    values = set()
    for _ in range(3):
        with ForkServer() as own, own.start(program(source), SHAPES, rows=1) as process:
            values.add(float(process.evaluate(given).total[0]))
    assert len(values) == 1
