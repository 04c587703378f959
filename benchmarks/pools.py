"""Fitness of a pool's programs over many seeds: the table by which rules of choice are compared.

    python benchmarks/pools.py FOLDER... --steps 300000 --seeds 8     # again: what is missing is trained

A pool is a folder of reward programs for one task, with the settings.json of the search that wrote them (task,
env and fitness are taken from there; hyperparameters are the domain's). Every program is trained with every
seed. benchmarks/data/pools/NAME.csv gets a row for each: fitness and success of the final policy, and the mean
fitness of the training episodes in each tenth of the steps. `benchmarks/choice.py` replays it.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import as_completed
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.execute import machine
from eureka_loop.execute.local import LocalExecutor
from eureka_loop.records import Job, Training
from eureka_loop.results import Trained
from eureka_loop.search.describe import look, task_of
from eureka_loop.seeds import seeds
from eureka_loop.store import read_result

DATA = Path(__file__).parent / "data" / "pools"
RUN_SEED = 970  # its streams of seeds
EPISODES = 10  # judged with each final policy
TENTHS = 10
LEARNERS = 24  # of a cohort
HEAD = ["program", "seed", "steps", "fitness", "success", *(f"tenth_{n}" for n in range(1, TENTHS + 1))]


def train(pool: Path, steps: int, amount: int) -> None:
    settings = json.loads((pool / "settings.json").read_text())
    config = RunConfig(**{name: settings.get(name) for name in ("task", "env", "fitness")}, steps=steps)
    path, workers = DATA / f"{pool.name}.csv", machine.look().workers
    DATA.mkdir(parents=True, exist_ok=True)
    known = {(row["program"], int(row["seed"])) for row in rows(path)}
    programs = sorted(each for each in pool.glob("*.py"))
    missing = [(n, each) for n in range(amount) for each in programs if (each.stem, n) not in known]
    with tempfile.TemporaryDirectory() as place:
        task, _ = look(task_of(config), config, Path(place) / "task")
        training = files.read_json(Path(place) / "task" / "training.json", Training)
        judging, training_seeds = seeds("selection", RUN_SEED, EPISODES), seeds("training", RUN_SEED, amount)
        executor = LocalExecutor(machine.Share(workers, LEARNERS))
        cohorts = {}
        for first in range(0, len(missing), LEARNERS):
            folders = []
            for n, each in missing[first : first + LEARNERS]:
                folder = Path(place) / each.stem / f"{n}"
                rest = ("ppo", steps, training.hyperparameters, judging, training.trainer)
                job = Job(each.stem, training_seeds[n], task, each.read_text(), *rest, checkpoints=TENTHS)
                files.write_json(folder / "job.json", job)
                folders.append(folder)
            cohorts[executor.submit(folders)] = folders
        for ended in as_completed(cohorts):
            with path.open("a", newline="") as file:
                writer = csv.writer(file)
                if not file.tell():
                    writer.writerow(HEAD)
                writer.writerows(row for folder in cohorts[ended] for row in row_of(folder))
            print(pool.name, sum(1 for _ in rows(path)), "of", len(programs) * amount, flush=True)
        executor.close()


def row_of(folder: Path) -> Iterator[list[object]]:
    """One row; none for a training that failed."""
    result = read_result(folder)
    if isinstance(result, Trained):
        marks = [each.fitness for each in result.checkpoints]
        tenths = ["" if each is None else f"{each:.5g}" for each in marks]
        success = "" if result.success is None else f"{result.success:.3g}"
        fitness = f"{result.fitness:.6g}"
        yield [folder.parent.name, folder.name, result.steps, fitness, success, *tenths]


def rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(newline="") as file:
            yield from csv.DictReader(file)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pools", nargs="+", type=Path)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    for pool in options.pools:
        train(pool, options.steps, options.seeds)


if __name__ == "__main__":
    main()
