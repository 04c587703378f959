"""Verdicts on rewards from whole episodes; when there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.judge.ranking import Ranking
from eureka_loop.judge.screening import RANDOM, Screened, one_sided, reason, screen
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms

LENGTHS = [100] * 12
FITNESS = np.arange(12.0)
POLICIES = [RANDOM, RANDOM, *(f"g0-{n:02}" for n in range(10))]


def screened(
    term: Callable[[float, int], Array],
    fitness: Array = FITNESS,
    lengths: list[int] = LENGTHS,
    **others: float,
) -> Screened:
    """A reward whose term is given by an episode's fitness and length, and others that never change."""
    values = np.concatenate([term(*each) for each in zip(fitness, lengths, strict=True)])
    table = np.array([values, *(np.full(len(values), other) for other in others.values())])
    ranking = Ranking(fitness, POLICIES, rng=np.random.default_rng(0))
    return screen(Terms(("speed", *others), table), lengths, ranking, 0.99)


def test_forwards() -> None:
    found = screened(lambda fitness, steps: np.full(steps, fitness))
    assert (found.verdict, found.episodes, found.policies) == ("forwards", 12, 11)


def test_a_flipped_sign_is_backwards() -> None:
    found = screened(lambda fitness, steps: np.full(steps, -fitness))
    assert found.verdict == "backwards"
    assert found.value is not None
    assert found.value.high < 0


def test_noise_is_unsure() -> None:
    rng = np.random.default_rng(3)
    assert screened(lambda _, steps: np.full(steps, rng.normal())).verdict == "unsure"


def test_the_same_everywhere_is_no_verdict() -> None:
    found = screened(lambda _, steps: np.ones(steps))
    assert (found.verdict, found.why) == ("abstained", "it is the same in every episode")


def test_the_same_everywhere_is_no_verdict_however_long_episodes_last() -> None:
    """The means of fifty and of a hundred times 0.2 differ in the last bit; that is no order."""
    lengths = list(range(50, 650, 50))
    found = screened(lambda _, steps: np.full(steps, -0.1), FITNESS, lengths, alive=0.3)
    assert (found.verdict, found.mean) == ("abstained", None)
    assert found.terms["alive"].tau is None


def test_a_bonus_for_staying_up_is_not_condemned_where_nobody_who_stays_up_moves_yet() -> None:
    """Those who fall forward have done more than those who stand; but it pays them more per step."""
    lengths = [100] * 4 + list(range(50, 10, -5))
    found = screened(lambda fitness, steps: np.full(steps, 1.0 + fitness / 100), FITNESS, lengths)
    assert found.value is not None
    assert found.value.high < 0
    assert found.verdict != "backwards"


def test_paying_by_the_step_for_falling_late_is_not_condemned() -> None:
    """A penalty that grows towards the goal, and ends with it: worse per step, better in all."""
    lengths = [100] * 4 + [20] * 8
    found = screened(lambda fitness, steps: np.full(steps, -1.0 - fitness / 20), FITNESS, lengths)
    assert found.mean is not None
    assert found.mean.high < 0
    assert found.verdict != "backwards"


def test_terms_alone() -> None:
    found = screened(lambda fitness, steps: np.linspace(0, fitness + 1, steps), alive=0.5, _note=3.0)
    assert found.terms["speed"].tau == pytest.approx(1.0)
    assert found.terms["alive"].tau is None
    assert found.dead == ["alive", "_note"]
    assert found.terms["speed"].share + found.terms["alive"].share == pytest.approx(1.0)
    assert found.terms["_note"].share == 0.0
    assert found.dominating is None


def test_a_term_that_leaves_the_others_no_say() -> None:
    assert screened(lambda fitness, steps: np.full(steps, fitness), tiny=1e-3).dominating == "speed"
    assert screened(lambda fitness, steps: np.full(steps, fitness), _seen=1e-3).dominating is None


def test_one_sided() -> None:
    assert one_sided(FITNESS, POLICIES) == ""
    assert one_sided(FITNESS[:6], POLICIES[:6]) == "episodes of too few policies (5 of 6)"
    assert one_sided(FITNESS, [*POLICIES[2:], "g1-00", "g1-01"]) == "no episodes of random actions"
    assert one_sided(-FITNESS, POLICIES) == "too few policies did better than random actions (0 of 3)"
    assert one_sided(np.ones(12), POLICIES) == "too few policies did better than random actions (0 of 3)"
    two_better = np.array([0.0, 5, 1, 1, 1, 1, 1, 1, 1, 1, 6, 7])
    assert one_sided(two_better, POLICIES) == "too few policies did better than random actions (2 of 3)"


def test_what_a_designer_is_told() -> None:
    found = screened(lambda fitness, steps: np.full(steps, -fitness), alive=0.0)
    assert found.scale == pytest.approx(FITNESS.std())
    assert reason(found) == (
        "it pays more where the task is done worse: over 12 recorded episodes of 11 policies, Kendall's tau of "
        "its return with fitness is -1.00 (95% interval -1.00 to -1.00); by term: 'speed' -1.00; "
        "always the same: 'alive'; 'speed' is over 99 % of it"
    )
