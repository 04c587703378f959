"""Rules of choice, replayed on tables of fitness by program and seed (benchmarks/data/pools, by pools.py).

    python benchmarks/choice.py [--repeats 4000]

A rule is given a pool's programs in random order, in generations of eight, and sees the seeds of each in random
order. A row: steps it takes, in whole trainings; fitness of the program that it chooses, over the seeds that it
has not seen, as a share of the best program's, with the standard error over repeats (they share the table, so
between pools there is more); its own mean ÷ that fitness, median over repeats. A rule that leaves no seed unseen
is left out.

    every n     each program to the end with n seeds
    halving n   the best third of a generation go on after a third of the steps (by the training episodes'
                fitness then), with n seeds in all; the others stay
    confirm n   each program with one seed; the best of a generation gets n in all, and so on, until the best so
                far is one that has them: the product's
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

DATA = Path(__file__).parent / "data" / "pools"
GENERATION, ETA = 8, 3
EARLY = 3  # index of the tenth of the steps that follows a third of them
Table = npt.NDArray[np.float64]  # (programs, seeds, 2): fitness early and in the end
Choice = tuple[int, int, float, float]  # program, seeds of it that were seen, their mean, trainings taken
Rule = Callable[[Table, int], Choice]


def every(table: Table, seeds: int) -> Choice:
    means = table[:, :seeds, 1].mean(axis=1)
    best = int(means.argmax())
    return best, seeds, means[best], len(table) * seeds


def halving(table: Table, seeds: int) -> Choice:
    kept: list[int] = []
    for members in generations(table):
        kept += sorted(members, key=lambda place: -table[place, 0, 0])[: -(-len(members) // ETA)]
    place, _, mean, trainings = every(table[kept], seeds)
    return kept[place], seeds, mean, trainings + (len(table) - len(kept)) / ETA


def confirm(table: Table, seeds: int) -> Choice:
    seen: dict[int, int] = {}

    def mean(place: int) -> float:
        return float(table[place, : seen[place], 1].mean())

    best = 0
    for members in generations(table):
        seen |= dict.fromkeys(members, 1)
        while seen[best := max(seen, key=mean)] < seeds:
            seen[best] = seeds
    return best, seeds, mean(best), sum(seen.values())


def generations(table: Table) -> list[range]:
    """Indices of the programs."""
    return [range(n, min(n + GENERATION, len(table))) for n in range(0, len(table), GENERATION)]


RULES: tuple[tuple[Rule, int], ...] = (
    (every, 1), (every, 2), (every, 3), (halving, 1), (halving, 3), (confirm, 2), (confirm, 3), (confirm, 5),
)  # fmt: skip


def replay(table: Table, rule: Rule, seeds: int, repeats: int) -> npt.NDArray[np.float64]:
    """(repeats, 3): trainings; fitness of the choice ÷ the best program's; its mean ÷ fitness of the choice."""
    generator, best = np.random.default_rng(0), table[:, :, 1].mean(axis=1).max()
    found = []
    for _ in range(repeats):
        shuffled = table[generator.permutation(len(table))]
        order = generator.permuted(np.tile(np.arange(table.shape[1]), (len(table), 1)), axis=1)
        shuffled = np.take_along_axis(shuffled, order[:, :, None], axis=1)
        place, seen, estimate, trainings = rule(shuffled, seeds)
        fresh = shuffled[place, seen:, 1].mean()
        found.append((trainings, fresh / best, estimate / max(fresh, 1e-9)))
    return np.array(found)


def tables() -> dict[str, Table]:
    """By pool; programs and seeds that aren't complete are left out."""
    found = {}
    for path in sorted(DATA.glob("*.csv")):
        rows: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                early = float(row[f"tenth_{EARLY + 1}"] or 0)
                rows[row["program"]][int(row["seed"])] = early, float(row["fitness"])
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
        for rule, seeds in RULES:
            if seeds >= table.shape[1]:
                continue
            found, name = replay(table, rule, seeds, options.repeats), f"{rule.__name__} {seeds}"
            trainings, share, _ = found.mean(axis=0)
            error, estimate = found[:, 1].std() / np.sqrt(len(found)), np.median(found[:, 2])
            print(
                f"  {name:10} {trainings:5.1f} trainings  {share:.3f} ± {error:.3f} of the best  {estimate:.2f}"
            )


if __name__ == "__main__":
    main()
