"""Two rewards on the same rows: correlations and pairs of terms that can be seen by eye."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.judge.agreement import agreement
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms

X = np.arange(2000.0)
NOISE = np.random.default_rng(0).normal(size=2000)


def terms(**values: Array) -> Terms:
    return Terms(tuple(values), np.array(list(values.values())))


@pytest.mark.parametrize(
    ("theirs", "spearman"), [(terms(speed=np.exp(X / 200)), pytest.approx(1.0)), (terms(alive=X**0), None)]
)
def test_correlations(theirs: Terms, spearman: object) -> None:
    """Rank correlation is 1 where all rows are ordered alike, and undefined for a constant reward."""
    found = agreement("human", terms(speed=X), theirs, np.zeros(2000), ["random actions"])
    assert found.spearman == spearman
    assert (found.pearson is None) == (spearman is None)
    assert found.pearson is None or found.pearson < 0.9
    assert (found.rows, len(found.points)) == (2000, 900)
    assert (found.points[0], found.points[-1][0]) == ((0.0, 1.0, 0), 1999.0)


def test_terms_pair_by_name_then_by_their_values() -> None:
    ours = terms(speed=X, effort=NOISE, lean=np.cos(X))
    theirs = terms(control=-2 * NOISE + 0.01 * X / 2000, speed=-X, alive=np.ones(2000))
    found = agreement("human", ours, theirs, np.zeros(2000), ["random actions"]).terms
    assert [(each.ours, each.theirs) for each in found] == [
        ("speed", "speed"),
        ("effort", "control"),
        ("lean", None),
        (None, "alive"),
    ]
    assert [each.correlation for each in found[:2]] == pytest.approx([-1.0, -1.0], abs=1e-3)
