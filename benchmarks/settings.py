"""One cohort under given hyperparameters, without a search: a line of benchmarks/data/tuning/settings.jsonl.

    python benchmarks/settings.py walker2d-walk                                    # the domain's settings and steps
    python benchmarks/settings.py walker2d-walk --settings '{"n_envs": 4}' --steps 500000 --seeds 4
    python benchmarks/settings.py --show                                           # the table, by task

Reward: the hand-written one, or `--reward sparse`, or a file. Seeds are apart from those of runs numbered below
980 and of their reports. One process, one thread.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.records import Job, Task, references
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.seeds import seeds
from eureka_loop.train.base import Report
from eureka_loop.train.population.trainer import PopulationTrainer

PATH = Path(__file__).parent / "data" / "tuning" / "settings.jsonl"
RUN_SEED = 980
EPISODES = 5


def cohort(
    task: Task,
    sources: Sequence[str],
    training: Sequence[int],
    judging: tuple[int, ...],
    settings: Mapping[str, Any],
    steps: int,
    report: Report = lambda *_: None,
) -> list[Trained | Failed]:
    """Train programs together, each with its own seed; the results, in order."""
    with ForkServer() as fork_server, tempfile.TemporaryDirectory() as place:
        jobs, folders = [], []
        for n, (source, seed) in enumerate(zip(sources, training, strict=True)):
            jobs.append(Job(f"g0-{n:02}", seed, task, source, "ppo", steps, settings, judging, "population"))
            folders.append(Path(place) / jobs[-1].candidate)
            folders[-1].mkdir()
        domain = find_domain(task.env_id)
        return PopulationTrainer().train(jobs, domain, fork_server, folders, report)


def measured(
    task_name: str, settings: Mapping[str, Any], steps: int, amount: int, reward: str
) -> dict[str, Any]:
    """Final fitness and success of each seed, and time."""
    task = find_task(task_name)
    known = {each.id: each.source for each in references(task)}
    source = Path(reward).read_text() if reward.endswith(".py") else known[reward]
    judging, training = seeds("selection", RUN_SEED, EPISODES), seeds("training", RUN_SEED, amount)
    began, cpu = time.perf_counter(), time.process_time()
    results = cohort(task, [source] * amount, training, judging, settings, steps)
    trained = [each for each in results if isinstance(each, Trained)]
    fitness = [round(each.fitness, 4) for each in trained]
    return {
        "task": task_name,
        "reward": Path(reward).name,
        "steps": steps,
        "fitness": fitness,
        "success": [each.success for each in trained],
        "mean": round(float(np.mean(fitness)), 4),
        "deviation": round(float(np.std(fitness)), 4),
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "settings": settings,
    }


def show() -> None:
    rows = [json.loads(line) for line in PATH.read_text().splitlines()]
    for row in sorted(rows, key=lambda row: (row["task"], -row["mean"])):
        seeds_of = "/".join(f"{value:.3g}" for value in row["fitness"])
        print(
            f"{row['task']:32} {row['reward']:7} {row['steps']:9,} steps {row['mean']:8.3g} ± {row['deviation']:.2g}"
            f" ({seeds_of}) {row['cpu_seconds']:.0f} s of CPU\n    {json.dumps(row['settings'])}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", nargs="?")
    parser.add_argument("--settings", type=json.loads)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--reward", default="human")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if options.show or not options.task:
        show()
        return
    domain = find_domain(find_task(options.task).env_id)
    settings = options.settings or dict(domain.settings("ppo"))
    row = measured(
        options.task, settings, options.steps or domain.steps["ppo"], options.seeds, options.reward
    )
    PATH.parent.mkdir(parents=True, exist_ok=True)
    with PATH.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row))


if __name__ == "__main__":
    main()
