"""Rules of choice, replayed on tables of fitness by program and seed (benchmarks/data/pools, by pools.py).

    python benchmarks/choice.py [--repeats 4000]

A rule is given a pool's programs in random order, in generations of eight, and sees the seeds of each in random
order. A row: steps it takes, in whole trainings; fitness of the program that it chooses, over the seeds that it
has not seen, as a share of the best program's; its own estimate ÷ that fitness (median over repeats); all with
the standard error over repeats, which share the table, so that between pools there is more.

    every n     each program to the end with n seeds; the mean decides
    halving n   the best third of a generation go on after a third of the steps (by the training episodes'
                fitness then), the others stay; those that go on get n seeds in all
    racing n    as halving, but only the best by estimate gets n seeds, and again as long as another is then the
                best, twice a generation at most
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eureka_loop.results import shrunk

DATA = Path(__file__).parent / "data" / "pools"
GENERATION, ETA, RACES = 8, 3, 2
EARLY = 3  # index of the tenth of the steps that follows a third of them
Table = npt.NDArray[np.float64]  # (programs, seeds, 2): fitness early and in the end
Choice = tuple[int, int, float, float]  # program, seeds of it that were seen, estimate, trainings taken


def every(seeds: int) -> Callable[[Table], Choice]:
    def choose(table: Table) -> Choice:
        means = table[:, :seeds, 1].mean(axis=1)
        estimates = shrunk([list(each) for each in table[:, :seeds, 1]])
        best = int(means.argmax())
        return best, seeds, estimates[best], len(table) * seeds

    return choose


def halving(seeds: int, *, race: bool = False) -> Callable[[Table], Choice]:
    def choose(table: Table) -> Choice:
        seen: dict[int, int] = {}
        spent = 0.0

        def estimates() -> dict[int, float]:
            known = list(seen)
            values = shrunk([list(table[place, : seen[place], 1]) for place in known])
            return dict(zip(known, values, strict=True))

        for first in range(0, len(table), GENERATION):
            members = list(range(first, min(first + GENERATION, len(table))))
            kept = sorted(members, key=lambda place: -table[place, 0, 0])[: -(-len(members) // ETA)]
            first_seeds = 1 if race else seeds
            spent += (len(members) - len(kept)) / ETA + len(kept) * first_seeds
            seen |= dict.fromkeys(kept, first_seeds)
            for _ in range(RACES if race else 0):
                found = estimates()
                best = max(found, key=lambda place: found[place])
                spent += seeds - seen[best]
                seen[best] = seeds
        found = estimates()
        best = max((place for place in seen if seen[place] == seeds), key=lambda place: found[place])
        return best, seeds, found[best], spent

    return choose


RULES = {
    "every 1": every(1),
    "every 2": every(2),
    "halving 1": halving(1),
    "halving 2": halving(2),
    "halving 3": halving(3),
    "racing 2": halving(2, race=True),
    "racing 3": halving(3, race=True),
    "racing 4": halving(4, race=True),
}


def replay(table: Table, rule: Callable[[Table], Choice], repeats: int) -> npt.NDArray[np.float64]:
    """(repeats, 3): trainings; fitness of the choice ÷ the best program's; estimate ÷ fitness of the choice."""
    generator, best = np.random.default_rng(0), table[:, :, 1].mean(axis=1).max()
    found = []
    for _ in range(repeats):
        shuffled = table[generator.permutation(len(table))]
        order = generator.permuted(np.tile(np.arange(table.shape[1]), (len(table), 1)), axis=1)
        shuffled = np.take_along_axis(shuffled, order[:, :, None], axis=1)
        place, seen, estimate, trainings = rule(shuffled)
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
        for name, rule in RULES.items():
            found = replay(table, rule, options.repeats)
            trainings, share, _ = found.mean(axis=0)
            error, estimate = found[:, 1].std() / np.sqrt(len(found)), np.median(found[:, 2])
            print(
                f"  {name:10} {trainings:5.1f} trainings  {share:.3f} ± {error:.3f} of the best  {estimate:.2f}"
            )


if __name__ == "__main__":
    main()
