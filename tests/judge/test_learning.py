"""Learning curves: heights, crossings and bands of curves with answers worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.judge.learning import Curves, band, curves, mean_heights, steps_to_reach
from eureka_loop.results import Checkpoint, Trained


def trained(points: Sequence[tuple[int, float | None]]) -> Trained:
    taken = tuple(Checkpoint(step, 1, fitness, None, None, {}) for step, fitness in points)
    return Trained("g0-00", 0, 100, (), taken, {}, 1.0)


LATE = trained([(10, None), (20, 1.0), (40, 3.0)])
EARLY = trained([(10, 0.0), (30, 2.0)])
EMPTY = trained([(10, None)])


def test_curves_are_read_off_between_checkpoints_and_a_late_run_cuts_no_other_off() -> None:
    both, none = curves([[LATE, EARLY, EMPTY], [EMPTY]])
    assert both is not None
    np.testing.assert_array_equal(both.steps, [10, 20, 30, 40])
    np.testing.assert_array_equal(both.fitness, [[1.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 2.0]])
    np.testing.assert_array_equal(both.begun, [20, 10])
    assert none is None
    assert curves([[EMPTY]]) == [None]


def test_the_area_is_a_mean_height() -> None:
    found = Curves(np.array([0.0, 10.0, 30.0]), np.array([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]]), np.zeros(2))
    np.testing.assert_allclose(mean_heights(found), [25 / 30, 2.0])


def test_the_first_crossing_counts_not_before_the_first_episode_and_never_is_never() -> None:
    fitness = np.array([[0.0, 2.0, 0.0], [5.0, 0.0, 0.0], [5.0, 5.0, 5.0], [0.0, 0.1, 0.2]])
    found = Curves(np.array([10.0, 20.0, 30.0]), fitness, np.array([10.0, 10.0, 20.0, 10.0]))
    np.testing.assert_array_equal(steps_to_reach(found, 1.0), [15.0, 10.0, 20.0, np.inf])


def test_the_band_holds_the_middle_and_shrinks_with_runs() -> None:
    rng, widths = np.random.default_rng(0), []
    for runs in (5, 80):
        value, low, high = band(Curves(np.arange(3.0), rng.normal(size=(runs, 3)), np.zeros(runs)), rng)
        assert (low <= value).all()
        assert (value <= high).all()
        widths.append((high - low).mean())
    assert widths[1] < widths[0] / 2
