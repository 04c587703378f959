"""Cost of a reward process: start, lock, call, training, end.

    python benchmarks/reward_process.py [--calls 2000] [--starts 100] [--steps 4096] [--sac-steps 1000] [--repeats 3]

Prints medians and 99th percentiles. The program and its six columns are those of a locomotion reward.

Training: within one training every call is made twice, sandboxed and in-process, on the same rows; what the
sandbox adds to all calls is held against the time of the whole. A ratio of 1 means that it costs nothing. Two
trainings, one with it and one without, would differ by more than that on any machine that has other work.
SAC as in training.py, at the end that is hard for the sandbox: a call at almost every step.

Asking again: processor time of whole trainings with it and without, in turn, and of it alone within them.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the comparison in-process is one thread too

import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.parsing import compiled
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer, layer_names, tier
from eureka_loop.reward.sandbox.process import Columns, RewardProcess, Terms, processor_seconds
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.reward.sandbox.status import measure

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
    parser.add_argument(
        "--repeats", type=int, default=3, help="trainings with asking again; 0 leaves them out"
    )
    parser.add_argument("--learners", type=int, default=8)
    parser.add_argument("--again-steps", type=int, default=20_480, help="of each learner")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}, numpy {np.__version__}")
    begin = time.perf_counter()
    with ForkServer() as fork_server:
        print(f"tier {tier(fork_server.held)} ({', '.join(layer_names(fork_server.held))})")
        print(f"fork server, first time: {(time.perf_counter() - begin) * 1e3:.0f} ms")
        begin = time.perf_counter()
        refused = measure(fork_server).refused
        spent = (time.perf_counter() - begin) * 1e3
        print(f"self-test: {sum(refused.values())} of {len(refused)} refused, {spent:.0f} ms")
        starting(fork_server, arguments.starts)
        locking(arguments.starts)
        for rows in (ROWS, 1):
            calling(fork_server, rows, arguments.calls)
    killing("worker", OWNER, 5)
    killing("main", MAIN, 5)
    for algorithm, steps in (("ppo", arguments.steps), ("sac", arguments.sac_steps)):
        if steps:
            training(algorithm, steps)
    if arguments.repeats:
        asking_again(arguments.again_steps, arguments.learners, arguments.repeats)


def starting(fork_server: ForkServer, times: int) -> None:
    spent, ended = [], []
    for _ in range(times):
        begin = time.perf_counter()
        process = fork_server.start(PROGRAM, SHAPES, rows=ROWS)
        ready = time.perf_counter()
        process.close()
        spent.append(ready - begin)
        ended.append(time.perf_counter() - ready)
    report("source to ready", spent, "ms")
    report("close", ended, "ms")


def locking(times: int) -> None:
    """Start to closed, with all layers and with none, in turns: the difference is the lock."""
    spent: dict[Layer, list[float]] = {ALL_LAYERS: [], Layer(0): []}
    with ForkServer(layers=ALL_LAYERS) as locked, ForkServer(layers=Layer(0)) as free:
        assert (locked.held, free.held) == tuple(spent)
        for _ in range(times):
            for fork_server, seconds in zip((locked, free), spent.values(), strict=True):
                begin = time.perf_counter()
                fork_server.probe("")
                seconds.append(time.perf_counter() - begin)
    both, alone = spent.values()
    report("fork, lock and close", both, "ms")
    report("fork and close", alone, "ms")
    report("lock", [one - other for one, other in zip(both, alone, strict=True)], "ms")


def calling(fork_server: ForkServer, rows: int, times: int) -> None:
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=(rows, *shape)) for name, shape in SHAPES.items()}
    alone = in_process(columns)
    with fork_server.start(PROGRAM, SHAPES, rows=ROWS) as process:
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


class Twice(CheckedProcess):
    """Also calls its program in-process, as systems without a sandbox do; timed."""

    def __init__(self, process: RewardProcess, seed: int) -> None:
        super().__init__(process, seed)
        scope = namespace()
        exec(compiled(process.request.source), scope)
        self._function: Callable[..., dict[str, Array]] = scope["compute_reward"]  # type: ignore[assignment]
        self.sandboxed: list[float] = []
        self.alone: list[float] = []

    def evaluate(self, columns: Columns) -> Terms:
        begin = time.perf_counter()
        terms = super().evaluate(columns)
        middle = time.perf_counter()
        made = self._function(*(columns[name] for name in self.request.shapes))
        again = Terms(tuple(made), np.array(list(made.values())))
        self.alone.append(time.perf_counter() - middle)
        self.sandboxed.append(middle - begin)
        assert np.array_equal(again.values, terms.values)
        return terms


def training(algorithm: str, steps: int) -> None:
    """The speed of a training, sandboxed ÷ in-process."""
    from training import REWARD, Job, find_domain, find_task, hyperparameters, torch  # beside this file

    from eureka_loop.train import sb3

    torch.set_num_threads(1)
    made: list[Twice] = []
    task = find_task("halfcheetah-run")

    def twice(process: RewardProcess, seed: int) -> Twice:
        made.append(Twice(process, seed))
        return made[-1]

    job = Job("bench", 0, task, REWARD, algorithm, steps, hyperparameters(task, algorithm), ())
    with (
        tempfile.TemporaryDirectory() as folder,
        ForkServer() as fork_server,
        patch.object(sb3, "CheckedProcess", twice),
    ):
        result = sb3.train_job(job, find_domain(task.env_id), fork_server, Path(folder), lambda _: None)
    sandboxed, alone = sum(made[0].sandboxed), sum(made[0].alone)
    whole = result.seconds - alone  # as it would have been without calling twice
    ratio = (whole - sandboxed + alone) / whole
    print(
        f"{algorithm} training, {result.steps} steps: {len(made[0].alone)} calls, sandboxed "
        f"{sandboxed:.3f} s, in-process {alone:.3f} s, of {whole:.1f} s; speed ratio {ratio:.4f}"
    )


class Timed(CheckedProcess):
    """Counts processor time of asking again, on both sides; `asks` says whether it is done."""

    asks, spent, whole = True, 0.0, 0.0  # s, of all processes

    def _check(self, columns: Columns, terms: Terms) -> None:
        if Timed.asks:
            begin = self._seconds()
            super()._check(columns, terms)
            Timed.spent += self._seconds() - begin

    def _seconds(self) -> float:
        return time.process_time() + processor_seconds(self._process.pid)

    def __exit__(self, *_: object) -> None:
        Timed.whole += processor_seconds(self._process.pid)
        super().__exit__()


def asking_again(steps: int, learners: int, repeats: int) -> None:
    """Processor time of the population trainer, and of SAC, with asking again and without, in turn."""
    from training import REWARD, Job, Trained, find_domain, find_task, hyperparameters, torch

    from eureka_loop.train import sb3
    from eureka_loop.train.population import trainer

    torch.set_num_threads(1)
    task = find_task("halfcheetah-run")
    domain = find_domain(task.env_id)
    for name, algorithm, many, steps_of in (("population", "ppo", learners, steps), ("sb3", "sac", 1, 1_000)):
        taken: dict[bool, list[float]] = {True: [], False: []}
        shares = []
        own = hyperparameters(task, algorithm)
        jobs = [Job("bench", n, task, REWARD, algorithm, steps_of, own, ()) for n in range(many)]
        for turn in range(2 * repeats):
            Timed.asks, Timed.spent, Timed.whole = bool(turn % 2), 0.0, 0.0
            with (
                tempfile.TemporaryDirectory() as place,
                ForkServer() as fork_server,
                patch.object(trainer, "CheckedProcess", Timed),
                patch.object(sb3, "CheckedProcess", Timed),
            ):
                made = trainer.PopulationTrainer() if name == "population" else sb3.SB3Trainer()
                folders, begin = [Path(place) / str(n) for n in range(many)], time.process_time()
                results = made.train(jobs, domain, fork_server, folders, lambda *_: None)
                seconds = time.process_time() - begin + Timed.whole
            assert all(isinstance(each, Trained) for each in results)
            taken[Timed.asks].append(seconds)
            if Timed.asks:
                shares.append(Timed.spent / seconds)
        print(
            f"{name}, {many} x {steps_of:,} steps of {algorithm}: asking again takes {np.median(shares):.3%} of the "
            f"processor time ({np.median(taken[True]):.2f} s with it, {np.median(taken[False]):.2f} s without, "
            f"medians of {repeats})"
        )


def killing(name: str, script: str, times: int) -> None:
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
    report(f"{name}'s SIGKILL to last child gone", spent, "ms")


OWNER = """
import threading, time
import numpy as np
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
fork_server = ForkServer()
def start(text):
    return fork_server.start(Program("reward", text, ("x",), {}), {"x": ()}, rows=4, deadline=60)
idle = [start("def compute_reward(x):\\n    return {'a': x}") for _ in range(3)]
busy = start("def compute_reward(x):\\n    while True:\\n        pass")
threading.Thread(target=busy.evaluate, args=({"x": np.zeros(4)},), daemon=True).start()
time.sleep(0.1)
print(fork_server.pid, busy.pid, *(each.pid for each in idle), flush=True)
time.sleep(60)
"""

# As `eureka` has its workers: a process that dies with its parent, and whose fork server dies with it.
WORKER = f"""
import os, sys
from eureka_loop.reward.sandbox.lock import die_with_parent
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
