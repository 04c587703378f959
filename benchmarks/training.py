"""Steps per second: training under a generated reward ÷ plain SB3 with the env's own reward.

    python benchmarks/training.py [--steps 10240] [--sac-steps 1500] [--repeats 5] [--task halfcheetah-run]

Both sides train with the task's tuned hyperparameters, one thread, in turn, within one run, so that a busy
machine slows both. Plain: DummyVecEnv and VecNormalize (observations and rewards), no logging. Ours:
everything a job does while it trains, i.e. recording, the locked process, checkpoint statistics, judged
training episodes, TensorBoard. Then one more training of ours with a stopwatch around each part: its share of
the time.

SAC starts to learn after 200 steps instead of 10,000: it is learning that takes the time. That is the hard
end for the reward process: of a small buffer, samples meet a pending row at almost every step (2 to 3 rows
share a call), of 100,000 rows at every 25th.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gymnasium
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.fitness import Judge
from eureka_loop.records import Algorithm, Job, Task, Trained
from eureka_loop.sandbox.process import RewardProcess
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.simulate.recorder import Recorder
from eureka_loop.train.hyperparameters import ALGORITHMS, settings
from eureka_loop.train.trainer import train

REWARD = '''
def compute_reward(forward_velocity, torso_height, torso_up, torso_angvel, action, prev_action, *,
                   speed=1.0, upright=0.3, height=0.2, spin=0.01, effort=0.05, smooth=0.02):
    """Run forward level and smoothly."""
    return {
        "speed": speed * tolerance(forward_velocity, bounds=(5.0, np.inf), margin=5.0),
        "upright": upright * torso_up[:, 2],
        "height": -height * np.abs(torso_height - 0.7),
        "spin": -spin * np.square(torso_angvel).sum(axis=1),
        "effort": -effort * np.square(action).sum(axis=1),
        "smooth": -smooth * np.square(action - prev_action).sum(axis=1),
    }
'''

PARTS: list[tuple[str, Any, str]] = [
    ("env step (MuJoCo and observation)", gymnasium.wrappers.TimeLimit, "step"),
    ("recording, per step", Recorder, "step"),
    ("recording, at the take", Recorder, "take"),
    ("reward process calls", RewardProcess, "evaluate"),
    ("judging training episodes", Judge, "score"),
    ("update (PPO)", PPO, "train"),
    ("update (SAC, sampling included)", SAC, "train"),
]


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    task = find_task(options.task)
    with Zygote() as zygote:
        if options.steps:
            compare(task, "ppo", options.steps, options.repeats, zygote)
        if options.sac_steps:
            compare(task, "sac", options.sac_steps, options.repeats, zygote)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=10_240, help="PPO steps a training; 0 leaves PPO out")
    parser.add_argument("--sac-steps", type=int, default=1_500, help="SAC steps a training; 0 leaves SAC out")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--task", default="halfcheetah-run")
    return parser.parse_args()


def compare(task: Task, algorithm: Algorithm, steps: int, repeats: int, zygote: Zygote) -> None:
    """Trainings in turn, then the shares."""
    speeds: dict[str, list[float]] = {"plain": [], "ours": []}
    for seed in range(repeats):
        for name in ("plain", "ours") if seed % 2 else ("ours", "plain"):
            if name == "plain":
                speeds[name].append(plain(task, algorithm, steps, seed))
            else:
                speeds[name].append(ours(task, algorithm, steps, seed, zygote))
    median = {name: statistics.median(each) for name, each in speeds.items()}
    ratios = sorted(ours / plain for ours, plain in zip(speeds["ours"], speeds["plain"], strict=True))
    print(f"{algorithm} {task.name}: plain {median['plain']:.0f} steps/s, ours {median['ours']:.0f} steps/s")
    ratio = median["ours"] / median["plain"]
    print(f"  ratio of medians {ratio:.3f}; of pairs {ratios[0]:.3f} to {ratios[-1]:.3f}")
    for part, share in shares(lambda: ours(task, algorithm, steps, 0, zygote), steps):
        print(f"  {share:6.1%}  {part}")


def hyperparameters(task: Task, algorithm: Algorithm) -> dict[str, Any]:
    values = dict(find_domain(task.env_id).hyperparameters[algorithm])
    return {**values, "learning_starts": 200} if algorithm == "sac" else values


def plain(task: Task, algorithm: Algorithm, steps: int, seed: int) -> float:
    """SB3 alone, steps per second."""
    options = settings(algorithm, hyperparameters(task, algorithm))
    make = [lambda: gymnasium.make(task.env_id, disable_env_checker=True, **task.env_kwargs)]
    envs = VecNormalize(DummyVecEnv(make * options.n_envs), gamma=options.arguments.get("gamma", 0.99))
    arguments = dict(options.arguments)
    if algorithm == "sac":
        arguments["buffer_size"] = steps
    model = ALGORITHMS[algorithm]("MlpPolicy", envs, seed=seed, **arguments)
    start = time.perf_counter()
    model.learn(steps)
    return model.num_timesteps / (time.perf_counter() - start)


def ours(task: Task, algorithm: Algorithm, steps: int, seed: int, zygote: Zygote) -> float:
    """One job, steps per second while it trains."""
    job = Job("bench", seed, task, REWARD, algorithm, steps, hyperparameters(task, algorithm), ())
    with tempfile.TemporaryDirectory() as folder:
        result = train(job, find_domain(task.env_id), zygote, Path(folder), lambda _: None)
    if not isinstance(result, Trained):
        raise SystemExit(f"training failed: {result}")
    return result.steps / result.seconds


def shares(run: Callable[[], float], steps: int) -> Iterator[tuple[str, float]]:
    """Each part's share of a training's time, the largest first."""
    spent: dict[str, float] = defaultdict(float)
    with watched(spent):
        total = steps / run()
    spent["everything else (policy, VecNormalize, buffers, SB3's loop)"] = total - sum(spent.values())
    for part, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        yield part, seconds / total


@contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """A stopwatch around every part."""
    patches = [
        patch.object(owner, name, timed(part, getattr(owner, name), spent)) for part, owner, name in PARTS
    ]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def timed(part: str, function: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[part] += time.perf_counter() - start

    return call


if __name__ == "__main__":
    main()
