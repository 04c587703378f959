"""Aggregate steps per second: K learners trained together ÷ two SB3 PPO processes with the same settings.

    python benchmarks/population.py [--env HalfCheetah-v5] [--learners 16] [--envs 1] [--seconds 25]
    for k in 64 128 256 512 1024; do python benchmarks/population.py --device cuda --learners $k; done

Both sides have two cores and plain PPO settings (SB3's defaults: tanh networks of 64, 64, minibatches of 64,
10 epochs, rollouts of 2,048 steps), with as many envs a learner; one, unless --envs says more, which helps SB3
most. SB3: two processes with one thread each, the env's own
reward, VecNormalize, no logging. Ours: all that a job does while it trains, so with recording, locked reward
processes, checkpoint statistics, judged training episodes and TensorBoard, as two processes of half the learners each.
They take turns, a rollout and an update each, so that a
busy machine slows all of them. The ratio is of the medians over the turns.

With --device, ours runs as one process, too, whose learners are on that device and whose two threads step the
envs; the ratio is the device's. A turn of 1,024 learners is two million steps: minutes on two cores.

The ceiling is MuJoCo's own threaded `rollout` on two threads: as many envs, random controls, a hundred steps
a call. CPU time is that of the trainers, without the reward processes (their calls are in "rewards").
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from learners import assembled

CORES = 2
ROLLOUT = 2_048  # steps of a learner between updates
PLAIN = {"batch_size": 64, "n_epochs": 10}

Turn = Callable[[], dict[str, float]]


def main() -> None:
    options = arguments()
    if options.role:
        with ExitStack() as stack:
            take_turns({"sb3": sb3, "ours": ours, "ceiling": ceiling}[options.role](options, stack))
        return
    require(options.device)
    half = options.learners // CORES
    shares = [each for each in (options.learners - half, half) if each]
    sides = {
        "two SB3 processes": [child(options, "sb3", seed=seed) for seed in range(CORES)],
        "ours, two processes": [child(options, "ours", learners=n, seed=n * i) for i, n in enumerate(shares)],
        "threaded rollout": [child(options, "ceiling", threads=CORES)],
    }
    if options.device != "cpu":
        sides[f"ours, on {options.device}"] = [child(options, "ours", threads=CORES, device=options.device)]
    compare(options, sides)
    for each in sides.values():
        for process in each:
            process.stdin.close()  # type: ignore[union-attr]
            process.wait()


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--learners", type=int, default=16)
    parser.add_argument("--envs", type=int, default=1, help="of a learner, on both sides; divides 2,048")
    parser.add_argument("--seconds", type=float, default=25.0, help="of turns, besides some 15 to start")
    parser.add_argument("--device", default="cpu", help="that ours learns on: cuda")
    parser.add_argument("--role", default="", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def require(device: str) -> None:
    """End here, and in a line, where there is no such device."""
    from eureka_loop.errors import BadInput
    from eureka_loop.train.hyperparameters import require_device

    try:
        require_device(device)
    except BadInput as error:
        sys.exit(str(error))


def child(
    options: argparse.Namespace,
    role: str,
    *,
    learners: int = 0,
    threads: int = 1,
    seed: int = 0,
    device: str = "cpu",
) -> subprocess.Popen[str]:
    """This script in another role, which begins to get ready."""
    count = str(learners or options.learners)
    command = [sys.executable, __file__, "--env", options.env, "--learners", count, "--role", role]
    command += ["--envs", str(options.envs), "--device", device]
    command += ["--threads", str(threads), "--seed", str(seed)]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **one})


def compare(options: argparse.Namespace, sides: dict[str, list[subprocess.Popen[str]]]) -> None:
    """Turns until the time is over, then what came of them."""
    for processes in sides.values():
        answers(processes)  # ready, the first rollout behind them
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    parts: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    until = time.monotonic() + options.seconds
    while time.monotonic() < until or len(speeds["two SB3 processes"]) < 2:
        for name, processes in sides.items():
            began = time.perf_counter()
            for process in processes:
                print("go", file=process.stdin, flush=True)
            told = answers(processes)
            speeds[name].append(sum(each["steps"] for each in told) / (time.perf_counter() - began))
            parts[name] += told
    print(
        f"{options.env}, {options.learners} learners of {options.envs} envs, {len(speeds['threaded rollout'])} turns each"
    )
    best = "ours, two processes" if options.device == "cpu" else f"ours, on {options.device}"
    show(speeds, parts, best)


def answers(processes: Sequence[subprocess.Popen[str]]) -> list[dict[str, float]]:
    return [json.loads(process.stdout.readline()) for process in processes]  # type: ignore[union-attr]


def show(speeds: dict[str, list[float]], parts: dict[str, list[dict[str, float]]], best: str) -> None:
    cpu = {name: total(told, "cpu") / total(told, "steps") for name, told in parts.items()}
    typical = {name: median(each) for name, each in speeds.items()}
    plain, ceiling = typical["two SB3 processes"], typical["threaded rollout"]
    for name, speed in typical.items():
        share = f"{speed / plain:6.2f} x SB3, {speed / ceiling:6.1%} of the ceiling"
        print(f"  {name:19} {speed:8.0f} steps/s, {share}, {1e6 * cpu[name]:6.0f} us of CPU time a step")
    for name, told in parts.items():
        whole = sum(sum(each.values()) for each in told)
        shares = {part: sum(each[part] for each in told) / whole for part in told[0]}
        if shares:
            print(f"  {name}: " + ", ".join(f"{part} {share:.0%}" for part, share in shares.items()))
    print(f"ratio: {typical[best] / plain:.2f}")


def total(told: Sequence[dict[str, float]], key: str) -> float:
    """Summed, and taken out."""
    return sum(each.pop(key) for each in told)


def take_turns(turn: Turn) -> None:
    """A child's life: one turn to warm up, then one for every line on standard input."""
    turn()
    print("{}", flush=True)
    for _ in sys.stdin:
        before = time.process_time()
        told = turn()
        print(json.dumps({**told, "cpu": time.process_time() - before}), flush=True)


def sb3(options: argparse.Namespace, stack: ExitStack) -> Turn:
    """One plain SB3 PPO."""
    import gymnasium
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    torch.set_num_threads(1)
    envs = DummyVecEnv([lambda: gymnasium.make(options.env, disable_env_checker=True)] * options.envs)
    steps = ROLLOUT // options.envs
    model = PPO("MlpPolicy", VecNormalize(envs), n_steps=steps, device="cpu", seed=options.seed, **PLAIN)

    def turn() -> dict[str, float]:
        model.learn(ROLLOUT, reset_num_timesteps=False)
        return {"steps": ROLLOUT}

    return turn


def ours(options: argparse.Namespace, stack: ExitStack) -> Turn:
    """A cohort of the env's first task, all under its hand-written reward."""
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.simulate.batched import BatchedEnvs
    from eureka_loop.train.population.ppo import PopulationPPO
    from eureka_loop.train.population.trainer import Cohort

    settings = {**PLAIN, "n_envs": options.envs, "n_steps": ROLLOUT // options.envs, "device": options.device}
    task = find_domain(options.env).tasks[0]
    sources = [task.human or ""] * options.learners
    cohort = assembled(task, sources, settings, stack, options.threads, options.seed)
    parts: dict[str, float] = {}
    for part, kind, method in (
        ("envs", BatchedEnvs, "step"),
        ("acting and envs", PopulationPPO, "collect"),
        ("rewards", Cohort, "_rewards"),
        ("updates", PopulationPPO, "update"),
    ):
        watch(parts, part, kind, method)

    def turn() -> dict[str, float]:
        parts.update(dict.fromkeys(parts, 0.0))
        began = time.perf_counter()
        cohort.advance()
        total = time.perf_counter() - began
        found = dict(parts)
        found["acting"] = found.pop("acting and envs", 0.0) - found.get("envs", 0.0)
        found["the rest"] = total - sum(found.values())
        return {"steps": ROLLOUT * options.learners, **found}

    return turn


def watch(parts: dict[str, float], part: str, kind: type[Any], method: str) -> None:
    """Add up the seconds that a method takes."""
    original = getattr(kind, method)
    parts[part] = 0.0

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            parts[part] += time.perf_counter() - began

    setattr(kind, method, timed)


def ceiling(options: argparse.Namespace, stack: ExitStack) -> Turn:
    """The env's physics alone, a second a turn."""
    import gymnasium
    import mujoco
    import numpy as np
    from mujoco.rollout import Rollout

    env: Any = gymnasium.make(options.env, disable_env_checker=True).unwrapped
    env.reset(seed=0)
    rollout = stack.enter_context(Rollout(nthread=options.threads))
    count, skip = max(options.learners, options.threads), env.frame_skip
    full = mujoco.mjtState.mjSTATE_FULLPHYSICS
    state = np.zeros(mujoco.mj_stateSize(env.model, full))
    mujoco.mj_getState(env.model, env.data, state, full)
    datas = [mujoco.MjData(env.model) for _ in range(options.threads)]
    random = np.random.default_rng(0)
    low, high = env.model.actuator_ctrlrange.T

    def turn() -> dict[str, float]:
        steps, until = 0, time.monotonic() + 1.0
        while time.monotonic() < until:
            controls = random.uniform(low, high, (count, 100, env.model.nu)).repeat(skip, axis=1)
            rollout.rollout(env.model, datas, np.tile(state, (count, 1)), controls)
            steps += count * 100
        return {"steps": float(steps)}

    return turn


if __name__ == "__main__":
    main()
