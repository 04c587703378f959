"""How many seeds would decide: the advice, followed, finds the difference about as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.power import runs_to_decide
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array
from eureka_loop.report.comparison import difference_interval


def advice(ours: Array, theirs: Array) -> int | None:
    return runs_to_decide(ours, theirs, difference_interval(ours, theirs, np.random.default_rng(0)))


def test_a_difference_of_one_deviation_needs_about_twenty() -> None:
    """Cohen's table: 17 a side for a mean; an interquartile mean, whose error is larger, needs a few more."""
    rng = np.random.default_rng(0)
    told = [advice(rng.normal(1.0, 1.0, 40), rng.normal(0.0, 1.0, 40)) or 101 for _ in range(40)]
    assert 16 <= np.median(told) <= 24


def test_half_the_difference_needs_four_times_the_runs() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4)
    near, far = Interval(2.5, 1.0, 4.0), Interval(1.25, -0.25, 2.75)
    many, few = runs_to_decide(x - 1.25, y, far, most=1000), runs_to_decide(x, y, near, most=1000)
    assert many is not None
    assert few is not None
    assert many == pytest.approx(4 * few, abs=4)


def test_never_fewer_than_a_verdict_needs() -> None:
    assert advice(np.array([9.0, 9.1]), np.array([1.0, 1.1])) == 4


def test_no_number_where_it_is_over_the_limit_or_there_is_no_difference() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert advice(x, x) is None
    assert advice(x, x + 0.01) is None
