"""How often a bench's intervals hold the truth, on made-up searches of known truth.

    python benchmarks/search_intervals.py [--repeats 400]

Fitness of a training = what its search is worth + luck, both normal; the winner's is the hand-written reward's on
average (score 1), the sparse one's lies five deviations below. About two minutes on a core.
"""

from __future__ import annotations

import argparse

import numpy as np

from eureka_loop.judge.searches import Draws, draw, over_tasks, share_of_tasks
from eureka_loop.judge.statistics import iqm, percentile_interval
from eureka_loop.records import Array

TRAININGS = 3  # of a search's winner, and of each reference beside it
DRAWS = 1_000
GAP = 5.0
SHARES = (0.0, 0.5, 0.95)  # of the variance of what a search reaches that lies between searches


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=400)
    repeats = parser.parse_args().repeats
    print("intervals that hold the truth (95% should), by the share of variance that lies between searches")
    print("| tasks | searches | " + " | ".join(f"{share:.0%} between" for share in SHARES) + " |")
    print("|---|---|" + "---|" * len(SHARES))
    for tasks, searches in ((1, 3), (1, 5), (1, 10), (4, 3), (11, 3)):
        held = [coverage(tasks, searches, share, repeats) for share in SHARES]
        print(f"| {tasks} | {searches} | " + " | ".join(f"{each:.0%}" for each in held) + " |")
    alike = np.mean([at_least(3, 0.5, seed) for seed in range(repeats)])
    print(f"equal rewards: winners at or above the hand-written one in {alike:.0%} of tasks with 3 searches")


def coverage(tasks: int, searches: int, share: float, repeats: int) -> float:
    """How often the interval of the score of all tasks together holds 1."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(repeats):
        made = [task(searches, share, rng) for _ in range(tasks)]
        found = percentile_interval(iqm(made[0].scores) if tasks == 1 else over_tasks(made))
        hits += bool(found.low <= 1.0 <= found.high)
    return hits / repeats


def at_least(searches: int, share: float, seed: int) -> float:
    return float(share_of_tasks([task(searches, share, np.random.default_rng(seed))])[0])


def task(searches: int, share: float, rng: np.random.Generator) -> Draws:
    """A search's winner varies by 1 in all; a reference's trainings as much as a winner's do within a search."""
    between, within = np.sqrt(share), np.sqrt((1.0 - share) * TRAININGS)

    def trainings() -> Array:
        return rng.normal(0.0, within, (searches, TRAININGS))

    winners = GAP + rng.normal(0.0, between, (searches, 1)) + trainings()
    return draw(tuple(winners), tuple(GAP + trainings()), tuple(trainings()), rng, DRAWS)


if __name__ == "__main__":
    main()
