"""Frozen outputs of rliable 1.2.0, which is archived and no longer imports beside current pandas.

`aggregate_iqm` and `get_interval_estimates` with 50,000 resamples, `probability_of_improvement` for each task alone,
`run_score_deviation` at each level. Its own intervals of the latter two are bootstraps, which ours are not.
"""

import numpy as np
import pytest

from eureka_loop.judge.learning import profile
from eureka_loop.judge.statistics import bootstrap_interval, iqm, probability_of_improvement

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


def test_iqm_and_its_interval() -> None:
    interval = bootstrap_interval(list(OURS.T), iqm, rng=np.random.default_rng(0), repeats=50_000)
    assert interval.value == pytest.approx(8.945833333333333, abs=1e-12)
    assert interval.low == pytest.approx(7.76416667, abs=0.03)  # another generator's draws
    assert interval.high == pytest.approx(9.9, abs=0.03)


def test_probability_of_improvement() -> None:
    frozen = [0.4666666666666667, 0.3, 0.6333333333333333, 0.5666666666666667]
    ours = [probability_of_improvement(x, y).value for x, y in zip(OURS.T, THEIRS.T, strict=True)]
    assert ours == pytest.approx(frozen, abs=1e-12)


def test_performance_profile() -> None:
    """No score lies on a level, where ours counts it and theirs doesn't."""
    levels = np.array([4.0, 6.0, 8.0, 9.0, 10.5, 12.5])
    frozen = [1.0, 0.875, 0.6666666666666666, 0.5, 0.25, 0.041666666666666664]
    assert profile(OURS.ravel(), levels) == pytest.approx(frozen, abs=1e-12)
