"""Two rewards on the same rows: correlations and pairs of terms that can be seen by eye."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.agreement import Agreement, agreement, matches, ranks
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms


def terms(**values: Array) -> Terms:
    return Terms(tuple(values), np.array(list(values.values())))


X = np.arange(2000.0)
NOISE = np.random.default_rng(0).normal(size=2000)


def agreed(ours: Terms, theirs: Terms) -> Agreement:
    return agreement(("g1-02", "human"), ours, theirs, np.zeros(2000), ["random actions"])


def test_a_reward_that_orders_alike_has_rank_correlation_one() -> None:
    found = agreed(terms(speed=X), terms(speed=np.exp(X / 200)))
    assert found.spearman == pytest.approx(1.0)
    assert found.pearson is not None
    assert found.pearson < 0.9
    assert (found.rows, len(found.points)) == (2000, 900)
    assert found.points[0] == (0.0, 1.0, 0)
    assert found.points[-1][0] == 1999.0


def test_a_constant_reward_has_no_correlation() -> None:
    found = agreed(terms(speed=X), terms(alive=np.ones(2000)))
    assert (found.pearson, found.spearman) == (None, None)


def test_terms_pair_by_name_then_by_what_they_do() -> None:
    ours = terms(speed=X, effort=NOISE, lean=np.cos(X))
    theirs = terms(control=-2 * NOISE + 0.01 * X / 2000, speed=-X, alive=np.ones(2000))
    found = matches(ours, theirs)
    assert [(each.ours, each.theirs, each.how) for each in found] == [
        ("speed", "speed", "name"),
        ("effort", "control", "values"),
        ("lean", None, ""),
        (None, "alive", ""),
    ]
    assert found[0].correlation == pytest.approx(-1.0)
    assert found[1].correlation == pytest.approx(-1.0, abs=1e-3)


def test_ranks_of_ties_are_their_mean() -> None:
    np.testing.assert_array_equal(ranks(np.array([5.0, 1.0, 5.0, 7.0])), [1.5, 0.0, 1.5, 3.0])
