"""Whether the population trainer learns as Stable-Baselines3 does: learning curves of both, seed by seed.

    python benchmarks/curves.py [--tasks halfcheetah-run ...] [--seeds 10] [--seed 0] [--steps 60000] [--config FILE] [--out DIR]

Each trainer trains the task's hand-written reward with the same hyperparameters and seeds. What is compared
is how high the curve is on average and the fitness of the final policies: interquartile means over seeds, their
difference with its 95% bootstrap interval, and a permutation test. For the same algorithm the interval should
contain 0; its width says how large a difference could hide in it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.envs.registry import find_task
from eureka_loop.judge.learning import curves, mean_heights
from eureka_loop.judge.statistics import PermutationTest
from eureka_loop.records import Array
from eureka_loop.results import Trained
from eureka_loop.store import Run

TASKS = ("halfcheetah-run", "hopper-hop", "walker2d-walk")
TRAINERS = ("population", "sb3")
SETTINGS = Path(__file__).with_name("plain.toml")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="0 to 999: other trainings")
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--config", type=Path, default=SETTINGS, help="whose hyperparameters are taken")
    parser.add_argument("--out", type=Path, help="where runs are kept; what is there is only read")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.tasks:
            place = (options.out or Path(folder)) / name
            found = {trainer: trained(name, trainer, place / trainer, options) for trainer in TRAINERS}
            show(name, found, options)


def trained(name: str, trainer: str, out: Path, options: argparse.Namespace) -> tuple[Trained, ...]:
    """The hand-written reward, trained once a seed, by the command."""
    if not out.exists():
        program = out.with_suffix(".py")
        files.write_text(program, find_task(name).human or "")
        command = [sys.executable, "-m", "eureka_loop.cli.main", "train", str(program), "--task", name]
        command += ["--config", str(options.config), "--trainer", trainer, "--out", str(out)]
        command += ["--steps", str(options.steps), "--seeds", str(options.seeds)]
        command += ["--seed", str(options.seed)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Run.open(next(out.iterdir())).evaluated("g0-00").trained


def show(name: str, found: dict[str, tuple[Trained, ...]], options: argparse.Namespace) -> None:
    counts = " and ".join(f"{len(each)} by {trainer}" for trainer, each in found.items())
    print(f"{name}: {counts}, {options.steps:,} steps each")
    ours, theirs = (found[trainer] for trainer in TRAINERS)
    tell("height of the curve", *heights(ours, theirs))
    tell("final fitness", *(np.array([each.fitness for each in side]) for side in (ours, theirs)))


def heights(ours: Sequence[Trained], theirs: Sequence[Trained]) -> tuple[Array, Array]:
    """(seeds,) each: mean fitness of training episodes, over the stretch that all have."""
    lines = curves((ours, theirs))
    assert lines[0] is not None
    assert lines[1] is not None
    return mean_heights(lines[0]), mean_heights(lines[1])


def tell(what: str, ours: Array, theirs: Array) -> None:
    test = PermutationTest(ours, theirs, rng=np.random.default_rng(0))
    gap = test.interval()
    print(
        f"  {what:19} population {ours.mean():.4g}, sb3 {theirs.mean():.4g}; difference {gap.value:.3g} "
        f"[{gap.low:.3g}, {gap.high:.3g}], p = {test.p():.2f}"
    )


if __name__ == "__main__":
    main()
