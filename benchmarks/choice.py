"""Rules of choice, replayed on tables of fitness by program and seed (benchmarks/data/pools, by pools.py).

    python benchmarks/choice.py [--repeats 4000]

A rule is given a pool's programs in random order, in generations of eight. Each training of a program is a row of
the table, drawn with replacement: so the true fitness of a program is its mean in the table, and what a rule
has seen says nothing else about the rest (without replacement, a lucky draw leaves unlucky ones). A row:
trainings that the rule takes; true fitness of its choice as a share of the best program's, with the standard
error over repeats (they share the table, so between pools there is more); its estimate ÷ true fitness, median
over repeats.

    every n     each program to the end with n seeds
    confirm n   each program with one seed; the best so far gets two more at a time until the best is one that has
                n; best by the mean drawn towards the median of the first eight, by n ÷ (n + 0.5): the product's
    raw n       the same by the mean itself

Rules marked * see as many programs, drawn at random, as make their steps equal to those of `every 1`.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

DATA = Path(__file__).parent / "data" / "pools"
GENERATION = 8
AT_ONCE = 2  # further trainings of the best
NOISE = 0.5  # variance of a program's trainings as a part of the variance between programs
Table = npt.NDArray[np.float64]  # (programs, seeds): fitness in the end
Choice = tuple[int, float, float]  # program, estimate of its fitness, trainings taken
Rule = Callable[[Table, int], Choice]


def every(table: Table, seeds: int) -> Choice:
    means = table[:, :seeds].mean(axis=1)
    best = int(means.argmax())
    return best, float(means[best]), len(table) * seeds


def confirm(table: Table, seeds: int, noise: float = NOISE) -> Choice:
    seen: dict[int, int] = {}

    def estimates() -> dict[int, float]:
        means = {place: float(table[place, :count].mean()) for place, count in seen.items()}
        middle = float(np.median([means[place] for place in seen if place < GENERATION]))
        return {
            place: middle + (mean - middle) * seen[place] / (seen[place] + noise)
            for place, mean in means.items()
        }

    for members in generations(table):
        seen |= dict.fromkeys(members, 1)
        while seen[best := max(found := estimates(), key=found.__getitem__)] < seeds:
            seen[best] = min(seeds, seen[best] + AT_ONCE)
    return best, found[best], sum(seen.values())


def generations(table: Table) -> list[range]:
    """Indices of the programs."""
    return [range(n, min(n + GENERATION, len(table))) for n in range(0, len(table), GENERATION)]


RULES: tuple[tuple[str, Rule, int], ...] = (
    *(("every", every, n) for n in (1, 2, 3)),
    *(("confirm", confirm, n) for n in (3, 5, 7)),
    *(("raw", partial(confirm, noise=0.0), n) for n in (3, 5, 7)),
)


def replay(table: Table, rule: Rule, seeds: int, repeats: int, programs: int) -> npt.NDArray[np.float64]:
    """(repeats, 3): trainings; true fitness of the choice ÷ the best program's; its estimate ÷ true fitness.

    Args:
        programs: number of those that the rule sees.
    """
    generator, true = np.random.default_rng(0), table.mean(axis=1)
    found = []
    for _ in range(repeats):
        order = generator.permutation(len(table))[:programs]
        drawn = generator.integers(table.shape[1], size=(programs, seeds))
        place, estimate, trainings = rule(np.take_along_axis(table[order], drawn, axis=1), seeds)
        chosen = true[order[place]]
        found.append((trainings, chosen / true.max(), estimate / max(chosen, 1e-9)))
    return np.array(found)


def tables() -> dict[str, Table]:
    """By pool; programs and seeds that aren't complete are left out."""
    found = {}
    for path in sorted(DATA.glob("*.csv")):
        rows: dict[str, dict[int, float]] = defaultdict(dict)
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                rows[row["program"]][int(row["seed"])] = float(row["fitness"])
        most = sorted(map(len, rows.values()))[len(rows) // 2]
        whole = [by for by in rows.values() if len(by) >= most]
        found[path.stem] = np.array([[by[n] for n in sorted(by)[:most]] for by in whole])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=4000)
    options = parser.parse_args()
    for pool, table in tables().items():
        print(f"{pool}: {len(table)} programs × {table.shape[1]} seeds")
        for name, rule, seeds in RULES:
            whole = replay(table, rule, seeds, options.repeats, len(table))
            show(f"{name} {seeds}", whole)
            if (taken := whole[:, 0].mean()) > len(table):
                for _ in range(3):  # the best of few programs takes a larger part of the trainings
                    programs = round(len(table) * len(table) / taken)
                    part = replay(table, rule, seeds, options.repeats, programs)
                    taken = part[:, 0].mean() * len(table) / programs
                show(f"{name} {seeds}*", part)


def show(name: str, found: npt.NDArray[np.float64]) -> None:
    trainings, share, _ = found.mean(axis=0)
    error, estimate = found[:, 1].std() / np.sqrt(len(found)), np.median(found[:, 2])
    print(f"  {name:10} {trainings:5.1f} trainings  {share:.3f} ± {error:.3f} of the best  {estimate:.2f}")


if __name__ == "__main__":
    main()
