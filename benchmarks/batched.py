"""Control steps per second: batched envs, MuJoCo's bare threaded rollout, and the Gymnasium env.

    python benchmarks/batched.py [--task halfcheetah-run] [--envs 16,64,256] [--threads 2] [--steps 20]
        [--rounds 12] [--names forward_velocity,action] [--physics fastest|pool|rollouts] [--cpu]

All sides take the same random actions from the same starts, in turn, in rounds. Of every control step the
fastest round counts, on every side: what a busy machine adds is left out alike. Bare: `mujoco.rollout` with
as many physics steps, its states handed on, nothing observed, nothing reset. Batched: observations,
terminations, resets, and the named observables recorded and, at the round's end, taken. The last line is
batched ÷ bare at 64 envs (or the last N); ÷ gymnasium, where each copy has a simulation of its own and bare
would be something else. With --cpu all threads' CPU time is taken instead of the clock's:
what the work costs on a machine that others use, though not how well threads share it.
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
from eureka_loop.simulate.choice import PhysicsFactory, fastest, pool, rollouts
from eureka_loop.simulate.env import make_env

PHYSICS: dict[str, PhysicsFactory] = {"fastest": fastest, "pool": pool, "rollouts": rollouts}
HEADLINE = 64  # envs
CLOCK: Callable[[], float] = time.perf_counter
Side = Callable[[], Iterator[None]]


def main() -> None:
    global CLOCK
    options = arguments()
    if options.cpu:
        CLOCK = time.process_time
    task, ratios = find_task(options.task), {}
    for n_envs in map(int, options.envs.split(",")):
        names = [name for name in options.names.split(",") if name]
        batched = BatchedEnvs(
            task,
            find_domain(task.env_id),
            names,
            n_envs,
            seed=0,
            threads=options.threads,
            physics=PHYSICS[options.physics],
        )
        actions = random_actions(batched, options.steps)
        sides: dict[str, Side] = {
            "batched": lambda batched=batched, actions=actions: step_batched(batched, actions),
            "gymnasium": one_env(task, actions),
        }
        if batched.physics == "rollouts" or options.physics == "pool":
            sides["bare"] = bare(task, actions, options.threads)
        seconds = fastest_rounds(sides, options.rounds)
        speeds = {name: n_envs * options.steps / total for name, total in seconds.items()}
        speeds["gymnasium"] /= n_envs
        over = "bare" if "bare" in speeds else "gymnasium"
        ratios[n_envs] = speeds["batched"] / speeds[over]
        print(
            f"{task.name} N={n_envs}, {options.threads} threads, {batched.physics}: "
            + ", ".join(f"{name} {speed:,.0f} steps/s" for name, speed in speeds.items())
            + "; batched ÷ "
            + ", ÷ ".join(
                f"{name} {speeds['batched'] / speeds[name]:.2f}" for name in sides if name != "batched"
            ),
            flush=True,
        )
        batched.close()
    print(f"ratio: {ratios.get(HEADLINE, list(ratios.values())[-1]):.3f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", default="halfcheetah-run")
    parser.add_argument("--envs", default="16,64,256")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--names", default="forward_velocity,action")
    parser.add_argument("--physics", choices=PHYSICS, default="fastest")
    parser.add_argument("--cpu", action="store_true")
    return parser.parse_args()


def random_actions(envs: BatchedEnvs, steps: int) -> Array:
    size = (steps, envs.n_envs, len(envs.action_low))
    return np.random.default_rng(0).uniform(envs.action_low, envs.action_high, size)


def fastest_rounds(sides: dict[str, Side], rounds: int) -> dict[str, float]:
    """Seconds of a round made of each step's fastest."""
    best: dict[str, Array] = {}
    for _ in range(rounds):
        for name, side in sides.items():
            taken = np.array(list(timed(side())))
            best[name] = np.minimum(best.get(name, taken), taken)
    return {name: float(each.sum()) for name, each in best.items()}


def timed(steps: Iterator[None]) -> Iterator[float]:
    """Seconds of every step; what comes before the first `yield` is not counted."""
    next(steps)
    start = CLOCK()
    for _ in steps:
        now = CLOCK()
        yield now - start
        start = CLOCK()


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
    states = np.zeros((n_envs, frame_skip, starts.shape[1]))
    nothing = np.zeros((n_envs, frame_skip, model.nsensordata))
    guess = np.zeros((n_envs, model.nv))

    def side() -> Iterator[None]:
        state = starts.copy()
        yield
        for action in actions:
            rollout.rollout(
                [model] * n_envs,
                datas,
                state,
                np.repeat(action[:, None], frame_skip, axis=1),
                nstep=frame_skip,
                initial_warmstart=guess,
                state=states,
                sensordata=nothing,
                skip_checks=True,
            )
            state = states[:, -1].copy()
            yield

    return side


def step_batched(envs: BatchedEnvs, actions: Array) -> Iterator[None]:
    envs.seed(0)
    envs.reset()
    envs.take()
    yield
    for action in actions[:-1]:
        envs.step(action)
        yield
    envs.step(actions[-1])
    envs.take()
    yield


def one_env(task: Task, actions: Array) -> Side:
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
