"""Time and cost before the start: counted by hand for small cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.propose.llm.prices import Price, Prices
from eureka_loop.report.bench.estimate import FEEDBACK, REPLY, Estimate, Pace, of_search, total

TASK = find_task("hopper-hop")  # with a hand-written and a sparse reward
CONFIG = RunConfig(designer="templates", generations=2, samples=4, steps=1000, report_seeds=3)
PACE = Pace(startup=10.0, round=2.0, together=64, steps_per_second=500.0, prompt=5000)
PRICES = Prices([Price("known", 1.0, 10.0)])


def test_trainings_steps_and_seconds_of_a_search() -> None:
    found = of_search(TASK, CONFIG, PACE, PRICES)
    trainings = 2 * 4 + 3 * 3  # two generations; winner, hand-written and sparse
    assert (found.trainings, found.steps) == (trainings, 1000 * trainings)
    assert found.seconds == pytest.approx(10 + 3 * 2 + 1000 * trainings / 500)
    assert (found.tokens, found.usd) == (0, 0.0)


def test_trainings_that_do_not_fit_at_once_take_turns() -> None:
    found = of_search(TASK, CONFIG, replace(PACE, together=2), PRICES)
    rounds = 2 + 2 + 5  # 4, 4 and 9 trainings, two at a time
    assert found.seconds == pytest.approx(10 + rounds * 2 + 17000 / 500)


def test_halving_takes_fewer_steps() -> None:
    whole, less = (of_search(TASK, replace(CONFIG, samples=9, halving=eta), PACE, PRICES) for eta in (1, 3))
    assert less.steps < whole.steps


def test_a_task_without_a_hand_written_reward_has_a_smaller_report() -> None:
    found = of_search(find_task("kitchen-kettle"), CONFIG, PACE, PRICES)
    assert found.trainings == 2 * 4 + 2 * 3


def test_tokens_and_money_where_a_model_is_asked() -> None:
    asked = replace(CONFIG, designer="llm", model="known")
    found = of_search(TASK, asked, PACE, PRICES)
    prompts, replies = 8 * 5000 + 4 * FEEDBACK, 8 * REPLY
    assert found.tokens == prompts + replies
    assert found.usd == pytest.approx((prompts * 1.0 + replies * 10.0) / 1e6)


def test_a_model_without_a_price_has_no_cost_rather_than_none() -> None:
    found = of_search(TASK, replace(CONFIG, designer="llm", model="new"), PACE, PRICES)
    assert found.usd is None
    assert total([found, Estimate(usd=1.0)]).usd is None


def test_estimates_add_up() -> None:
    one = Estimate(2, 100, 3.0, 5, 0.5)
    assert total([one, one]) == Estimate(4, 200, 6.0, 10, 1.0)
