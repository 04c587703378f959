"""Values of episodes, and whether they order them as fitness does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from eureka_loop.judge.ranking import REPEATS, Ranking, discounted_value
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array

FITNESS = np.arange(12.0)
EACH_ITS_OWN = [f"g0-{n:02}" for n in range(12)]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def kendall(values: Array, fitness: Array, policies: Sequence[str]) -> Interval | None:
    return Ranking(fitness, policies, rng=rng()).interval(values)


def returns_from_each_step(rewards: Array, discount: float) -> list[float]:
    """By the definition."""
    return [
        sum(discount**k * reward for k, reward in enumerate(rewards[step:])) for step in range(len(rewards))
    ]


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1.0])
def test_the_value_is_the_mean_of_the_returns_from_every_step(discount: float) -> None:
    rewards = rng().normal(size=7)
    expected = np.mean(returns_from_each_step(rewards, discount))
    assert discounted_value(rewards, discount) == pytest.approx(expected)


def test_falling_costs_what_would_have_come() -> None:
    assert discounted_value(np.ones(20), 0.99) < discounted_value(np.ones(200), 0.99)


def test_the_same_order_and_the_reverse() -> None:
    same = kendall(np.exp(FITNESS), FITNESS, EACH_ITS_OWN)
    reverse = kendall(-np.exp(FITNESS), FITNESS, EACH_ITS_OWN)
    assert same is not None
    assert reverse is not None
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    assert (reverse.value, reverse.low, reverse.high) == (-1.0, -1.0, -1.0)


def test_with_ties_it_is_tau_b() -> None:
    """scipy.stats.kendalltau([1, 2, 2, 3, 5], [2, 1, 3, 3, 4]) is 0.666..."""
    found = kendall(np.array([1.0, 2, 2, 3, 5]), np.array([2.0, 1, 3, 3, 4]), EACH_ITS_OWN[:5])
    assert found is not None
    assert found.value == pytest.approx(6 / 9)


def test_nothing_to_compare() -> None:
    assert kendall(np.ones(12), FITNESS, EACH_ITS_OWN) is None
    assert kendall(FITNESS, np.ones(12), EACH_ITS_OWN) is None


def test_chance_has_an_interval_with_zero_in_it() -> None:
    found = kendall(rng().permutation(12).astype(float), FITNESS, EACH_ITS_OWN)
    assert found is not None
    assert found.low < 0 < found.high


def test_episodes_of_one_policy_are_not_as_many_witnesses() -> None:
    """Four policies with a noisy order: three episodes each make nothing surer."""
    values, fitness = np.array([2.0, 1, 4, 3]), np.arange(4.0)
    alone = kendall(values, fitness, EACH_ITS_OWN[:4])
    thrice = kendall(np.repeat(values, 3), np.repeat(fitness, 3), np.repeat(EACH_ITS_OWN[:4], 3))
    assert alone is not None
    assert thrice is not None
    assert thrice.value == pytest.approx(alone.value)
    assert (thrice.low, thrice.high) == pytest.approx((alone.low, alone.high))


def test_each_policy_counts_once() -> None:
    """A policy of a hundred episodes against the order has no more say than one that has one."""
    values = np.concatenate([np.arange(6.0), np.full(100, 10.0)])
    fitness = np.concatenate([np.arange(6.0), np.full(100, -1.0)])
    many = kendall(values, fitness, [*EACH_ITS_OWN[:6], *["random"] * 100])
    one = kendall(values[:7], fitness[:7], [*EACH_ITS_OWN[:6], "random"])
    assert many is not None
    assert one is not None
    assert many.value == pytest.approx(one.value)


def by_the_definition(values: Array, fitness: Array, weights: Array) -> float:
    """tau-b of weighted episodes, over all pairs."""
    ours, theirs = (np.sign(np.subtract.outer(each, each)) for each in (values, fitness))
    pairs = np.multiply.outer(weights, weights)
    scale = np.sqrt((pairs * ours**2).sum() * (pairs * theirs**2).sum())
    return float((pairs * ours * theirs).sum() / scale) if scale else 0.0


def test_a_draw_of_policies_counts_each_of_their_episodes_as_often() -> None:
    """With ties, and policies of one to three episodes."""
    policies = [f"g0-{n % 5}" for n in range(11)]
    values, fitness = rng().integers(0, 6, size=(2, 11)).astype(float)
    found = kendall(values, fitness, policies)
    names, whose, sizes = np.unique(policies, return_inverse=True, return_counts=True)
    drawn = rng().multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPEATS)
    taus = [by_the_definition(values, fitness, row[whose] / sizes[whose]) for row in drawn]
    assert found is not None
    assert found.value == pytest.approx(by_the_definition(values, fitness, 1.0 / sizes[whose]))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(taus, [2.5, 97.5])))


def test_many_numbers_are_held_against_the_same_draws() -> None:
    """So that what is said of one doesn't depend on which were asked about before."""
    ranking, values = Ranking(FITNESS, EACH_ITS_OWN, rng=rng()), rng().permutation(12).astype(float)
    first = ranking.interval(values)
    assert first is not None
    assert ranking.tau(values) == first.value
    ranking.interval(-FITNESS)
    assert ranking.interval(values) == first
    assert (ranking.tau(np.ones(12)), ranking.policies) == (None, 12)
