"""Cost of `wrap` and `wrap_vec`: microseconds a step of one environment, beyond its own step.

    python benchmarks/wrap.py [--tasks hopper-hop ant-run] [--steps 320] [--repeats 30]

The reward is the task's hand-written one. Bare environments and wrapped ones take turns; the least of the
repeats is printed, since other work on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium

from eureka_loop import wrap, wrap_vec
from eureka_loop.envs.registry import find_task

ENVS = 16


def microseconds(env: Any, steps: int) -> float:
    """A step of each environment; resets included."""
    number = getattr(env, "num_envs", 1)
    actions = [env.action_space.sample() for _ in range(64)]
    begin = time.perf_counter()
    for step in range(steps // number):
        _, _, terminated, truncated, _ = env.step(actions[step % 64])
        if number == 1 and (terminated or truncated):
            env.reset()
    return 1e6 * (time.perf_counter() - begin) / (steps // number * number)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["hopper-hop", "halfcheetah-run", "ant-run"])
    parser.add_argument("--steps", type=int, default=320)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    print(
        f"{'task':18}{'environments':>14}{'bare':>8}{'trusted':>10}{'locked':>9}   µs a step, the last two beyond bare"
    )
    for name in options.tasks:
        task = find_task(name)
        assert task.human
        path = Path(tempfile.mkdtemp()) / "reward.py"
        path.write_text(task.human)

        def one(task: Any = task) -> Any:
            return gymnasium.make(task.env_id, **task.env_kwargs)

        def many(one: Any = one) -> Any:
            return gymnasium.vector.SyncVectorEnv([one] * ENVS)

        for number, make, wrapped in ((1, one, wrap), (ENVS, many, wrap_vec)):
            envs = [make(), wrapped(make(), path, trusted=True), wrapped(make(), path)]
            for env in envs:
                env.reset(seed=0)
                env.action_space.seed(0)
            rounds = [[microseconds(env, options.steps) for env in envs] for _ in range(options.repeats)]
            bare, trusted, locked = map(min, zip(*rounds, strict=True))
            print(f"{name:18}{number:14}{bare:8.0f}{trusted - bare:10.0f}{locked - bare:9.0f}")
            for env in envs:
                env.close()


if __name__ == "__main__":
    main()
