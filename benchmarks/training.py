"""Steps per second: training under a generated reward ÷ plain SB3 with the env's own reward.

    python benchmarks/training.py [--steps 10240] [--sac-steps 1500] [--repeats 5] [--task halfcheetah-run]

Both sides train with the task's tuned hyperparameters, one thread, in turn, within one run, so that a busy
machine slows both. Plain: DummyVecEnv and VecNormalize (observations and rewards), no logging. Ours:
everything a job does while it trains, i.e. recording, the locked process, checkpoint statistics, judged
training episodes, TensorBoard. CPU time, which a busy machine disturbs less, counts the locked processes in.
Then one more training of each with a stopwatch around each part: what a step spends there.

SAC starts to learn after 200 steps instead of 10,000: it is learning that takes the time. That is the hard
end for the reward process: of a small buffer, samples meet a pending row at almost every step (2 to 3 rows
share a call), of 100,000 rows at every 25th.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import gymnasium
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Algorithm, Job, Task
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.simulate.step_buffer import StepBuffer
from eureka_loop.train import sb3
from eureka_loop.train.hyperparameters import ALGORITHMS, settings

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
    ("recording, per step", StepBuffer, "append"),
    ("recording, at the take", StepBuffer, "take"),
    ("reward process calls", RewardProcess, "evaluate"),
    ("judging training episodes", TaskJudge, "measure"),
    ("update (PPO)", PPO, "train"),
    ("update (SAC, sampling included)", SAC, "train"),
    ("observation statistics", VecNormalize, "step_wait"),
]
REST = "everything else (policy, VecNormalize, buffers, SB3's loop)"


@dataclass
class Clock:
    """Wall-clock and CPU seconds of one training, those of its locked processes included in the latter."""

    wall: float = 0.0
    cpu: float = 0.0
    processes: dict[int, float] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def around(self, learn: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:
            with self.running():
                learn(*args)

        return call

    def before(self, close: Callable[[RewardProcess], None]) -> Callable[[RewardProcess], None]:
        def call(process: RewardProcess) -> None:
            self.processes.setdefault(process.pid, cpu_seconds(process.pid))
            close(process)

        return call


@dataclass(frozen=True)
class Speed:
    """Steps per second of wall-clock, and of CPU time."""

    wall: float
    cpu: float


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    task = find_task(options.task)
    with ForkServer() as fork_server:
        if options.steps:
            compare(task, "ppo", options.steps, options.repeats, fork_server)
        if options.sac_steps:
            compare(task, "sac", options.sac_steps, options.repeats, fork_server)


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=10_240, help="PPO steps a training; 0 leaves PPO out")
    parser.add_argument("--sac-steps", type=int, default=1_500, help="SAC steps a training; 0 leaves SAC out")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--task", default="halfcheetah-run")
    return parser.parse_args()


def compare(task: Task, algorithm: Algorithm, steps: int, repeats: int, fork_server: ForkServer) -> None:
    """Trainings in turn, then the shares."""
    theirs: list[Speed] = []
    mine: list[Speed] = []
    for seed in range(repeats):
        for is_mine in (False, True) if seed % 2 else (True, False):
            if is_mine:
                mine.append(ours(task, algorithm, steps, seed, fork_server))
            else:
                theirs.append(plain(task, algorithm, steps, seed))
    print(f"{algorithm}, {task.name}, {steps} steps, {repeats} repeats")
    show("wall-clock", [each.wall for each in mine], [each.wall for each in theirs])
    show("CPU time", [each.cpu for each in mine], [each.cpu for each in theirs])
    show_shares(
        shares(lambda: ours(task, algorithm, steps, 0, fork_server), steps),
        shares(lambda: plain(task, algorithm, steps, 0), steps),
    )


def show(clock: str, mine: list[float], theirs: list[float]) -> None:
    pairs = sorted(a / b for a, b in zip(mine, theirs, strict=True))
    print(
        f"  {clock}: ours {median(mine):.0f} steps/s, plain {median(theirs):.0f}, ratio of medians "
        f"{median(mine) / median(theirs):.3f}, of pairs {pairs[0]:.3f} to {pairs[-1]:.3f}"
    )


def hyperparameters(task: Task, algorithm: Algorithm) -> dict[str, Any]:
    values = dict(find_domain(task.env_id).hyperparameters[algorithm])
    return {**values, "learning_starts": 200} if algorithm == "sac" else values


def plain(task: Task, algorithm: Algorithm, steps: int, seed: int) -> Speed:
    """SB3 alone."""
    options = settings(algorithm, hyperparameters(task, algorithm))
    make = [lambda: gymnasium.make(task.env_id, disable_env_checker=True, **task.env_kwargs)]
    envs = VecNormalize(DummyVecEnv(make * options.n_envs), gamma=options.arguments.get("gamma", 0.99))
    arguments = dict(options.arguments)
    if algorithm == "sac":
        arguments["buffer_size"] = steps
    model = ALGORITHMS[algorithm]("MlpPolicy", envs, seed=seed, **arguments)
    clock = Clock()
    with clock.running():
        model.learn(steps)
    return Speed(model.num_timesteps / clock.wall, model.num_timesteps / clock.cpu)


def ours(task: Task, algorithm: Algorithm, steps: int, seed: int, fork_server: ForkServer) -> Speed:
    """One job, while it trains."""
    job = Job("bench", seed, task, REWARD, algorithm, steps, hyperparameters(task, algorithm), ())
    clock = Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(sb3, "learn", clock.around(sb3.learn)),
        patch.object(RewardProcess, "close", clock.before(RewardProcess.close)),
    ):
        result = sb3.train_job(job, find_domain(task.env_id), fork_server, Path(folder), lambda _: None)
    if not isinstance(result, Trained):
        raise SystemExit(f"training failed: {result}")
    return Speed(result.steps / clock.wall, result.steps / (clock.cpu + sum(clock.processes.values())))


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far; 0 on systems other than Linux."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def shares(train: Callable[[], Speed], steps: int) -> dict[str, float]:
    """Milliseconds of each step of a training that every part takes, what it calls of the others left out."""
    spent: dict[str, float] = defaultdict(float)
    with watched(spent):
        total = steps / train().wall
    spent[REST] = total - sum(spent.values())
    return {part: 1e3 * seconds / steps for part, seconds in spent.items()}


def show_shares(mine: dict[str, float], theirs: dict[str, float]) -> None:
    print(f"  {'ms a step':>9} {'plain':>8}")
    for part, each in sorted(mine.items(), key=lambda item: -item[1]):
        print(f"  {each:9.3f} {theirs.get(part, 0.0):8.3f}  {part}")
    print(f"  {sum(mine.values()):9.3f} {sum(theirs.values()):8.3f}  all")


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
        inside, start = sum(spent.values()), time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[part] += time.perf_counter() - start - (sum(spent.values()) - inside)

    return call


if __name__ == "__main__":
    main()
