"""Statistics against numbers worked out by hand, enumerated, simulated, or frozen from rliable 1.2.0.

rliable is archived and no longer imports with current pandas. Frozen are `aggregate_iqm` and
`get_interval_estimates` with 50,000 resamples, and `probability_of_improvement` for each task alone.
"""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.statistics import (
    Interval,
    PermutationTest,
    clipped,
    human_normalised,
    iqm,
    pearson,
    percentile_interval,
    probability_of_improvement,
    rate_interval,
    resampled,
    runs_to_decide,
)
from eureka_loop.records import Array

# (runs, tasks): rliable's layout; a stratum here is a task, so a column.
OURS = np.array(
    [
        [10.0, 10.9, 9.18, 7.33],
        [8.64, 7.03, 10.18, 14.02],
        [8.52, 8.14, 11.47, 11.07],
        [10.32, 7.21, 9.91, 12.09],
        [5.97, 8.63, 4.3, 6.13],
        [4.47, 9.29, 6.2, 10.81],
    ]
)
THEIRS = np.array(
    [
        [3.79, 4.99, 4.92, 7.95],
        [2.06, 8.43, 6.13, 11.68],
        [11.87, 13.18, 11.3, 8.84],
        [11.58, 13.52, 7.04, 10.83],
        [8.87, 13.32, 6.49, 8.1],
    ]
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_rliables_iqm_and_its_interval() -> None:
    generator = rng()
    draws = np.concatenate([resampled(task, 50_000, generator) for task in OURS.T], axis=1)
    interval = percentile_interval(np.append(iqm(OURS.ravel()), iqm(draws)))
    assert interval.value == pytest.approx(8.945833333333333, abs=1e-12)
    assert (interval.low, interval.high) == pytest.approx((7.76416667, 9.9), abs=0.03)  # other random draws


def test_rliables_probability_of_improvement() -> None:
    ours = [probability_of_improvement(x, y).value for x, y in zip(OURS.T, THEIRS.T, strict=True)]
    assert ours == pytest.approx([0.4666666666666667, 0.3, 0.6333333333333333, 0.5666666666666667], abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1e9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -1e9], 3.5),
        ([0.0, 1.0, 2.0, 6.0, 100.0], 3.0),  # quarters are rounded down: of five one at each end
        ([[1.0, 2.0, 3.0, 10.0], [4.0, 4.0, 4.0, 4.0]], [2.5, 4.0]),
    ],
)
def test_iqm(scores: list[float], expected: float) -> None:
    assert iqm(np.array(scores)).tolist() == expected


def test_probability_of_improvement_counts_pairs() -> None:
    """{1, 3} against {0, 2, 3}: won 1>0, 3>0, 3>2; tied 3=3; of six pairs: 3.5 / 6."""
    result = probability_of_improvement(np.array([1.0, 3.0]), np.array([0.0, 2.0, 3.0]))
    assert result.value == pytest.approx(3.5 / 6)
    assert result.low <= result.value <= result.high


def test_where_every_pair_is_won_the_interval_still_has_a_width() -> None:
    ours, theirs = np.arange(10.0) + 100, np.arange(10.0)
    found, back = probability_of_improvement(ours, theirs), probability_of_improvement(theirs, ours)
    assert found == Interval(1.0, pytest.approx(0.8002, abs=1e-4), 1.0)
    assert back == Interval(0.0, 0.0, pytest.approx(1 - found.low))
    assert probability_of_improvement(ours[:4], theirs[:4]).low < 0.6


@pytest.mark.parametrize(
    ("method", "human", "sparse", "expected"),
    [
        (30.0, 10.0, -10.0, 2.0),
        (5.0, 0.0, 1.0, 4.0),  # more fitness is a higher score also where the hand-written reward is worse
        (-1.0, 1.0, 0.0, -1.0),
        (50.0, 0.0, 0.0, None),
        (50.0, 100.0, 99.5, None),
    ],
)
def test_human_normalised(method: float, human: float, sparse: float, expected: float | None) -> None:
    assert human_normalised(method, human, sparse) == expected
    assert expected is None or clipped(expected) == {4.0: 3.0, 2.0: 2.0, -1.0: 0.0}[expected]


def permutations(ours: Array, theirs: Array) -> PermutationTest:
    return PermutationTest(ours, theirs, rng=rng())


def test_permutations() -> None:
    """Of the 70 splits of 1..4 | 5..8 the observed one and its mirror image differ most."""
    assert permutations(np.arange(4.0), np.arange(8.0, 4.0, -1.0)).p() == pytest.approx(2 / 70)
    assert permutations(np.arange(20.0), np.arange(20.0, 40.0)).p() == pytest.approx(1 / 10_001)


def test_the_interval_holds_what_the_test_does_not_refute() -> None:
    test = permutations(rng().normal(1.0, 1.0, 8), np.arange(8.0) / 4)
    found, near = test.interval(), 0.02 * test.error
    for end, outwards in ((found.low, -near), (found.high, near)):
        assert test.p(end - outwards) > 0.05 >= test.p(end + outwards)
    assert test.p_within(abs(found.value)) == 1.0
    widest = max(abs(found.low), abs(found.high))
    assert test.p_within(widest + near) <= 0.025 < test.p_within(widest - near)


def test_seeds_in_common_help_where_they_decide_how_a_training_ends() -> None:
    x = rng().normal(size=8)
    assert permutations(x + 0.5, x[::-1]).p() > 0.1
    assert permutations(x + 0.5, x + 0.1 * rng().normal(size=8)).p() < 0.05


@pytest.mark.parametrize(("one", "other"), [(1.0, 1.0), (0.1 + 0.2, 0.3), (-1e9, np.nextafter(-1e9, 0))])
def test_a_difference_by_rounding_is_none(one: float, other: float) -> None:
    assert permutations(np.full(5, one), np.full(5, other)).p() == 1.0


def test_pearson() -> None:
    """Centred: (-1, 0, 1) and (-1, 1, 0): 1 / 2."""
    assert pearson(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 1.0])) == pytest.approx(0.5)
    assert pearson(np.full(7, 0.1), np.arange(7.0)) is None
    assert pearson(np.array([0.1, 0.1 + 1e-17, 0.1]), np.arange(3.0)) is None


@pytest.mark.parametrize(
    ("rates", "expected"),
    [  # of 10 in 10 the lower end is n / (n + z²), of 5 in 10 half the width is z / (2 √(n + z²))
        ([1.0] * 10, (1.0, 0.7225, 1.0)),
        ([0.0] * 10, (0.0, 0.0, 0.2775)),
        ([1.0, 0.0] * 5, (0.5, 0.2366, 0.7634)),
    ],
)
def test_a_rate_interval_is_wilsons(rates: list[float], expected: tuple[float, float, float]) -> None:
    found = rate_interval(np.array(rates))
    assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-4)


# Runs to decide: the advice, followed, finds the difference about as often as it states.


def advice(ours: Array, theirs: Array) -> int | None:
    test = permutations(ours, theirs)
    return runs_to_decide(test.difference, test.error, ours.size)


def test_a_difference_of_one_deviation_needs_about_twenty_runs() -> None:
    """Cohen's table: 17 a side."""
    generator = rng()
    found = [advice(generator.normal(1.0, 1.0, 40), generator.normal(0.0, 1.0, 40)) or 101 for _ in range(30)]
    assert 14 <= np.median(found) <= 20


def test_bounds_of_the_advice() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert advice(np.array([9.0, 9.1]), np.array([1.0, 1.1])) == 4  # with fewer nothing is ever decided
    assert advice(x, x) is None
    assert advice(x, x + 0.01) is None
