"""What a verdict promises, on made-up seeds whose truth is known; `benchmarks/honesty.py` measures it finer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.judge.statistics import bootstrap_interval, iqm, probability_of_improvement
from eureka_loop.records import Array, Candidate
from eureka_loop.report.comparison import compare, difference_interval
from eureka_loop.results import Evaluated, Trained, judged_episode

Draw = Callable[[np.random.Generator, int], Array]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=0.7, size=n),
    "two modes": lambda rng, n: np.where(rng.random(n) < 0.3, 0.0, 1.0) + 0.15 * rng.normal(size=n),
}
SEEDS = 10  # as `eureka compare` takes


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_loop.report.comparison.REPEATS", 1_000)


def evaluated(id: str, fitness: Array) -> Evaluated:
    results = [
        Trained(id, n, 1, (judged_episode(0, float(x), None, 1),), (), {}, 1.0) for n, x in enumerate(fitness)
    ]
    return Evaluated(Candidate(id, 0, "", ""), tuple(results))


def verdicts(draw: Draw, shift: float, repeats: int) -> list[str]:
    rng = np.random.default_rng(3)
    return [
        compare((evaluated("g0-00", draw(rng, SEEDS) + shift), evaluated("human", draw(rng, SEEDS))))
        .differences[0]
        .verdict
        for _ in range(repeats)
    ]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_reward_beside_itself_can_not_be_told_apart(name: str) -> None:
    """A/A: at least 95 %; of 200 at 5 %, 19 or more errors happen in under 1 % of such tests."""
    found = verdicts(DISTRIBUTIONS[name], 0.0, 200)
    assert len(found) - found.count("can't tell") <= 18


@pytest.mark.parametrize(("shift", "least", "most"), [(1.0, 0.35, 0.65), (2.0, 0.93, 1.0)])
def test_a_known_difference_is_found_at_the_stated_rate(shift: float, least: float, most: float) -> None:
    """The rates of docs/compare.md: one deviation in about half of all comparisons, two in nearly all."""
    found = verdicts(DISTRIBUTIONS["normal"], shift, 120)
    assert least <= found.count("better") / 120 <= most
    assert "worse" not in found


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_hold_the_truth_at_their_level(name: str) -> None:
    """Of 300, fewer than 273 (91 %) happens in under 1 % of such tests where 95 % is true."""
    draw, rng = DISTRIBUTIONS[name], np.random.default_rng(5)
    many, repeats = draw(np.random.default_rng(1), 400_000), 300
    middle, wins = float(iqm(many)), 0.5
    held = np.zeros(3)
    for _ in range(repeats):
        ours, theirs = draw(rng, SEEDS), draw(rng, SEEDS)
        one = bootstrap_interval([ours], rng=rng, repeats=1_000)
        difference, chance = difference_interval(ours, theirs, rng), probability_of_improvement(ours, theirs)
        held += [
            one.low <= middle <= one.high,
            difference.low <= 0.0 <= difference.high,
            chance.low <= wins <= chance.high,
        ]
    assert (held / repeats >= 0.91).all(), held / repeats
    assert (held / repeats <= 0.99).all(), held / repeats
