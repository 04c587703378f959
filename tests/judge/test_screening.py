"""Screening: values of episodes, Kendall's tau with fitness, verdicts, and abstaining."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from eureka_loop.judge.screening import (
    RANDOM,
    REPEATS,
    Ranking,
    Screened,
    discounted_value,
    one_sided,
    reason,
    screen,
)
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms

LENGTHS = [100] * 12
FITNESS = np.arange(12.0)
POLICIES = [RANDOM, RANDOM, *(f"g0-{n:02}" for n in range(10))]
ONE_EPISODE_EACH = [f"g0-{n:02}" for n in range(12)]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def kendall(values: Array, fitness: Array, policies: Sequence[str] = ONE_EPISODE_EACH) -> Interval:
    found = Ranking(fitness, policies, rng=rng()).tau(values)
    assert found is not None
    return found


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1.0])
def test_the_value_is_the_mean_of_the_returns_from_every_step(discount: float) -> None:
    rewards = rng().normal(size=7)
    returns = [sum(discount**k * reward for k, reward in enumerate(rewards[step:])) for step in range(7)]
    assert discounted_value(rewards, discount) == pytest.approx(np.mean(returns))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_same_order_and_the_reverse(sign: float) -> None:
    assert kendall(sign * np.exp(FITNESS), FITNESS) == Interval(sign, sign, sign)


def test_a_draw_of_policies_counts_each_of_their_episodes_as_often() -> None:
    """By the definition of a weighted tau-b over all pairs, with ties, and one to three episodes a policy."""

    def tau(weights: Array) -> float:
        ours, theirs = (np.sign(np.subtract.outer(each, each)) for each in (values, fitness))
        pairs = np.multiply.outer(weights, weights)
        scale = np.sqrt((pairs * ours**2).sum() * (pairs * theirs**2).sum())
        return float((pairs * ours * theirs).sum() / scale) if scale else 0.0

    policies = [f"g0-{n % 5}" for n in range(11)]
    values, fitness = rng().integers(0, 6, size=(2, 11)).astype(float)
    found = kendall(values, fitness, policies)
    names, policy, sizes = np.unique(policies, return_inverse=True, return_counts=True)
    drawn = rng().multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPEATS)
    taus = [tau(row[policy] / sizes[policy]) for row in drawn]
    expected = tau(1.0 / sizes[policy]), *np.percentile(taus, [2.5, 97.5])
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def screened(
    term: Callable[[float, int], Array],
    fitness: Array = FITNESS,
    lengths: list[int] = LENGTHS,
    **others: float,
) -> Screened:
    """A reward with a term that depends on an episode's fitness and length, and others that never change."""
    values = np.concatenate([term(*each) for each in zip(fitness, lengths, strict=True)])
    table = np.array([values, *(np.full(len(values), other) for other in others.values())])
    return screen(Terms(("speed", *others), table), lengths, Ranking(fitness, POLICIES, rng=rng()), 0.99)


def test_verdicts() -> None:
    found = screened(lambda fitness, steps: np.full(steps, fitness))
    assert (found.verdict, found.episodes, found.policies) == ("forwards", 12, 11)
    assert screened(lambda fitness, steps: np.full(steps, -fitness)).verdict == "backwards"
    generator = np.random.default_rng(3)
    assert screened(lambda _, steps: np.full(steps, generator.normal())).verdict == "unsure"


def test_the_same_everywhere_is_no_verdict_however_long_episodes_last() -> None:
    """The means of fifty and of a hundred times 0.2 differ in the last bit; that is no order."""
    found = screened(lambda _, steps: np.full(steps, -0.1), FITNESS, list(range(50, 650, 50)), alive=0.3)
    assert (found.verdict, found.why, found.mean) == ("abstained", "it is the same in every episode", None)
    assert found.terms["alive"].tau is None


@pytest.mark.parametrize(
    ("term", "lengths", "lower"),
    [
        # A bonus for staying up: those that fall forward are better, and paid more a step, but less in all.
        (
            lambda fitness, steps: np.full(steps, 1.0 + fitness / 100),
            [100] * 4 + [*range(50, 10, -5)],
            "value",
        ),
        # A penalty that grows towards the goal, and ends with it: worse per step, better in all.
        (lambda fitness, steps: np.full(steps, -1.0 - fitness / 20), [100] * 4 + [20] * 8, "mean"),
    ],
)
def test_one_number_alone_condemns_no_reward(
    term: Callable[[float, int], Array], lengths: list[int], lower: str
) -> None:
    found = screened(term, FITNESS, lengths)
    assert getattr(found, lower).high < 0
    assert found.verdict != "backwards"


def test_terms_alone() -> None:
    terms = screened(lambda fitness, steps: np.linspace(0, fitness + 1, steps), alive=0.5, _note=3.0).terms
    assert (terms["speed"].tau, terms["alive"].tau) == (pytest.approx(1.0), None)
    assert terms["speed"].share + terms["alive"].share == pytest.approx(1.0)
    assert terms["_note"].share == 0.0


@pytest.mark.parametrize(
    ("fitness", "policies", "expected"),
    [
        (FITNESS, POLICIES, ""),
        (FITNESS[:6], POLICIES[:6], "episodes of too few policies (5 of 6)"),
        (FITNESS, [*POLICIES[2:], "g1-00", "g1-01"], "no episodes of random actions"),
        (-FITNESS, POLICIES, "too few policies did better than random actions (0 of 3)"),
    ],
)
def test_one_sided(fitness: Array, policies: list[str], expected: str) -> None:
    assert one_sided(fitness, policies) == expected


@pytest.mark.parametrize(
    ("others", "rest"),
    [
        ({"alive": 0.0}, "; always the same: 'alive'; 'speed' is over 99 % of it"),
        ({"alive": 99.0, "_note": 1.0}, "; always the same: 'alive', '_note'"),
        ({"_note": 1e-3}, "; always the same: '_note'"),
    ],
)
def test_the_reason_for_a_designer(others: dict[str, float], rest: str) -> None:
    found = screened(lambda fitness, steps: np.full(steps, -fitness), **others)
    assert reason(found) == (
        "it pays more where the task is done worse: over 12 recorded episodes of 11 policies, Kendall's tau of "
        f"its return with their ranks is -1.00 (95% interval -1.00 to -1.00); by term: 'speed' -1.00{rest}"
    )
