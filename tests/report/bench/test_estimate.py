"""Time and cost before the start, counted by hand; measured in tests/end_to_end/test_bench.py."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.propose.llm.ledger import Price
from eureka_loop.report.bench.estimate import FEEDBACK, REPLY, Pace, measure, of_search
from eureka_loop.report.run_data import Cost

TASK = find_task("hopper-hop")  # with a hand-written and a sparse reward
CONFIG = RunConfig(designer="templates", generations=2, samples=4, steps=1000, report_seeds=3)
PACE = Pace(overhead=10.0, steps_per_second=500.0, prompt=5000)
PRICES = [Price("known", 1.0, 10.0)]


def test_trainings_steps_and_seconds_of_a_search() -> None:
    found = of_search(TASK, CONFIG, PACE, PRICES)
    trainings = 2 * 4 + 3 * 3  # two generations; winner, hand-written and sparse
    assert found == Cost(trainings, 1000 * trainings, pytest.approx(10 + 1000 * trainings / 500), 0, 0.0)
    assert of_search(find_task("kitchen-kettle"), CONFIG, PACE, PRICES).trainings == 2 * 4 + 2 * 3


def test_tokens_and_money_of_a_model() -> None:
    found = of_search(TASK, replace(CONFIG, designer="llm", model="known"), PACE, PRICES)
    prompts, replies = 8 * 5000 + 4 * FEEDBACK, 8 * REPLY
    assert found.tokens == prompts + replies
    assert found.usd == pytest.approx((prompts * 1.0 + replies * 10.0) / 1e6)
    unknown = of_search(TASK, replace(CONFIG, designer="llm", model="new"), PACE, PRICES)
    assert unknown.usd is None
    assert (unknown + Cost(usd=1.0)).usd is None
    assert str(Cost(2, 100, 3.0, 5, 0.5) + Cost()) == "3 s, 2 finished trainings, 100 steps, 5 tokens, $0.50"


def test_the_speed_is_that_of_a_plan_and_nothing_is_left_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real trainings, whatever numbers the bench's searches have."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    task = find_task("invertedpendulum-balance")
    found = measure([task, TASK], CONFIG, {TASK.env_id: PACE})
    assert list(found) == [task.env_id]
    assert found[task.env_id].steps_per_second > 100
    assert found[task.env_id].overhead > 1
    assert not list(tmp_path.iterdir())
