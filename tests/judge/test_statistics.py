"""Numbers that can be worked out by hand, or by full enumeration of the bootstrap."""

import itertools
from statistics import NormalDist

import numpy as np
import pytest

from eureka_loop.judge.statistics import (
    bootstrap_interval,
    human_normalised,
    iqm,
    mean,
    pearson,
    permutation_p,
    probability_of_improvement,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_iqm_drops_a_quarter_at_each_end() -> None:
    assert iqm(np.array([1e9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -1e9])) == 3.5


def test_iqm_of_few_scores_is_their_mean() -> None:
    """Quarters are rounded down: of three, none is dropped; of five, one at each end."""
    assert iqm(np.array([1.0, 2.0, 6.0])) == 3.0
    assert iqm(np.array([0.0, 1.0, 2.0, 6.0, 100.0])) == 3.0


def test_iqm_reduces_the_last_axis() -> None:
    assert iqm(np.array([[1.0, 2.0, 3.0, 10.0], [4.0, 4.0, 4.0, 4.0]])).tolist() == [2.5, 4.0]


def test_interval_matches_the_enumerated_bootstrap() -> None:
    """Three scores have 27 resamples: their exact percentiles are what many draws come to."""
    scores = np.array([0.0, 1.0, 5.0])
    means = sorted(np.mean(draw) for draw in itertools.product(scores, repeat=3))
    interval = bootstrap_interval([scores], mean, rng=rng(), level=0.8, repeats=100_000)
    assert interval.value == 2.0
    assert interval.low == means[2]  # 10 % of 27: the third
    assert interval.high == means[24]


def test_strata_are_drawn_from_separately() -> None:
    """Constant strata far apart: an unstratified bootstrap would have a wide interval, ours has none."""
    interval = bootstrap_interval([np.zeros(5), np.full(5, 10.0)], mean, rng=rng())
    assert (interval.low, interval.value, interval.high) == (5.0, 5.0, 5.0)


def test_interval_covers_about_as_often_as_it_says() -> None:
    """Of 200 samples of 20 normal scores, about 92 % of 95 % intervals hold the mean (a known bias)."""
    draws = np.random.default_rng(1).normal(size=(200, 20))
    intervals = [bootstrap_interval([row], mean, rng=rng(), repeats=500) for row in draws]
    assert 0.87 <= np.mean([each.low <= 0.0 <= each.high for each in intervals]) <= 0.98


def test_same_generator_same_interval() -> None:
    scores = np.arange(7.0)
    assert bootstrap_interval([scores], rng=rng()) == bootstrap_interval([scores], rng=rng())


def test_probability_of_improvement_counts_pairs() -> None:
    """{1, 3} against {0, 2, 3}: won 1>0, 3>0, 3>2; tied 3=3; of six pairs: 3.5 / 6."""
    result = probability_of_improvement(np.array([1.0, 3.0]), np.array([0.0, 2.0, 3.0]))
    assert result.value == pytest.approx(3.5 / 6)
    assert result.low <= result.value <= result.high


def test_where_every_pair_is_won_the_interval_still_has_a_width() -> None:
    ours = np.arange(10.0) + 100
    found = probability_of_improvement(ours, np.arange(10.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8002, abs=1e-4)
    assert probability_of_improvement(ours[:4], np.arange(4.0)).low < 0.6
    back = probability_of_improvement(np.arange(10.0), ours)
    assert (back.low, back.value) == (0.0, 0.0)
    assert back.high == pytest.approx(1 - found.low)


def test_the_interval_of_wins_holds_the_truth_at_its_level() -> None:
    """Newcombe's, on 10 runs a side of which one is a deviation and a half better; the bootstrap's is below 0.9."""
    generator, shift = rng(), 1.5
    true, held = NormalDist().cdf(shift / 2**0.5), 0
    for _ in range(400):
        found = probability_of_improvement(generator.normal(shift, 1, 10), generator.normal(0, 1, 10))
        held += found.low <= true <= found.high
    assert 0.92 <= held / 400 <= 0.985


def test_human_normalised() -> None:
    score = human_normalised(30.0, human=10.0, sparse=-10.0)
    assert score is not None
    assert (score.raw, score.clipped, score.human) == (2.0, 2.0, 1)


def test_human_normalised_where_human_is_worse_than_sparse() -> None:
    """The scale keeps its direction: more fitness is a higher score, whoever the human was."""
    score = human_normalised(5.0, human=0.0, sparse=1.0)
    assert score is not None
    assert (score.raw, score.clipped, score.human) == (4.0, 3.0, -1)


def test_human_normalised_clips_below_zero() -> None:
    score = human_normalised(-1.0, human=1.0, sparse=0.0)
    assert score is not None
    assert (score.raw, score.clipped) == (-1.0, 0.0)


@pytest.mark.parametrize(("human", "sparse"), [(1.0, 1.0), (0.0, 0.0), (100.0, 99.5)])
def test_human_normalised_is_undefined_without_a_scale(human: float, sparse: float) -> None:
    assert human_normalised(50.0, human, sparse) is None


def test_permutation_counts_every_split_of_few_runs() -> None:
    """Of the 6 splits of 1, 2 | 3, 4 the seen one and its mirror image differ most."""
    assert permutation_p(np.array([1.0, 2.0]), np.array([3.0, 4.0]), rng=rng()) == pytest.approx(2 / 6)


def test_permutation_of_equal_runs_is_certain() -> None:
    assert permutation_p(np.ones(4), np.ones(5), rng=rng()) == 1.0


def test_permutation_by_random_splits_agrees_with_all_of_them() -> None:
    x, y = np.array([0.1, 0.4, 0.9, 1.3, 0.2, 0.6]), np.array([0.8, 1.1, 1.9, 0.7, 1.5, 1.2])
    exact = permutation_p(x, y, rng=rng())
    assert permutation_p(x, y, rng=rng(), repeats=900) == pytest.approx(exact, abs=0.03)


def test_pearson_by_hand() -> None:
    """Centred: (-1, 0, 1) and (-1, 1, 0): 1 / 2."""
    assert pearson(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 1.0])) == pytest.approx(0.5)


def test_pearson_of_a_constant_up_to_rounding() -> None:
    assert pearson(np.full(7, 0.1), np.arange(7.0)) is None
    assert pearson(np.array([0.1, 0.1 + 1e-17, 0.1]), np.arange(3.0)) is None
