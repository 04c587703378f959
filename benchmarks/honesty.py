"""How often a comparison errs: A/A, power and coverage, on made-up seeds of known truth, and on real ones.

    python benchmarks/honesty.py                    # made-up scores: some minutes on one core
    python benchmarks/honesty.py --real RUN...      # A/A on trainings of one reward, each used once: runs of
                                                    # `eureka train` with --seed 0, 1, ...

The distributions are what fitness looks like over seeds: normal; skewed (lognormal); two modes, as where some
trainings fail to take off; heavy tails. A difference is in units of the standard deviation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from eureka_loop.judge.statistics import bootstrap_interval, iqm, probability_of_improvement, runs_to_decide
from eureka_loop.records import Array, Candidate
from eureka_loop.report.comparison import Difference, compare, difference_interval
from eureka_loop.results import Evaluated, Trained, judged_episode
from eureka_loop.store import Run

Draw = Callable[[np.random.Generator, int], Array]

DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=0.7, size=n) / 0.96,
    "two modes": lambda rng, n: (np.where(rng.random(n) < 0.3, 0.0, 1.0) + 0.15 * rng.normal(size=n)) / 0.48,
    "heavy tails": lambda rng, n: rng.standard_t(3, size=n) / 1.73,
}


def evaluated(id: str, fitness: Array) -> Evaluated:
    results = [
        Trained(id, n, 1, (judged_episode(0, float(x), None, 1),), (), {}, 1.0) for n, x in enumerate(fitness)
    ]
    return Evaluated(Candidate(id, 0, "", ""), tuple(results))


def judged(ours: Array, theirs: Array) -> Difference:
    """The verdict that a report would give."""
    return compare((evaluated("g0-00", ours), evaluated("human", theirs))).differences[0]


def verdict_rates(draw: Draw, seeds: int, shift: float, repeats: int) -> tuple[float, float]:
    """Share of comparisons that end in "better", and in "worse"."""
    rng = np.random.default_rng(0)
    verdicts = [judged(draw(rng, seeds) + shift, draw(rng, seeds)).verdict for _ in range(repeats)]
    return verdicts.count("better") / repeats, verdicts.count("worse") / repeats


def coverage(draw: Draw, seeds: int, shift: float, repeats: int) -> tuple[float, float, float]:
    """How often the intervals of one reward, of the difference and of the probability hold the truth."""
    rng = np.random.default_rng(1)
    many = draw(np.random.default_rng(2), 2_000_000)
    middle = float(iqm(many))
    wins = float((many[:1_000_000] + shift > many[1_000_000:]).mean())
    held = np.zeros(3)
    for _ in range(repeats):
        ours, theirs = draw(rng, seeds) + shift, draw(rng, seeds)
        one = bootstrap_interval(theirs, rng=rng, repeats=2_000)
        difference, chance = difference_interval(ours, theirs, rng), probability_of_improvement(ours, theirs)
        held += [
            one.low <= middle <= one.high,
            difference.low <= shift <= difference.high,
            chance.low <= wins <= chance.high,
        ]
    one_held, difference_held, chance_held = held / repeats
    return float(one_held), float(difference_held), float(chance_held)


def followed(draw: Draw, seeds: int, shift: float, repeats: int) -> tuple[float, float]:
    """Of comparisons that couldn't tell: the median advice, and how often following it finds the difference."""
    rng = np.random.default_rng(3)
    advice: list[int] = []
    found = 0
    for _ in range(repeats):
        ours, theirs = draw(rng, seeds) + shift, draw(rng, seeds)
        if judged(ours, theirs).verdict != "can't tell":
            continue
        needed = runs_to_decide(ours, theirs, difference_interval(ours, theirs, rng)) or 100
        advice.append(needed)
        found += judged(draw(rng, needed) + shift, draw(rng, needed)).verdict == "better"
    return float(np.median(advice)), found / len(advice)


def synthetic(repeats: int) -> None:
    print(f"{repeats} comparisons a cell\n")
    print("| distribution | seeds | A/A told apart | one reward | difference | probability |")
    print("|---|---|---|---|---|---|")
    for name, draw in DISTRIBUTIONS.items():
        for seeds in (5, 10, 20):
            apart = sum(verdict_rates(draw, seeds, 0.0, repeats))
            held = " | ".join(f"{100 * each:.1f}%" for each in coverage(draw, seeds, 0.0, repeats))
            print(f"| {name} | {seeds} | {100 * apart:.1f}% | {held} |", flush=True)
    print("\n| distribution | seeds | found: 0.5 sd | 1 sd | 1.5 sd | 2 sd | wrong way at 0.5 sd |")
    print("|---|---|---|---|---|---|---|")
    for name, draw in DISTRIBUTIONS.items():
        for seeds in (5, 10, 20):
            rates = [verdict_rates(draw, seeds, shift, repeats) for shift in (0.5, 1.0, 1.5, 2.0)]
            cells = " | ".join(f"{100 * better:.0f}%" for better, _ in rates)
            print(f"| {name} | {seeds} | {cells} | {100 * rates[0][1]:.1f}% |", flush=True)
    print("\n| distribution | true difference | median advice | found with that many fresh seeds |")
    print("|---|---|---|---|")
    for name, draw in DISTRIBUTIONS.items():
        for shift in (0.7, 1.0):
            advice, found = followed(draw, 10, shift, repeats // 4)
            print(f"| {name} | {shift} sd | {advice:.0f} | {100 * found:.0f}% |", flush=True)


def real(folders: Sequence[Path], side: int) -> None:
    """As many comparisons of a reward with itself as its trainings allow, each training in one of them."""
    trained = [each for folder in folders for each in Run.open(folder).evaluated("g0-00").trained]
    fitness = np.array([each.fitness for each in trained])
    if len(fitness) < 2 * side:
        raise SystemExit(
            f"{len(fitness)} trainings are no two sides of {side}; give more, or a smaller --side"
        )
    pairs = fitness[: len(fitness) // (2 * side) * 2 * side].reshape(-1, 2, side)
    apart = sum(judged(ours, theirs).verdict != "can't tell" for ours, theirs in pairs)
    print(
        f"{pairs.size} trainings, fitness {fitness.mean():.3g} ± {fitness.std():.3g}: {len(pairs)} comparisons of "
        f"{side} and {side}, {apart} told apart ({apart / len(pairs):.1%})"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=2_000)
    parser.add_argument("--real", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--side", type=int, default=5, help="trainings a side, with --real")
    options = parser.parse_args()
    if options.real:
        real(options.real, options.side)
    else:
        synthetic(options.repeats)
