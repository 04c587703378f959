"""What a bench's numbers are, and when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.report.bench.facts import BenchFacts, Cost
from eureka_loop.report.bench.scores import Scores, scores

from .conftest import STEPS, Made

UP, DOWN = [1.0, 1.02, 0.98], [0.0, 0.02, -0.02]


def of(folder: Path) -> Scores:
    return scores(BenchFacts.of(folder))


def test_a_task_by_its_searches_and_all_tasks_by_all_of_them(whole: Path) -> None:
    found = of(whole)
    reacher, hopper = found.tasks
    assert reacher.normalised is not None
    assert hopper.normalised is not None
    assert found.normalised is not None
    assert reacher.normalised.value == pytest.approx(0.5, abs=0.02)
    assert [round(each, 1) for each in hopper.each] == [2.0, 1.0]
    assert hopper.normalised.low == pytest.approx(1.0, abs=0.02)  # a bootstrap may draw either search twice
    assert hopper.normalised.high == pytest.approx(2.0, abs=0.03)
    assert found.normalised.value == pytest.approx((0.5 + 1.0) / 2, abs=0.02)  # of .5 .5 1 2, the middle ones
    assert (found.defined, found.referred, found.several) == (2, 2, True)
    assert (reacher.reached, hopper.reached) == (False, True)
    assert found.share is not None
    assert found.share.value == 0.5
    assert (reacher.success and reacher.success.value, hopper.success and hopper.success.value) == (0.0, 1.0)


def test_costs_are_added_up(whole: Path) -> None:
    facts = BenchFacts.of(whole)
    assert facts.cost.steps == 4 * STEPS * (1 + 9)
    assert facts.cost.trainings == 40
    assert (facts.cost.tokens, facts.cost.usd) == (2000, 1.0)
    assert facts.cost.seconds > 0
    assert (Cost(tokens=1, usd=None) + Cost(usd=1.0)).usd is None
    assert facts.unfinished == ""


@pytest.mark.parametrize(
    ("human", "sparse", "why"),
    [
        ([0.0, 1.0, 0.5], [0.1, 0.9, 0.5], "hand-written and sparse can't be told apart"),
        ([1.0] * 3, [1.0] * 3, "hand-written and sparse can't be told apart"),
        ([1.0, None, 1.0], [0.0] * 3, "2 of the hand-written reward's trainings failed"),
        ([1.0] * 3, [0.0, 0.0, None], "2 of the sparse reward's trainings failed"),
    ],
)
def test_where_there_is_no_scale_there_is_no_score(
    made: Made, human: list[float | None], sparse: list[float | None], why: str
) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [0.5] * 3, human, sparse)
    found = of(made.folder)
    assert found.tasks[1].undefined == why
    assert found.tasks[1].normalised is None
    assert found.normalised is None
    assert found.tasks[1].fitness is not None


def test_undefined_tasks_do_not_enter_the_aggregate(made: Made) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("reacher-reach", seed, [0.5] * 3, UP, DOWN)
        made.search("hopper-hop", seed, [9.0] * 3, [1.0] * 3, [1.0] * 3)
    found = of(made.folder)
    assert found.defined == 1
    assert found.normalised is not None
    assert found.normalised.value == pytest.approx(0.5, abs=0.02)
    assert found.referred == 2  # at or above the hand-written one needs no scale


def test_a_search_whose_winner_fails_counts_for_nothing_and_not_as_zero(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [2.0] * 3, UP, DOWN)
    made.search("hopper-hop", 1, [2.0, None, 2.0], UP, DOWN)
    made.search("reacher-reach", 0, [])
    facts = BenchFacts.of(made.folder)
    reacher, hopper = facts.tasks
    assert [each.state for each in hopper.searches] == ["done", "failed"]
    assert hopper.searches[1].failure == "1 training of its winner g0-00 failed: NaN or infinite"
    assert [each.state for each in reacher.searches] == ["failed", "not begun"]
    assert reacher.searches[0].failure == "no candidate could be trained"
    found = scores(facts)
    assert found.tasks[1].normalised is not None
    assert found.tasks[1].normalised.value == pytest.approx(2.0, abs=0.05)
    assert found.tasks[1].fitness is not None
    assert found.tasks[1].fitness.value == 2.0
    assert not found.several


def test_an_unfinished_search_does_not_count_yet(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [2.0] * 3, UP, DOWN)
    made.search("hopper-hop", 1, [9.0], [9.0], [9.0], ended=False)
    facts = BenchFacts.of(made.folder)
    assert facts.unfinished == "1 of 4 searches"
    assert scores(facts).tasks[1].done == 1
    assert facts.tasks[1].replicates is not None
    assert [each.size for each in facts.tasks[1].replicates.human] == [3]


def test_a_hand_written_reward_that_is_the_worse_one_is_said(made: Made) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [0.5] * 3, DOWN, UP)
    score = of(made.folder).tasks[1]
    assert score.inverted
    assert score.normalised is not None
    assert score.normalised.value == pytest.approx(-0.5, abs=0.03)


def test_nothing_done_is_nothing_said(made: Made) -> None:
    found = of(made.begin())
    assert found.normalised is None
    assert found.share is None
    assert found.tasks[0].undefined == "no search is done"


def test_it_says_the_same_every_time(whole: Path) -> None:
    assert of(whole).normalised == of(whole).normalised
