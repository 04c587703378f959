"""What company costs in the population trainer: programs whose environments step in other ways, and failed ones.

    python benchmarks/company.py [--env HalfCheetah-v5] [--learners 8] [--rounds 5]

Two workers have so many learners each, of which half ask for contacts: divided in order of arrival, so that each
worker trains two cohorts, one after the other; and such that each has those that step alike. Then a cohort of as
many, of which half fail in their first rollout, beside one in which nobody does and one of the others alone. Times
are CPU time of this process for a rollout of 512 steps and its update, median of the rounds, in which all take turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from learners import assembled
from population import PLAIN

from eureka_loop.envs.registry import find_domain
from eureka_loop.train.population.cohort import Cohort

USUAL = "def compute_reward(forward_velocity):\n    return {'speed': forward_velocity}\n"
TOUCHING = (
    "def compute_reward(forward_velocity, torso_contact_force):\n"
    "    return {'speed': forward_velocity, 'touch': -1e-3 * np.abs(torso_contact_force).sum(axis=1)}\n"
)
FAILING = (
    "def compute_reward(action, time):\n    return {'a': action[:, 0] / np.where(time > 0.0, 0.0, 1.0)}\n"
)
SETTINGS = {**PLAIN, "n_steps": 512, "n_envs": 1}


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--learners", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    half = options.learners // 2
    workers = {
        "in order of arrival, each": [USUAL, TOUCHING] * half,
        "those that ask for nothing": [USUAL] * 2 * half,
        "those that ask for contacts": [TOUCHING] * 2 * half,
        "half of them failed": [USUAL, FAILING] * half,
        "the others alone": [USUAL] * half,
    }
    print(options.env)
    spent = measured(options.env, workers, options.rounds)
    for name, seconds in spent.items():
        print(f"  {name:28} {1e3 * seconds:6.0f} ms")
    mixed, usual, touching, failed, others = spent.values()
    both, slower = (usual + touching) / (2 * mixed), max(usual, touching) / mixed
    print(f"  alike ÷ in order: {both:.2f}, the slower worker {slower:.2f}")
    print(f"  half failed ÷ nobody: {failed / usual:.2f}, ÷ the others alone {failed / others:.2f}")


def measured(env: str, workers: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Seconds of CPU time that each takes for a rollout and an update of all its cohorts."""
    task = find_domain(env).tasks[0]
    with ExitStack() as stack:
        cohorts = [assembled(task, sources, SETTINGS, stack) for sources in workers.values()]
        for each in cohorts:
            advance(each)  # who fails has failed then
        spent = [[advance(each) for each in cohorts] for _ in range(rounds)]
    return {name: median(column) for name, column in zip(workers, zip(*spent, strict=True), strict=True)}


def advance(cohorts: Sequence[Cohort]) -> float:
    begin = time.process_time()
    for cohort in cohorts:
        cohort.advance()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
