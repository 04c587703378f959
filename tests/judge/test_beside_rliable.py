"""Frozen outputs of rliable 1.2.0, which is archived and no longer imports beside current pandas.

`aggregate_iqm`, `probability_of_improvement`, and `get_interval_estimates` with 50,000 and 2,000 resamples.
"""

import numpy as np
import pytest

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
    result = probability_of_improvement(
        list(OURS.T), list(THEIRS.T), rng=np.random.default_rng(0), repeats=20_000
    )
    assert result.value == pytest.approx(0.49166666666666664, abs=1e-12)
    assert result.low == pytest.approx(0.30833333, abs=0.015)
    assert result.high == pytest.approx(0.68354167, abs=0.015)
