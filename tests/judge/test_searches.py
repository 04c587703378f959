"""Searches as the unit of replication: draws, scores, and widths of intervals."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.searches import (
    Replicates,
    at_least_human,
    draw,
    interval,
    over_tasks,
    rates,
    scores,
    seen,
    share_of_tasks,
)
from eureka_loop.records import Array


def task(winners: list[list[float]], human: list[float], sparse: list[float]) -> Replicates:
    """With the references' trainings as those of one search."""
    one, other = (((np.array(each),) if each else ()) for each in (human, sparse))
    return Replicates(tuple(map(np.array, winners)), one, other)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("winners", "human", "expected"),
    [
        ([[3.0, 5.0], [1.0]], [5.0, 5.0], [[0.75, 0.0]]),
        ([[3.0]], [-1.0], [[1.0]]),  # hand-written below sparse: the scale keeps its direction
    ],
)
def test_scores_run_from_sparse_to_hand_written(
    winners: list[list[float]], human: list[float], expected: list[list[float]]
) -> None:
    assert scores(seen(task(winners, human, [1.0, 1.0]))).tolist() == expected


def test_without_a_reference_there_is_no_score() -> None:
    found = seen(task([[3.0]], [], [1.0]))
    assert np.isnan(scores(found)).all()
    assert at_least_human(found).tolist() == [0.0]
    assert np.isnan(draw(task([[3.0]], [], [1.0]), rng(), 10).human).all()


def test_searches_are_drawn_whole() -> None:
    """Two searches far apart, each with many equal trainings: a draw has one, the other, or both."""
    means = draw(task([[0.0] * 50, [1.0] * 50], [1.0], [0.0]), rng(), 4000).winners.mean(axis=1)
    assert sorted(set(means.tolist())) == [0.0, 0.5, 1.0]
    assert np.mean(means == 0.5) == pytest.approx(0.5, abs=0.03)


def test_more_trainings_of_a_search_narrow_no_difference_between_searches() -> None:
    def width(trainings: int) -> float:
        apart = task([[value] * trainings for value in (0.0, 1.0, 2.0)], [1.0], [0.0])
        found = interval(np.array([1.0]), scores(draw(apart, rng())).mean(axis=1))
        return found.high - found.low

    assert width(100) == pytest.approx(width(1))


def test_trainings_within_a_search_are_drawn_too() -> None:
    assert float(np.ptp(draw(task([[0.0, 1.0, 2.0]], [1.0], [0.0]), rng()).winners)) == 2.0


def test_references_are_drawn_one_by_one_over_all_searches() -> None:
    two = Replicates((np.array([1.0]),), (np.array([0.0, 0.0]), np.array([4.0, 4.0])), (np.array([5.0]),))
    assert seen(two).human.tolist() == [2.0]
    found = draw(two, rng(), 4000)
    assert sorted(set(found.human.tolist())) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert set(found.sparse.tolist()) == {5.0}


def test_every_task_keeps_its_weight_in_the_aggregate() -> None:
    one, other = (task([[v] for v in values], [1.0], [0.0]) for values in ([0.0, 0.1, 0.2], [0.8, 0.9, 9.0]))
    assert over_tasks([seen(one), seen(other)]).tolist() == [pytest.approx((0.1 + 0.2 + 0.8 + 0.9) / 4)]
    drawn = over_tasks([draw(one, rng(), 500), draw(other, rng(), 500)])
    assert drawn.min() >= 0.0
    assert (drawn < 9.0).all()  # three of six at least are the first task's


def test_equal_rewards_come_out_equal_with_skewed_trainings() -> None:
    """A third of the trainings don't take off: a mean over few and an interquartile mean of many would differ."""
    trainings = tuple(np.array(each) for each in ([0.0, 9.0, 9.0], [9.0, 0.0, 9.0], [9.0, 9.0, 0.0]))
    found = seen(Replicates(trainings, trainings, (np.array([0.0]),)))
    assert scores(found).mean() == pytest.approx(1.0)
    assert at_least_human(found).tolist() == [1.0]


def test_equal_but_for_rounding_is_at_the_hand_written_reward() -> None:
    found = seen(task([[0.3]], [0.1 + 0.2], [0.0]))
    assert at_least_human(found).tolist() == [1.0]


def test_shares_rates_and_intervals() -> None:
    above, below = task([[2.0]], [1.0, 1.0], [0.0]), task([[0.5]], [1.0, 1.0], [0.0])
    assert share_of_tasks([seen(above), seen(below)]).tolist() == [0.5]
    found = rates([np.array([1.0, 1.0, 1.0]), np.array([0.0])])  # searches weigh alike
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.0945, 0.9055), abs=1e-4)
    draws = np.array([np.nan, np.inf, *np.linspace(0, 1, 101)])  # undefined draws are left out
    found = interval(np.array([0.4]), draws)
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.025, 0.975))


@pytest.mark.parametrize("between", [0.0, 1.0])
def test_intervals_of_ten_searches_cover_about_as_often_as_they_say(between: float) -> None:
    random, hits = np.random.default_rng(1), 0
    for _ in range(200):
        reached: Array = random.normal(0, between, (10, 1)) + random.normal(0, 0.5, (10, 3))
        found = draw(Replicates(tuple(reached)), random, 400).winners
        low, high = np.percentile(np.sort(found)[:, 2:8].mean(axis=1), [2.5, 97.5])
        hits += bool(low <= 0.0 <= high)
    assert hits / 200 >= 0.9
