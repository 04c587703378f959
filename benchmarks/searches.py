"""Results of whole searches: several of each task, winner beside hand-written and sparse reward.

    python benchmarks/searches.py [--tasks halfcheetah-run hopper-hop walker2d-walk] [--searches 3] [--out FOLDER]

Settings are those of searches.toml. Runs that are in the folder already are gone on with, or only read. Per
search: interquartile means over the report's seeds with their intervals. Per task, over its searches: the mean
of winner − reference with a bootstrap interval stratified by search, which is what the designer is worth there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from eureka_loop.judge.statistics import bootstrap_interval
from eureka_loop.records import Array
from eureka_loop.store import Run

SETTINGS = Path(__file__).with_suffix(".toml")
TASKS = ("halfcheetah-run", "hopper-hop", "walker2d-walk")
REFERENCES = {"human": "hand-written", "sparse": "sparse"}
REPEATS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--searches", type=int, default=3, help="of each task, with seeds 1, 2, …")
    parser.add_argument("--out", type=Path, default=Path("runs/searches"))
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="searches, a core each")
    options = parser.parse_args()
    wanted = [(task, seed) for task in options.tasks for seed in range(1, options.searches + 1)]
    with ThreadPoolExecutor(options.at_once) as executor:
        list(executor.map(lambda each: finish(options.out, *each), wanted))
    for task in options.tasks:
        show(task, [run_of(options.out, task, seed) for seed in range(1, options.searches + 1)])


def run_of(out: Path, task: str, seed: int) -> Run | None:
    """The run of a search, if it was begun."""
    for folder in sorted(out.glob(f"*{task}*")):
        run = Run.open(folder)
        if run.config.task == task and run.config.seed == seed:
            return run
    return None


def finish(out: Path, task: str, seed: int) -> None:
    run = run_of(out, task, seed)
    eureka = [sys.executable, "-m", "eureka_loop.cli.main"]
    command = ["run", task, "--config", str(SETTINGS), "--seed", str(seed), "--out", str(out), "--jobs", "1"]
    if run is not None:
        if ended(run):
            return
        command = ["resume", str(run.folder)]
    subprocess.run([*eureka, *command], check=True, stdout=subprocess.DEVNULL)


def ended(run: Run) -> bool:
    return any(event["event"] == "finished" for event in run.events())


def show(task: str, runs: Sequence[Run | None]) -> None:
    """A line a search, and the task's."""
    done = [run for run in runs if run is not None and ended(run)]
    scores = [report_of(run) for run in done]
    print(f"{task}: {len(done)} of {len(runs)} searches")
    for run, found in zip(done, scores, strict=True):
        told = [f"{name} {interval(values)}" for name, values in found.items()]
        print(f"  seed {run.config.seed}: {', '.join(told)}")
    for reference, label in REFERENCES.items():
        pairs = [(each["winner"], each[reference]) for each in scores if {"winner", reference} <= each.keys()]
        if pairs:
            print(f"  winner − {label}: {difference(pairs)}, over {len(pairs)} searches")


def report_of(run: Run) -> dict[str, Array]:
    """ "winner" and the references → fitness of each report seed."""
    (winner,) = (event["winner"] for event in run.events() if event["event"] == "finished")
    found = {}
    for id in (winner, *REFERENCES):
        results = run.evaluated(id, report=True).trained
        if results:
            found["winner" if id == winner else id] = np.array([each.fitness for each in results])
    return found


def interval(values: Array) -> str:
    return str(bootstrap_interval(np.array(values), rng=np.random.default_rng(0)))


def difference(pairs: Sequence[tuple[Array, Array]]) -> str:
    """Mean over searches of the difference of means, with its 95% interval."""
    rng = np.random.default_rng(0)
    draws = np.mean([resampled(ours, rng) - resampled(theirs, rng) for ours, theirs in pairs], axis=0)
    value = np.mean([ours.mean() - theirs.mean() for ours, theirs in pairs])
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def resampled(values: Array, rng: np.random.Generator) -> Array:
    """(REPEATS,) bootstrap means."""
    return np.asarray(values[rng.integers(values.size, size=(REPEATS, values.size))].mean(axis=1))


if __name__ == "__main__":
    main()
