"""What the reward process costs: starting it, locking it, calling it, training with it, and the end of it.

    python benchmarks/reward_process.py [--calls 2000] [--starts 100] [--steps 4096] [--sac-steps 1000]

Prints medians and 99th percentiles. The program and its six columns are those of a locomotion reward.

Training: the same job with the same reward, sandboxed and called in-process in turn, so that a busy machine
slows both; a ratio of 1 means that the sandbox costs nothing. SAC as in training.py, at the end that is hard
for it.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the comparison in-process is one thread too

import numpy as np

from eureka_loop.program.contract import Program
from eureka_loop.program.parsing import compile_ready
from eureka_loop.records import Array
from eureka_loop.sandbox.layers import ALL_LAYERS, Layer, names
from eureka_loop.sandbox.process import RewardProcess, Terms
from eureka_loop.sandbox.warm import namespace
from eureka_loop.sandbox.witness import witness
from eureka_loop.sandbox.zygote import Zygote, order

SHAPES: dict[str, tuple[int, ...]] = {
    "forward_velocity": (),
    "torso_height": (),
    "torso_up": (3,),
    "torso_angvel": (3,),
    "action": (6,),
    "prev_action": (6,),
}
SOURCE = """
def compute_reward(forward_velocity, torso_height, torso_up, torso_angvel, action, prev_action,
                   *, speed=1.0, upright=0.5, effort=1e-3, smooth=0.1):
    return {
        "speed": speed * np.clip(forward_velocity, -2.0, 10.0),
        "upright": upright * torso_up[:, 2],
        "height": np.where(torso_height > 0.7, 1.0, 0.0),
        "spin": -0.01 * np.square(torso_angvel).sum(axis=1),
        "effort": -effort * np.square(action).sum(axis=1),
        "smooth": -smooth * np.square(action - prev_action).sum(axis=1),
    }
"""
PROGRAM = Program("reward", SOURCE, tuple(SHAPES), {})
ROWS = 2048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--steps", type=int, default=4_096, help="PPO steps a training; 0 leaves PPO out")
    parser.add_argument("--sac-steps", type=int, default=1_000, help="SAC steps a training; 0 leaves it out")
    parser.add_argument("--repeats", type=int, default=4, help="trainings of each kind")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}, numpy {np.__version__}")
    begin = time.perf_counter()
    with Zygote() as zygote:
        print(f"tier {zygote.tier} ({', '.join(names(zygote.held))})")
        print(f"warm parent, first time: {(time.perf_counter() - begin) * 1e3:.0f} ms")
        begin = time.perf_counter()
        refused = witness(zygote)
        spent = (time.perf_counter() - begin) * 1e3
        print(f"witness: {sum(refused.values())} of {len(refused)} refused, {spent:.0f} ms")
        starting(zygote, arguments.starts)
        locking(arguments.starts)
        for rows in (ROWS, 1):
            calling(zygote, rows, arguments.calls)
    killing("owner", OWNER, 5)
    killing("owner's owner", MAIN, 5)
    for algorithm, steps in (("ppo", arguments.steps), ("sac", arguments.sac_steps)):
        if steps:
            training(algorithm, steps, arguments.repeats)


def starting(zygote: Zygote, times: int) -> None:
    spent, ended = [], []
    for _ in range(times):
        begin = time.perf_counter()
        process = zygote.start(PROGRAM, SHAPES, rows=ROWS)
        ready = time.perf_counter()
        process.close()
        spent.append(ready - begin)
        ended.append(time.perf_counter() - ready)
    report("source to ready", spent, "ms")
    report("close", ended, "ms")


def locking(times: int) -> None:
    """Start to locked, with all layers and with none: the difference is the lock."""
    for what, layers in (("fork and lock", ALL_LAYERS), ("fork alone", Layer(0))):
        spent = []
        with Zygote(layers=layers) as zygote:
            assert zygote.held == layers
            for _ in range(times):
                begin = time.perf_counter()
                talk = zygote.open(order("probe", "", "", {}, 1, 5.0))
                spent.append(time.perf_counter() - begin)
                talk.close()
        report(what, spent, "ms")


def calling(zygote: Zygote, rows: int, times: int) -> None:
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=(rows, *shape)) for name, shape in SHAPES.items()}
    alone = in_process(columns)
    with zygote.start(PROGRAM, SHAPES, rows=ROWS) as process:
        assert np.array_equal(process.evaluate(columns).total, alone())
        report(f"call, {rows:,} rows, sandboxed", sample(lambda: sandboxed(process, columns), times), "µs")
    report(f"call, {rows:,} rows, in-process", sample(alone, times), "µs")


def sandboxed(process: RewardProcess, columns: dict[str, Array]) -> Array:
    return process.evaluate(columns).total


def in_process(columns: dict[str, Array]) -> Callable[[], Array]:
    scope = namespace()
    exec(SOURCE, scope)
    function: Callable[..., dict[str, Array]] = scope["compute_reward"]  # type: ignore[assignment]
    return lambda: np.asarray(sum(function(*columns.values()).values()))


class InProcess:
    """A reward program called where it is asked, as in the systems that know no sandbox."""

    def __init__(self, program: Program) -> None:
        scope = namespace()
        exec(compile(compile_ready(program.source), "<program>", "exec"), scope)
        self._function: Callable[..., dict[str, Array]] = scope["compute_reward"]  # type: ignore[assignment]
        self._parameters = program.parameters

    def evaluate(self, columns: dict[str, Array], episode_start: object = None) -> Terms:
        terms = self._function(*(columns[name] for name in self._parameters))
        return Terms(tuple(terms), np.array(list(terms.values())))

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def training(algorithm: str, steps: int, repeats: int) -> None:
    """Steps per second, sandboxed ÷ in-process: by wall-clock, and by CPU time, all processes together."""
    from training import find_task, ours, torch  # beside this file; torch and mujoco only where asked for

    from eureka_loop.train import trainer

    torch.set_num_threads(1)
    task, speeds = find_task("halfcheetah-run"), {True: [], False: []}
    with Zygote() as zygote:
        ours(task, algorithm, min(steps, 500), 0, zygote)  # the first one is always slow
        for seed in range(repeats):
            for sandboxed_now in (True, False) if seed % 2 else (False, True):
                start = trainer.start if sandboxed_now else lambda _, program, __, rows: InProcess(program)
                with patch.object(trainer, "start", start):
                    speeds[sandboxed_now].append(ours(task, algorithm, steps, seed, zygote))
    for clock in ("wall", "cpu"):
        locked, free = ([getattr(each, clock) for each in speeds[key]] for key in (True, False))
        pairs = sorted(a / b for a, b in zip(locked, free, strict=True))
        print(
            f"{algorithm} training, {clock}: sandboxed {np.median(locked):.0f} steps/s, in-process "
            f"{np.median(free):.0f}; ratio of medians {np.median(locked) / np.median(free):.3f}, "
            f"of pairs {pairs[0]:.3f} to {pairs[-1]:.3f}"
        )


def killing(who: str, script: str, times: int) -> None:
    """From a SIGKILL to the last process below gone, one of them in an endless loop."""
    if not Path("/proc/self/stat").exists():
        return
    spent = []
    for _ in range(times):
        owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        begin = time.perf_counter()
        os.kill(owner.pid, signal.SIGKILL)
        while not all(gone(pid) for pid in pids):
            time.sleep(0.0005)
        spent.append(time.perf_counter() - begin)
        owner.wait()
        owner.stdout.close()
    report(f"{who}'s SIGKILL to last child gone", spent, "ms")


OWNER = """
import threading, time
import numpy as np
from eureka_loop.program.contract import Program
from eureka_loop.sandbox.zygote import Zygote
zygote = Zygote()
def start(text):
    return zygote.start(Program("reward", text, ("x",), {}), {"x": ()}, rows=4, deadline=60)
idle = [start("def compute_reward(x):\\n    return {'a': x}") for _ in range(3)]
busy = start("def compute_reward(x):\\n    while True:\\n        pass")
threading.Thread(target=busy.evaluate, args=({"x": np.zeros(4)},), daemon=True).start()
time.sleep(0.1)
print(zygote.pid, busy.pid, *(each.pid for each in idle), flush=True)
time.sleep(60)
"""

# As `eureka` has its workers: a process that dies with its parent, and whose warm parent dies with it.
WORKER = f"""
import os, sys
from eureka_loop.sandbox.lock import die_with_parent
die_with_parent(int(sys.argv[1]))
{OWNER.replace("print(", "print(os.getpid(), ")}
"""
MAIN = f"""
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {WORKER!r}, str(os.getpid())])
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def sample(call: Callable[[], object], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begin)
    return spent


def report(what: str, seconds: list[float], unit: str) -> None:
    values = np.array(seconds) * {"ms": 1e3, "µs": 1e6}[unit]
    print(f"{what:<36} median {np.median(values):8.2f} {unit}   p99 {np.percentile(values, 99):8.2f} {unit}")


if __name__ == "__main__":
    main()
