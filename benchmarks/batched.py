"""Control steps per second: batched envs, MuJoCo's bare threaded rollout, and the Gymnasium env.

    python benchmarks/batched.py [--task halfcheetah-run] [--envs 16,64,256] [--threads 2] [--steps 20]
        [--rounds 12] [--names obs,action] [--cpu]

All sides take the same random actions, in turn, in rounds; the fastest round of every
control step counts, so that other load on the machine is left out. Batched: observations, terminations,
resets, and the named observables recorded and, at the round's end, taken. Bare, for Gymnasium's own envs:
`mujoco.rollout` with as many physics steps; nothing observed, nothing reset. Gymnasium: one env. With --cpu the CPU time of all threads is
taken instead of the clock's: the cost on a busy machine, without how well threads share it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import mujoco
import numpy as np
from mujoco.rollout import Rollout

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.records import Array, Task
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.simulate.env import make_env

Side = Callable[[], Iterator[None]]


def main() -> None:
    options = arguments()
    clock = time.process_time if options.cpu else time.perf_counter
    task = find_task(options.task)
    names = [name for name in options.names.split(",") if name]
    for n_envs in map(int, options.envs.split(",")):
        envs = BatchedEnvs(task, find_domain(task.env_id), names, range(n_envs), options.threads)
        size = (options.steps, n_envs, len(envs.action_low))
        actions = np.random.default_rng(0).uniform(envs.action_low, envs.action_high, size)
        sides: dict[str, Side] = {
            "batched": lambda envs=envs, actions=actions: batched(envs, actions),
            "gymnasium": gymnasium_env(task, actions),
        }
        if not find_domain(task.env_id).extra:
            sides["bare"] = bare(task, actions, options.threads)
        seconds = fastest_rounds(sides, options.rounds, clock)
        steps = {name: options.steps * (1 if name == "gymnasium" else n_envs) for name in sides}
        speeds = {name: steps[name] / seconds[name] for name in sides}
        print(
            f"{task.name} N={n_envs}, {options.threads} threads: "
            + ", ".join(f"{name} {speed:,.0f} steps/s" for name, speed in speeds.items())
            + "; batched ÷ "
            + ", ÷ ".join(
                f"{name} {speeds['batched'] / speeds[name]:.2f}" for name in sides if name != "batched"
            ),
            flush=True,
        )
        envs.close()


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="halfcheetah-run")
    parser.add_argument("--envs", default="16,64,256")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--names", default="obs,action")
    parser.add_argument("--cpu", action="store_true")
    return parser.parse_args()


def fastest_rounds(sides: dict[str, Side], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds of a round made of each step's fastest."""
    best: dict[str, Array] = {}
    for _ in range(rounds):
        for name, side in sides.items():
            taken = np.array(list(timed(side(), clock)))
            best[name] = np.minimum(best.get(name, taken), taken)
    return {name: float(each.sum()) for name, each in best.items()}


def timed(steps: Iterator[None], clock: Callable[[], float]) -> Iterator[float]:
    """Seconds of every step; what comes before the first `yield` is not counted."""
    next(steps)
    start = clock()
    for _ in steps:
        now = clock()
        yield now - start
        start = clock()


def batched(envs: BatchedEnvs, actions: Array) -> Iterator[None]:
    envs.reset()
    envs.buffer.take()
    yield
    for action in actions[:-1]:
        envs.step(action)
        yield
    envs.step(actions[-1])
    envs.buffer.take()
    yield


def bare(task: Task, actions: Array, threads: int) -> Side:
    env = make_env(task)
    inner = env.unwrapped
    model, frame_skip, full = inner.model, inner.frame_skip, mujoco.mjtState.mjSTATE_FULLPHYSICS
    n_envs = actions.shape[1]
    starts = np.zeros((n_envs, mujoco.mj_stateSize(model, full)))
    for index in range(n_envs):
        env.reset(seed=index)
        mujoco.mj_getState(model, inner.data, starts[index], full)
    rollout = Rollout(nthread=threads if threads > 1 else 0)
    datas = [mujoco.MjData(model) for _ in range(threads)]

    def side() -> Iterator[None]:
        state = starts
        yield
        for action in actions:
            controls = np.repeat(action[:, None], frame_skip, axis=1)
            state = rollout.rollout(model, datas, state, controls)[0][:, -1]
            yield

    return side


def gymnasium_env(task: Task, actions: Array) -> Side:
    env = make_env(task)

    def side() -> Iterator[None]:
        env.reset(seed=0)
        yield
        for action in actions[:, 0].astype(np.float32):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
            yield

    return side


if __name__ == "__main__":
    main()
