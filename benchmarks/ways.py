"""Fitness by way of searching: several whole searches each way, their choices trained on fresh seeds.

    python benchmarks/ways.py [--task hopper-hop] [--searches 8] [--steps 12288] [--ways steady sb3]

Every way searches with the same seeds, designer, budget and hyperparameters; what each search has chosen is
trained afresh on seeds that no search has seen. A search is one draw: means over searches, their
difference from the plain way's with its 95% interval, and a permutation test. Times are sums over the searches,
which run one after the other, so CPU time says more than wall-clock where others use the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eureka_loop.execute import machine
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.local import LocalExecutor
from eureka_loop.judge.statistics import PermutationTest
from eureka_loop.records import Array
from eureka_loop.results import Evaluated, ranked
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

SETTINGS = Path(__file__).with_name("plain.toml")
WAYS = {
    "plain": (),
    "steady": ("--steady",),
    "sb3": ("--trainer", "sb3"),
}


@dataclass(frozen=True, slots=True)
class Search:
    """One search, when it is over. Times in seconds; CPU time of the command and all its processes."""

    run: Run
    wall: float
    cpu: float

    @property
    def evaluated(self) -> list[Evaluated]:
        return [self.run.evaluated(id) for id in self.run.candidate_ids()]

    @property
    def best(self) -> str:
        return ranked(self.evaluated)[0].candidate.id

    @property
    def steps(self) -> int:
        """Taken in training."""
        return sum(result.steps for each in self.evaluated for result in each.trained)


@dataclass(frozen=True, slots=True)
class Found:
    """
    Attributes:
        fitness: (searches,) of each search's choice, mean over fresh trainings.
        wall: seconds, all searches together; likewise `cpu`.
        steps: taken in training, all searches together.
    """

    fitness: Array
    wall: float
    cpu: float
    steps: int


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="hopper-hop")
    parser.add_argument("--ways", nargs="+", choices=[*WAYS][1:], default=("steady",))
    parser.add_argument("--searches", type=int, default=8, help="each way, with seeds 0, 1, …")
    parser.add_argument("--samples", type=int, default=9)
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12_288)
    parser.add_argument("--report-seeds", type=int, default=5, help="fresh trainings of each choice")
    parser.add_argument("--config", type=Path, default=SETTINGS, help="file with the hyperparameters")
    options = parser.parse_args()
    print(
        f"{options.task}: {options.searches} searches each way, {options.generations} generations of "
        f"{options.samples}, {options.steps:,} steps each",
        flush=True,
    )
    plain = found("plain", options)
    for way in options.ways:
        beside(way, found(way, options), plain)


def found(way: str, options: argparse.Namespace) -> Found:
    """All searches of one way."""
    fitness, wall, cpu, steps = [], 0.0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.searches):
            options.seed = number
            words = ("--designer", "templates", "--config", str(options.config), *WAYS[way])
            done = search(options, Path(folder) / str(number), *words)
            (fresh,) = on_fresh_seeds(options, done.run, [done.best])
            fitness.append(np.mean([each.fitness for each in fresh.trained]))
            wall, cpu, steps = wall + done.wall, cpu + done.cpu, steps + done.steps
    told = ", ".join(f"{each:.3g}" for each in fitness)
    print(f"  {way:8} {wall:5.0f} s, {cpu:5.0f} s of CPU time, {steps:,} steps; choices: {told}", flush=True)
    return Found(np.array(fitness), wall, cpu, steps)


def search(options: argparse.Namespace, out: Path, *more: str) -> Search:
    """Run the command to its end."""
    command = [sys.executable, "-m", "eureka_loop.cli.main", "run", options.task, *more, "--confirm", "1"]
    for name in ("samples", "generations", "steps", "seed"):
        command += [f"--{name}", str(getattr(options, name))]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # no configuration of the user
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}
    quiet = subprocess.DEVNULL
    subprocess.run([*command, "--report-seeds", "0", "--out", str(out)], check=True, env=env, stdout=quiet)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Search(Run.open(next(out.iterdir())), wall, cpu)


def on_fresh_seeds(options: argparse.Namespace, run: Run, ids: Sequence[str]) -> list[Evaluated]:
    config = run.config
    plan = Plan(run.task(), run.training(), config.steps)
    training = seeds("report_training", config.seed, options.report_seeds)
    judging = seeds("report", config.seed, config.judge_episodes)
    here, vocabulary = machine.look(), run.vocabulary()
    share = machine.share(here, 0, plan.task, plan.training, plan.steps, vocabulary)
    with run.lock(), contextlib.closing(LocalExecutor(share)) as executor:
        evaluation = Evaluation(run, executor, plan, share)
        candidates, stage = [run.candidate(id) for id in ids], Stage(training, judging, report=True)
        return asyncio.run(evaluation.train_all(candidates, stage))


def beside(way: str, ours: Found, plain: Found) -> None:
    test = PermutationTest(ours.fitness, plain.fitness, rng=np.random.default_rng(0))
    gap = test.interval()
    print(
        f"  {way:8} {ours.fitness.mean():.3g} beside {plain.fitness.mean():.3g}: difference {gap.value:.3g} "
        f"[{gap.low:.3g}, {gap.high:.3g}], p = {test.p():.2f}; wall-clock {plain.wall / ours.wall:.2f}, CPU time "
        f"{plain.cpu / ours.cpu:.2f}, steps {plain.steps / ours.steps:.2f} times less",
        flush=True,
    )


if __name__ == "__main__":
    main()
