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
from eureka_loop.results import Failed
from eureka_loop.reward.sandbox import fork_server as owner_side
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import STARTS
from tests.reward.sandbox.conftest import columns, program

PLAIN = "def compute_reward(x, v):\n    return {'a': x}\n"
SHAPES = {"x": (), "v": (3,)}


def gone(pid: int) -> bool:
    """Dead; perhaps not yet reaped by the process that inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, seconds: float = 5.0) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds
        time.sleep(0.001)


def test_closing_the_fork_server_ends_its_processes():
    with ForkServer() as own:
        processes = [own.start(program(PLAIN), SHAPES, rows=8) for _ in range(3)]
    own.close()
    assert all(gone(pid) for pid in (own.pid, *(process.pid for process in processes)))
    for process in processes:
        process.close()
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


def test_after_the_owners_sigkill_every_child_is_gone_at_once():
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(word) for word in owner.stdout.readline().split()]
    try:
        assert len(pids) == 3
        assert not any(map(gone, pids))
        assert all(os.getsid(pid) == pid for pid in pids)  # so Ctrl-C in the terminal reaches the owner alone
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    wait_for(lambda: all(map(gone, pids)), seconds=2.0)  # benchmarks/reward_process.py measures it


def test_a_dead_fork_server_takes_its_processes_along_and_they_start_again_with_another():
    with ForkServer() as own:
        processes = [own.start(program(PLAIN), SHAPES, rows=8) for _ in range(2)]
        dead, pids = own.pid, [process.pid for process in processes]
        os.kill(dead, signal.SIGKILL)
        wait_for(lambda: all(map(gone, pids)))
        for process in processes:
            assert process.evaluate(columns(8)).total.tolist() == columns(8)["x"].tolist()
            process.close()
        assert own.pid != dead


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("kind", ["reward", "fitness"])
def test_a_process_that_something_outside_ends_is_started_again(fork_server, kind, number):
    name, value = ("compute_reward", "{'a': x}") if kind == "reward" else ("fitness", "x.mean()")
    source = program(f"def {name}(x, v):\n    return {value}\n", kind)
    with fork_server.start(source, SHAPES, rows=8, deadline=0.1) as process:
        call = process.evaluate if kind == "reward" else process.measure
        first, before = call(columns(8)), process.pid
        os.kill(before, number)
        again = call(columns(8))
        assert gone(before)
        assert process.pid != before
    assert again == first if kind == "fitness" else np.array_equal(again.values, first.values)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=lambda n: n.name)
def test_one_that_is_ended_again_and_again_fails_as_interrupted(fork_server, number):
    """No fault of the program's, so the failure passes: resuming tries again."""
    slow = "def compute_reward(x, v):\n    for i in [0] * 10**7:\n        pass\n    return {'a': x}\n"
    with fork_server.start(program(slow), SHAPES, rows=8, deadline=0.3) as process:
        killed = set[int]()

        def kill() -> None:
            while len(killed) < STARTS:
                if process.pid not in killed:
                    killed.add(process.pid)
                    os.kill(process.pid, number)
                time.sleep(0.01)

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(RewardFailure, match="from outside, each time") as caught:
            process.evaluate(columns(8))
        killer.join()
    assert caught.value.kind == "interrupted"
    assert Failed("g0-00", "interrupted", "").passing


def test_a_fork_server_outlives_the_thread_that_made_it():
    made: list[ForkServer] = []
    thread = threading.Thread(target=lambda: made.append(ForkServer()))
    thread.start()
    thread.join()
    time.sleep(0.05)
    with made[0] as own, own.start(program(PLAIN), SHAPES, rows=8) as process:
        assert process.evaluate(columns(8)).total.shape == (8,)


def test_threads_may_start_processes_at_once(fork_server):
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


def test_an_interpreter_that_does_not_start_is_reported(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxError, match="/nonexistent/python"):
        ForkServer()


def test_the_last_line_of_a_fork_server_that_fails_is_reported(monkeypatch):
    monkeypatch.setattr(owner_side, "_BOOT", "raise RuntimeError('no numpy here')")
    with ForkServer() as own, pytest.raises(SandboxError, match="no numpy here"):
        own.start(program(PLAIN), SHAPES, rows=8)
