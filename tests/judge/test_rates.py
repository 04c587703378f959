"""Intervals of success rates: they hold the truth about as often as they say, and never collapse."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from eureka_loop.judge.statistics import bootstrap_interval, mean, rate_interval
from eureka_loop.records import Array

REPEATS, EPISODES = 1_000, 10
Kind = tuple[Literal["alike", "spread", "modes"], float, float]

# What trainings are like: all of one rate; rates spread by a beta distribution (mean, correlation of a seed's
# episodes); or a share of them that takes off, and the rate of those that do.
KINDS: list[Kind] = [
    ("alike", 0.05, 0.0), ("alike", 0.5, 0.0), ("alike", 0.97, 0.0),
    ("spread", 0.2, 0.3), ("spread", 0.9, 0.3), ("spread", 0.5, 0.8), ("spread", 0.97, 0.8),
    ("modes", 0.5, 1.0), ("modes", 0.9, 1.0), ("modes", 0.95, 1.0), ("modes", 0.9, 0.95),
]  # fmt: skip


def made_up(kind: Kind, seeds: int) -> tuple[Array, float]:
    """(REPEATS, seeds) rates over judged episodes, and the true one."""
    rng = np.random.default_rng(7)
    name, a, b = kind
    shape = (REPEATS, seeds)
    if name == "alike":
        chances, truth = np.full(shape, a), a
    elif name == "spread":
        chances, truth = rng.beta(a * (1 - b) / b, (1 - a) * (1 - b) / b, shape), a
    else:
        chances, truth = b * (rng.random(shape) < a), a * b
    return rng.binomial(EPISODES, chances) / EPISODES, truth


def coverage(kind: Kind, seeds: int) -> float:
    rates, truth = made_up(kind, seeds)
    found = [rate_interval(each) for each in rates]
    return float(np.mean([each.low <= truth <= each.high for each in found]))


@pytest.mark.parametrize(("seeds", "least"), [(5, 0.88), (10, 0.91), (20, 0.91)])
def test_it_covers_whatever_trainings_are_like(seeds: int, least: float) -> None:
    found = {kind: coverage(kind, seeds) for kind in KINDS}
    assert min(found.values()) >= least, found
    assert np.mean(list(found.values())) >= 0.95


def test_a_bootstrap_does_not_cover() -> None:
    """Why it isn't used: where one training in twenty fails, ten that succeed have seen nothing of it."""
    rates, truth = made_up(("modes", 0.95, 1.0), 10)
    rng = np.random.default_rng(0)
    found = [bootstrap_interval([each], mean, rng=rng, repeats=200) for each in rates[:300]]
    assert np.mean([each.low <= truth <= each.high for each in found]) < 0.5


@pytest.mark.parametrize(
    ("rates", "value", "low", "high"),
    [  # of 10 in 10 the lower end is n / (n + z²), of 5 in 10 half the width is z / (2 √(n + z²))
        ([1.0] * 10, 1.0, 0.7225, 1.0),
        ([0.0] * 10, 0.0, 0.0, 0.2775),
        ([1.0, 0.0] * 5, 0.5, 0.2366, 0.7634),
        ([1.0], 1.0, 0.2065, 1.0),
    ],
)
def test_it_is_wilsons_and_does_not_collapse(
    rates: list[float], value: float, low: float, high: float
) -> None:
    found = rate_interval(np.array(rates))
    assert found.value == value
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert found.low <= found.value <= found.high
