"""Fitness by way of searching: several whole searches each way, their choices trained on fresh seeds.

    python benchmarks/ways.py [--task hopper-hop] [--searches 8] [--steps 12288] [--ways steady halving sb3]

Every way searches with the same seeds, designer, budget and hyperparameters; what each search has chosen is
trained afresh on seeds that no search has seen. A search is one draw: means over searches, their
difference from the plain way's with its 95% interval, and a permutation test. Times are sums over the searches,
which run one after the other, so CPU time says more than wall-clock where others use the machine.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from halving import on_fresh_seeds, search

from eureka_loop.judge.statistics import PermutationTest
from eureka_loop.records import Array

SETTINGS = Path(__file__).with_name("plain.toml")
WAYS = {
    "plain": (),
    "steady": ("--steady",),
    "halving": ("--halving", "3"),
    "sb3": ("--trainer", "sb3"),
}


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
    parser.add_argument("--ways", nargs="+", choices=[*WAYS][1:], default=("steady", "halving"))
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
            (fresh,) = on_fresh_seeds(options, done.run, [done.best.candidate.id])
            fitness.append(np.mean([each.fitness for each in fresh.trained]))
            wall, cpu, steps = wall + done.wall, cpu + done.cpu, steps + done.steps
    told = ", ".join(f"{each:.3g}" for each in fitness)
    print(f"  {way:8} {wall:5.0f} s, {cpu:5.0f} s of CPU time, {steps:,} steps; choices: {told}", flush=True)
    return Found(np.array(fitness), wall, cpu, steps)


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
