"""Gain and cost of hindsight for SAC on a goal task.

    python benchmarks/her.py [--task fetch-reach] [--reward sparse|human] [--steps 6000] [--seeds 1] [--only with]

The same training with and without hindsight, with the domain's settings: CPU time, the final policy's fitness and
success in 20 fresh episodes, and how the fitness of the training's own episodes moved.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.records import Job
from eureka_loop.results import Failed
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.sb3 import train_job

JUDGED = tuple(range(1_000_000, 1_000_020))
WAYS = {"with": True, "without": False}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="fetch-reach")
    parser.add_argument("--reward", default="sparse", choices=("sparse", "human"))
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", choices=tuple(WAYS))
    options = parser.parse_args()
    print(f"{options.task}, {options.reward} reward, {options.steps} steps; load {os.getloadavg()[0]:.1f}")
    with ForkServer() as fork_server:
        for seed in range(1, options.seeds + 1):
            for way in [options.only] if options.only else WAYS:
                print(f"seed {seed}, {way:7}: {trained(job(options, seed, way), fork_server)}", flush=True)


def job(options: argparse.Namespace, seed: int, way: str) -> Job:
    task = find_task(options.task)
    settings = find_domain(task.env_id).hyperparameters["sac"]
    return Job(
        candidate=way,
        seed=seed,
        task=task,
        source=getattr(task, options.reward),
        algorithm="sac",
        steps=options.steps,
        hyperparameters={**settings, "her": WAYS[way]},
        judge_seeds=JUDGED,
        checkpoints=6,
    )


def trained(job: Job, fork_server: ForkServer) -> str:
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        result = train_job(job, find_domain(job.task.env_id), fork_server, Path(folder), lambda _: None)
    if isinstance(result, Failed):
        return f"failed, {result.message}"
    course = " ".join(f"{each.fitness:.3f}" for each in result.checkpoints if each.fitness is not None)
    return (
        f"{time.process_time() - begun:.0f} s CPU, fitness {result.fitness:.3f}, success {result.success}, "
        f"in training {course}"
    )


if __name__ == "__main__":
    main()
