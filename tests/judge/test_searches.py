"""Searches as the unit of replication: draws, scores, and widths of intervals."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.searches import Draws, draw, over_tasks, share_of_tasks
from eureka_loop.judge.statistics import percentile_interval


def drawn(winners: list[list[float]], human: list[float], sparse: list[float], repeats: int = 4000) -> Draws:
    """With the references' trainings as those of one search."""
    one, other = ((np.array(each),) if each else () for each in (human, sparse))
    return draw(tuple(map(np.array, winners)), one, other, np.random.default_rng(0), repeats)


@pytest.mark.parametrize(
    ("winners", "human", "expected"),
    [
        ([[3.0, 5.0], [1.0]], [5.0, 5.0], [0.75, 0.0]),
        ([[3.0]], [-1.0], [1.0]),  # hand-written below sparse: the scale keeps its direction
    ],
)
def test_scores_run_from_sparse_to_hand_written(
    winners: list[list[float]], human: list[float], expected: list[float]
) -> None:
    assert drawn(winners, human, [1.0, 1.0]).scores[0].tolist() == expected


def test_without_a_reference_there_is_no_score() -> None:
    found = drawn([[3.0]], [], [1.0])
    assert np.isnan(found.scores).all()
    assert not found.at_least_human.any()


def test_searches_are_drawn_whole() -> None:
    """Two searches far apart, each with many equal trainings: a draw has one, the other, or both."""
    means = drawn([[0.0] * 50, [1.0] * 50], [1.0], [0.0]).winners.mean(axis=1)
    assert sorted(set(means.tolist())) == [0.0, 0.5, 1.0]
    assert np.mean(means == 0.5) == pytest.approx(0.5, abs=0.03)


def test_references_are_drawn_one_by_one_over_all_searches() -> None:
    human = (np.array([0.0, 0.0]), np.array([4.0, 4.0]))
    found = draw((np.array([1.0]),), human, (np.array([5.0]),), np.random.default_rng(0), 4000)
    assert found.human[0] == 2.0
    assert sorted(set(found.human.tolist())) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert set(found.sparse.tolist()) == {5.0}


def test_every_task_keeps_its_weight_in_the_aggregate() -> None:
    tasks = [drawn([[v] for v in values], [1.0], [0.0], 500) for values in ([0.0, 0.1, 0.2], [0.8, 0.9, 9.0])]
    found = over_tasks(tasks)
    assert found[0] == pytest.approx((0.1 + 0.2 + 0.8 + 0.9) / 4)
    assert found.min() >= 0.0
    assert (found < 9.0).all()  # three of six at least are the first task's


def test_equal_rewards_come_out_equal_with_skewed_trainings() -> None:
    """A third of the trainings don't take off: a mean over few and an interquartile mean of many would differ."""
    trainings = tuple(np.array(each) for each in ([0.0, 9.0, 9.0], [9.0, 0.0, 9.0], [9.0, 9.0, 0.0]))
    found = draw(trainings, trainings, (np.array([0.0]),), np.random.default_rng(0), 10)
    assert found.scores[0].mean() == pytest.approx(1.0)
    assert found.at_least_human[0]


def test_the_share_of_tasks_at_or_above_the_hand_written_reward() -> None:
    """Equal but for rounding is at it."""
    tasks = [drawn([[value]], [0.1 + 0.2], [0.0], 10) for value in (2.0, 0.3, 0.2, 0.1)]
    assert share_of_tasks(tasks)[0] == 0.5


def test_undefined_draws_are_left_out_of_an_interval() -> None:
    found = percentile_interval(np.array([0.4, np.nan, np.inf, *np.linspace(0, 1, 101)]))
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.025, 0.975))
