"""How often a comparison errs: A/A, power and coverage, on made-up seeds of known truth, and on real ones.

    python benchmarks/honesty.py                    # made-up scores: half an hour on one core
    python benchmarks/honesty.py --real RUN...      # A/A on trainings of one reward, each used once: runs of
                                                    # `eureka train` with --seed 0, 1, ...

The distributions are what fitness looks like over seeds: normal; skewed (lognormal); two modes, as where some
trainings fail to take off; heavy tails. A difference is in units of the standard deviation. Both trainings of a
seed are correlated as stated, by a Gaussian copula.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from eureka_loop.judge.statistics import (
    PermutationTest,
    bootstrap_interval,
    iqm,
    probability_of_improvement,
    runs_to_decide,
)
from eureka_loop.records import Array, Candidate
from eureka_loop.report.comparison import LEVEL, Difference, compare
from eureka_loop.results import Evaluated, Trained, judged_episode
from eureka_loop.store import Run

Draw = Callable[[np.random.Generator, int], Array]

DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=0.7, size=n) / 0.96,
    "two modes": lambda rng, n: (np.where(rng.random(n) < 0.3, 0.0, 1.0) + 0.15 * rng.normal(size=n)) / 0.48,
    "heavy tails": lambda rng, n: rng.standard_t(3, size=n) / 1.73,
}
SHIFTS = (0.5, 1.0, 1.5, 2.0)  # true differences
WIDE = 1.5  # margin of "as good"
HEADS = (
    "equal rewards told apart",
    *(f"found: {shift:g} sd" for shift in SHIFTS),
    "wrong way at 0.5 sd",
    f'"as good" at a difference of the margin, {WIDE:g} sd',
    "at no difference",
    "interval of one reward holds the truth",
    "of the probability",
)


def evaluated(id: str, fitness: Array) -> Evaluated:
    results = [
        Trained(id, n, 1, (judged_episode(0, float(x), None, 1),), (), {}, 1.0) for n, x in enumerate(fitness)
    ]
    return Evaluated(Candidate(id, 0, "", ""), tuple(results))


def judged(ours: Array, theirs: Array) -> Difference:
    """The verdict that a report would give."""
    return compare((evaluated("g0-00", ours), evaluated("human", theirs))).differences[0]


@cache
def quantiles(draw: Draw) -> tuple[Array, Array]:
    """Ordered draws of a normal distribution, and of this one."""
    rng = np.random.default_rng(2)
    return np.sort(rng.normal(size=1_000_000)), np.sort(draw(rng, 1_000_000))


def pair(draw: Draw, rng: np.random.Generator, seeds: int, correlation: float) -> Array:
    """(2, seeds): both trainings of each seed, with the same reward."""
    first, second = rng.normal(size=(2, seeds))
    second = correlation * first + np.sqrt(1 - correlation**2) * second
    return np.interp(np.stack([first, second]), *quantiles(draw))


def rates(draw: Draw, seeds: int, correlation: float, repeats: int) -> Array:
    """Shares of comparisons under `HEADS`.

    One test serves all true differences: adding one to a side is the same as testing for its negative. The
    interval of the difference holds the truth where equal rewards aren't told apart.
    """
    rng, found = np.random.default_rng(1), []
    many = draw(np.random.default_rng(2), 2_000_000)
    middle, wins = float(iqm(many)), float((many[:1_000_000] + 1 > many[1_000_000:]).mean())
    for _ in range(repeats):
        ours, theirs = pair(draw, rng, seeds, correlation)
        test = PermutationTest(ours, theirs, rng=rng)
        apart = {true: test.p(-true) <= LEVEL for true in (0.0, *SHIFTS)}
        better = [apart[true] and test.difference + true > 0 for true in SHIFTS]
        close = (
            not apart[true] and abs(test.difference + true) < WIDE
            and max(test.p(-true - WIDE), test.p(-true + WIDE)) <= 2 * LEVEL
            for true in (WIDE, 0.0)
        )  # fmt: skip
        one = bootstrap_interval(theirs, rng=rng, repeats=2_000)
        chance = probability_of_improvement(ours + 1, theirs)
        held = (one.low <= middle <= one.high, chance.low <= wins <= chance.high)
        found.append([apart[0.0], *better, apart[0.5] and not better[0], *close, *held])
    return np.mean(found, axis=0)


def followed(draw: Draw, seeds: int, shift: float, repeats: int) -> tuple[float, float]:
    """Of comparisons that couldn't tell: the median advice, and how often following it finds the difference."""
    rng = np.random.default_rng(3)
    advice: list[int] = []
    found = 0
    for _ in range(repeats):
        ours, theirs = draw(rng, seeds) + shift, draw(rng, seeds)
        test = PermutationTest(ours, theirs, rng=rng)
        if test.p() <= LEVEL:
            continue
        needed = runs_to_decide(test.difference, test.error, seeds) or 100
        advice.append(needed)
        found += judged(draw(rng, needed) + shift, draw(rng, needed)).verdict == "better"
    return float(np.median(advice)), found / len(advice)


def synthetic(repeats: int) -> None:
    print(f"{repeats} comparisons a cell; of the four distributions the lowest and the highest\n")
    print(f"| seeds | correlation | {' | '.join(HEADS)} |")
    print("|---" * (len(HEADS) + 2) + "|")
    for seeds in (5, 8, 10):
        for correlation in (0.0, 0.1, 0.8):
            found = [rates(draw, seeds, correlation, repeats) for draw in DISTRIBUTIONS.values()]
            low, high = np.min(found, axis=0), np.max(found, axis=0)
            cells = (f"{100 * a:.1f}–{100 * b:.1f}%" for a, b in zip(low, high, strict=True))
            print(f"| {seeds} | {correlation} | {' | '.join(cells)} |", flush=True)
    print("\n| distribution | true difference | median advice | found with that many fresh seeds |")
    print("|---|---|---|---|")
    for name, draw in DISTRIBUTIONS.items():
        for shift in (0.7, 1.0):
            advice, found_again = followed(draw, 10, shift, repeats // 4)
            print(f"| {name} | {shift} sd | {advice:.0f} | {100 * found_again:.0f}% |", flush=True)


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
