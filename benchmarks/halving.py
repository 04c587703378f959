"""Savings and costs of successive halving: the same proposals with `--halving` and without.

    python benchmarks/halving.py [--task hopper-hop] [--samples 9] [--generations 2] [--steps 30000] [--halving 3]

One search trains all of its candidates to the end; the other is a replay of its proposals that stops the worse
ones early. Printed: the rank of the second one's choice among all fully trained candidates, and, where the two
searches choose differently, whether fresh trainings on seeds that neither has seen can tell the choices apart.
One search runs after the other, so CPU time says more than wall-clock where others use the machine. `ratio:` is
of the steps taken in training.
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
from eureka_loop.judge.statistics import pearson
from eureka_loop.report.comparison import compare
from eureka_loop.results import Evaluated, ranked
from eureka_loop.seeds import seeds
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Search:
    """One of the two, when it is over. Times in seconds; CPU time of the command and all its processes."""

    run: Run
    wall: float
    cpu: float

    @property
    def evaluated(self) -> list[Evaluated]:
        return [self.run.evaluated(id) for id in self.run.candidate_ids()]

    @property
    def best(self) -> Evaluated:
        return ranked(self.evaluated)[0]

    @property
    def steps(self) -> int:
        """Taken in training."""
        return sum(result.steps for each in self.evaluated for result in each.trained)

    @property
    def judged(self) -> int:
        """Taken in judged episodes, those on the way included."""
        ids = self.run.candidate_ids()
        rungs = [(id, rung) for id in ids for rung in self.run.rungs(id)]
        early = [each for id, rung in rungs for each in self.run.evaluated_at(id, rung).trained]
        last = [each for one in self.evaluated if one.halted is None for each in one.trained]
        return sum(score.length for each in (*early, *last) for score in each.episodes)


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        whole = search(options, Path(folder) / "whole", "--designer", "templates")
        replay = ("--designer", "replay", "--replay", str(whole.run.folder))
        halved = search(options, Path(folder) / "halved", *replay, "--halving", str(options.halving))
        show(options, whole, halved)


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="hopper-hop")
    parser.add_argument("--samples", type=int, default=9)
    parser.add_argument("--generations", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--halving", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report-seeds", type=int, default=5, help="fresh trainings of each choice")
    return parser.parse_args()


def search(options: argparse.Namespace, out: Path, *more: str) -> Search:
    """Run the command to its end."""
    command = [
        sys.executable,
        "-m",
        "eureka_loop.cli.main",
        "run",
        options.task,
        *more,
        "--no-bank",
        "--confirm",
        "1",
    ]
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


def show(options: argparse.Namespace, whole: Search, halved: Search) -> None:
    print(
        f"{options.task}: {options.generations} generations of {options.samples}, {options.steps:,} steps each, "
        f"--halving {options.halving}"
    )
    for name, each in (("all to the end", whole), ("halving", halved)):
        print(
            f"  {name:15} {each.steps:9,} steps, {each.judged:9,} in judged episodes, {each.wall:6.0f} s, "
            f"{each.cpu:6.0f} s of CPU time; chose {each.best.candidate.id}"
        )
    show_ranks(options, whole, halved)
    show_choices(options, whole.run, halved.best.candidate.id, whole.best.candidate.id)
    print(f"  wall-clock {whole.wall / halved.wall:.2f}, CPU time {whole.cpu / halved.cpu:.2f} times less")
    print(f"ratio: {whole.steps / halved.steps:.2f}")


def show_ranks(options: argparse.Namespace, whole: Search, halved: Search) -> None:
    """Where each generation's choice stands among those that were all trained to the end."""
    finals = {each.candidate.id: each.fitness for each in whole.evaluated if each.fitness is not None}
    for generation in range(options.generations):
        own = [each for each in halved.evaluated if each.candidate.generation == generation]
        order = [each for each in ranked(whole.evaluated) if each.candidate.generation == generation]
        chosen = ranked(own)[0].candidate.id
        place = [each.candidate.id for each in order].index(chosen) + 1
        values = [finals[each.candidate.id] for each in order]
        print(
            f"  generation {generation}: chose number {place} of {len(order)} ({finals[chosen]:.3g}; "
            f"best {values[0]:.3g}, median {np.median(values):.3g}, worst {values[-1]:.3g})"
        )
    for rung in sorted({rung for id in finals for rung in halved.run.rungs(id)}):
        there = {id: halved.run.evaluated_at(id, rung) for id in finals if rung in halved.run.rungs(id)}
        pairs = [(each.fitness, finals[id]) for id, each in there.items() if each.fitness is not None]
        early, late = (np.argsort(np.argsort(column)).astype(float) for column in zip(*pairs, strict=True))
        steps = max(result.steps for each in there.values() for result in each.trained)
        correlation = pearson(early, late)
        said = "unknown" if correlation is None else f"{correlation:+.2f}"
        print(
            f"  rank correlation of fitness after {steps:,} steps with the final one: {said} ({len(pairs)})"
        )


def show_choices(options: argparse.Namespace, run: Run, ours: str, theirs: str) -> None:
    """Whether fresh trainings, in a run that holds both, can tell two choices apart."""
    if ours == theirs:
        print(f"  both chose {ours}")
        return
    (found,) = compare(tuple(on_fresh_seeds(options, run, [ours, theirs]))).differences
    print(
        f"  on {options.report_seeds} fresh seeds {ours} against {theirs}: {found.verdict}: {found.explanation}"
    )


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


if __name__ == "__main__":
    main()
