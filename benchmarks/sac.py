"""Cost of a SAC step by part; gains and losses of other batches and update ratios.

    python benchmarks/sac.py [--task invertedpendulum-balance] [--steps 1000] [--seeds 3] [--width 64]
        [--learning-rate 1e-3] [--profile-steps 600] [--variants ...]

First a training of HalfCheetah with the domain's settings under a stopwatch: each part's share of the CPU time. Then a
task, cut to episodes of 100 steps, by every variant with every seed, in turn: CPU time of the training (the locked
processes included), and what was learnt after the same number of environment steps, which is the final policy's
fitness in fresh episodes, and the mean height of the learning curve. Differences from the domain's settings are of
means over seeds with a 95% bootstrap interval; a variant learns as well, as far as this can tell, where the whole
interval is above minus a tenth of what the domain's settings reach.

Learning starts after 100 steps instead of 10,000. `--width` is that of the networks' two layers: the domain's are 256
wide, where a step takes about 1.7 times as long, and everything but the updates even less of it.
`sac_updates.py` says what one update takes by itself, and what stacked critics and fused optimisers gain.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium
import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.sac import sac as sb3_sac
from stable_baselines3.sac.policies import Actor, ContinuousCritic
from training import Clock

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.learning import curves, mean_heights
from eureka_loop.judge.trajectory import FILE
from eureka_loop.records import Job, Task
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.simulate.step_buffer import StepBuffer
from eureka_loop.train import sb3
from eureka_loop.train.saved import record_trained

PARTS: list[tuple[str, Any, str]] = [
    ("env step (MuJoCo and observation)", gymnasium.wrappers.TimeLimit, "step"),
    ("acting", SAC, "_sample_action"),
    ("storing a transition", SAC, "_store_transition"),
    ("recording, per step", StepBuffer, "append"),
    ("recording, at the take", StepBuffer, "take"),
    ("calls of the reward process, this side", RewardProcess, "evaluate"),
    ("judging training episodes", TaskJudge, "measure"),
    ("update: sampling", ReplayBuffer, "sample"),
    ("update: actor, forward", Actor, "action_log_prob"),
    ("update: critics, forward", ContinuousCritic, "forward"),
    ("update: backward, all three losses", torch.Tensor, "backward"),
    ("update: Adam", torch.optim.Adam, "step"),
    ("update: target networks", sb3_sac, "polyak_update"),
    ("update: the rest (losses, entropy, gradients to zero)", SAC, "train"),
]
PROGRAM = "calls of the reward process, its own side"
REST = "everything else (VecNormalize, SB3's loop, callbacks)"
EPISODE = 100  # steps, where it is about learning
JUDGED = tuple(range(1_000_000, 1_000_010))
MARGIN = 0.1  # of what the domain's settings reach: how much worse still counts as well

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "batch 256, an update a step": {},
    "batch 128": {"batch_size": 128},
    "batch 64": {"batch_size": 64},
    "batch 512, half the updates": {"batch_size": 512, "train_freq": 2},
    "batch 1024, a quarter of the updates": {"batch_size": 1024, "train_freq": 4},
    "half the updates": {"train_freq": 2},
    "4 envs, 4 updates": {"n_envs": 4, "gradient_steps": 4},
    "8 envs, 8 updates": {"n_envs": 8, "gradient_steps": 8},
    "4 envs, 2 updates": {"n_envs": 4, "gradient_steps": 2},
}


@dataclass(frozen=True)
class Learnt:
    """One training.

    Attributes:
        cpu: seconds.
        final: fitness of the policy at the end.
        height: of the learning curve, on average.
    """

    cpu: float
    final: float
    height: float


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=3, help="0 leaves the variants out")
    parser.add_argument("--task", default="invertedpendulum-balance", help="of the variants")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of the variants")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--profile-steps", type=int, default=600, help="0 leaves the profile out")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}")
    with ForkServer() as fork_server:
        if options.profile_steps:
            for width in dict.fromkeys((256, options.width)):
                show_profile(options.profile_steps, width, fork_server)
        if options.seeds:
            study(options, fork_server)


def settings(env_id: str, width: int, **more: Any) -> dict[str, Any]:
    """The domain's, but for smaller networks and an earlier start."""
    domain = dict(find_domain(env_id).hyperparameters["sac"])
    return {
        **domain,
        "learning_starts": 100,
        "policy_kwargs": {**domain["policy_kwargs"], "net_arch": [width, width]},
        **more,
    }


def job(task: Task, steps: int, seed: int, hyperparameters: Mapping[str, Any]) -> Job:
    return Job("bench", seed, task, task.human or "", "sac", steps, hyperparameters, JUDGED)


def show_profile(steps: int, width: int, fork_server: ForkServer) -> None:
    spent: dict[str, float] = defaultdict(float)
    task = find_task("halfcheetah-run")
    asked = job(task, steps, 0, settings(task.env_id, width, learning_starts=10))
    clock, _ = trained(replace(asked, judge_seeds=()), fork_server, spent)
    spent[REST] = clock.cpu - sum(spent.values())
    spent[PROGRAM] = sum(clock.processes.values())
    whole = clock.cpu + spent[PROGRAM]
    print(
        f"a SAC step, HalfCheetah, networks ({width}, {width}), batch 256: {whole / steps * 1e3:.1f} ms of CPU time"
    )
    for part, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {seconds / whole:6.1%}  {part}")


def trained(
    asked: Job, fork_server: ForkServer, spent: dict[str, float] | None = None, keep: Path | None = None
) -> tuple[Clock, Trained]:
    """A job, while it trains; `keep`: where an episode of its policy goes."""
    clock, domain = Clock(), find_domain(asked.task.env_id)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(sb3, "learn", clock.around(sb3.learn)),
        patch.object(RewardProcess, "close", clock.before(RewardProcess.close)),
        watched({} if spent is None else spent, on=spent is not None),
    ):
        result = sb3.train_job(asked, domain, fork_server, Path(folder), lambda _: None)
        if keep is not None and isinstance(result, Trained):
            record_trained(asked, domain, Path(folder))
            shutil.move(Path(folder) / FILE, keep)
    if not isinstance(result, Trained):
        raise SystemExit(f"training failed: {result}")
    return clock, result


@contextmanager
def watched(spent: dict[str, float], *, on: bool) -> Iterator[None]:
    """A stopwatch around every part; what a part spends in another counts for the other alone."""
    running: list[float] = []
    patches = [
        patch.object(owner, name, timed(part, getattr(owner, name), spent, running))
        for part, owner, name in PARTS
        if on
    ]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def timed(
    part: str, call: Callable[..., Any], spent: dict[str, float], running: list[float]
) -> Callable[..., Any]:
    """CPU time, which a busy machine disturbs less. `running`: seconds that parts within those under way took."""

    def measured(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        running.append(0.0)
        try:
            return call(*args, **kwargs)
        finally:
            whole = time.process_time() - start
            spent[part] += whole - running.pop()
            if running:
                running[-1] += whole

    return measured


def study(options: argparse.Namespace, fork_server: ForkServer) -> None:
    task = replace(find_task(options.task), env_kwargs={"max_episode_steps": EPISODE})
    print(
        f"{options.steps} steps of {task.name}, episodes of {EPISODE}, networks {options.width} wide, {options.seeds} seeds"
    )
    found: dict[str, list[Learnt]] = defaultdict(list)
    for seed in range(options.seeds):
        for name in options.variants:
            more = {"learning_rate": options.learning_rate, **VARIANTS[name]}
            asked = job(task, options.steps, 100 * seed, settings(task.env_id, options.width, **more))
            found[name].append(learnt(*trained(asked, fork_server)))
    first = options.variants[0]
    for name in options.variants:
        show_variant(name, found[name], found[first])


def learnt(clock: Clock, result: Trained) -> Learnt:
    (line,) = curves([[result]])
    height = float(mean_heights(line)[0]) if line else float("nan")
    return Learnt(clock.cpu + sum(clock.processes.values()), result.fitness, height)


def show_variant(name: str, found: list[Learnt], base: list[Learnt]) -> None:
    faster = [theirs.cpu / ours.cpu for ours, theirs in zip(found, base, strict=True)]
    print(
        f"  {name}: {fmean(each.cpu for each in found):.1f} CPU s, {fmean(faster):.2f} times as fast", end=""
    )
    for measure in ("final", "height"):
        ours, theirs = ([getattr(each, measure) for each in side] for side in (found, base))
        value, low, high = difference(ours, theirs)
        well = "as well" if low > -MARGIN * abs(fmean(theirs)) else "worse" if high < 0 else "can't tell"
        if found is base:
            print(f"; {measure} {fmean(ours):.3f} ({min(ours):.3f} to {max(ours):.3f})", end="")
        else:
            print(f"; {measure} {fmean(ours):.3f}, {value:+.3f} [{low:+.3f}, {high:+.3f}]: {well}", end="")
    print(flush=True)


def difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Of means, with its 95% bootstrap interval over seeds; each side is drawn anew."""
    rng = np.random.default_rng(0)
    sides = np.array(ours), np.array(theirs)
    draws = [each[rng.integers(len(each), size=(10_000, len(each)))].mean(axis=1) for each in sides]
    low, high = np.percentile(draws[0] - draws[1], [2.5, 97.5])
    return fmean(ours) - fmean(theirs), float(low), float(high)


if __name__ == "__main__":
    main()
