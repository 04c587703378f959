"""Strategies beside each other at equal steps: true fitness of the rewards that they choose.

    python benchmarks/strategies.py beyond [--strategies eureka islands tree] [--searches 5] [--out FOLDER]
        [options of eureka bench: --tasks a,b --generations 4 --samples 8 --designer templates ...]

Each strategy is a bench of its own (`eureka bench SUITE --strategy NAME`) with the same tasks, seeds of search and
settings; what is in its folder already is kept, so the same command goes on where it was stopped. A row: of one
task, for each strategy, the winners' fitness on fresh seeds, as interquartile mean over searches with its 95%
bootstrap interval (searches and their trainings drawn), and its difference from the first strategy's. Below, over
tasks: the human-normalised score, where it is defined; and environment steps, which differ by confirmations alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from eureka_loop.judge.searches import Draws, draw, over_tasks
from eureka_loop.judge.statistics import percentile_interval
from eureka_loop.numbers import compact, count
from eureka_loop.records import Array
from eureka_loop.report.bench.results import REWARDS, BenchResults, TaskResult


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite")
    parser.add_argument("--strategies", nargs="+", default=["eureka", "islands", "tree"])
    parser.add_argument("--searches", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/strategies"))
    parser.add_argument("--only-read", action="store_true", help="the table of what is there")
    options, rest = parser.parse_known_args()
    places = {name: options.out / f"{options.suite}-{name}" for name in options.strategies}
    for name, place in places.items():
        if not options.only_read:
            command = [sys.executable, "-m", "eureka_loop.cli.main", "bench", options.suite, "--yes", *rest]
            command += ["--strategy", name, "--searches", str(options.searches), "--out", str(place)]
            subprocess.run(command, check=True)
    show({name: BenchResults.of(place) for name, place in places.items()})


def show(found: dict[str, BenchResults]) -> None:
    """The table."""
    first, *others = found
    draws = {
        name: {task.name: drawn(task) for task in each.tasks if task.done} for name, each in found.items()
    }
    for task in draws[first]:
        print(task)
        for name in found:
            if (own := draws[name].get(task)) is not None:
                line = f"  {name:10} {interval(own.fitness)} over {own.winners.shape[1]} searches"
                more = interval(own.fitness - draws[first][task].fitness)
                print(line + (f"; above {first} by {more}" if name != first else ""))
    shared = [task for task in draws[first] if all(scored(draws[name].get(task)) for name in found)]
    print(f"human-normalised, {len(shared)} tasks")
    total = {name: over_tasks([draws[name][task] for task in shared]) for name in found} if shared else {}
    for name, each in total.items():
        print(f"  {name:10} {interval(each)}")
    for name in others if shared else []:
        print(f"  {name:10} above {first} by {interval(total[name] - total[first])}")
    print("steps: " + ", ".join(f"{name} {count(each.cost.steps)}" for name, each in found.items()))


def interval(values: Array) -> str:
    """ "0.8 [0.69, 0.93]"."""
    found = percentile_interval(values)
    return f"{compact(found.value)} [{compact(found.low)}, {compact(found.high)}]"


def drawn(task: TaskResult) -> Draws:
    done = [each.rewards for each in task.done]
    trainings = ([each[name].fitness for each in done if name in each] for name in REWARDS)
    return draw(*trainings, np.random.default_rng(0))


def scored(draws: Draws | None) -> bool:
    return draws is not None and bool(np.isfinite(draws.scores).all())


if __name__ == "__main__":
    main()
