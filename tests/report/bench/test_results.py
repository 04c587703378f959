"""The numbers of a bench, and when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.report.bench.results import BenchResults
from eureka_loop.report.run_data import Cost

from .conftest import STEPS, Fitness, Made

UP, DOWN = [1.0, 1.02, 0.98, 1.0], [0.0, 0.02, -0.02, 0.0]


def two_searches(made: Made, winner: Fitness, human: Fitness, sparse: Fitness) -> BenchResults:
    """Both of hopper-hop, alike."""
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, winner, human, sparse)
    return BenchResults.of(made.folder)


def test_a_task_by_its_searches_and_all_tasks_by_all_of_them(whole: Path) -> None:
    found = BenchResults.of(whole)
    reacher, hopper = found.tasks
    assert reacher.normalised
    assert hopper.normalised
    assert found.normalised
    assert reacher.normalised.value == pytest.approx(0.5, abs=0.02)
    assert hopper.normalised.low == pytest.approx(1.0, abs=0.02)  # a bootstrap may draw either search twice
    assert hopper.normalised.high == pytest.approx(2.0, abs=0.03)
    assert found.normalised.value == pytest.approx((0.5 + 1.0) / 2, abs=0.02)  # of .5 .5 1 2, the middle ones
    assert (found.several, found.unfinished) == (True, "")
    assert (reacher.reached, hopper.reached) == (False, True)
    assert found.share is not None
    assert found.share.value == 0.5
    assert (reacher.success and reacher.success.value, hopper.success and hopper.success.value) == (0.0, 1.0)
    assert BenchResults.of(whole).normalised == found.normalised, "the same every time"
    assert found.cost.seconds > 0
    assert found.cost == Cost(40, 4 * STEPS * (1 + 9), found.cost.seconds, 2000, 1.0)


@pytest.mark.parametrize(("tokens", "usd", "total"), [(0, None, 0.0), (500, 0.0, 0.0), (500, None, None)])
def test_an_unknown_price_is_no_price(
    made: Made, tokens: int, usd: float | None, total: float | None
) -> None:
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, UP, DOWN, tokens=tokens, usd=usd)
    assert BenchResults.of(made.folder).cost.usd == total


@pytest.mark.parametrize(
    ("human", "sparse", "why"),
    [
        ([0.0, 1.0, 0.5], [0.1, 0.9, 0.5], "the hand-written and the sparse reward can't be told apart"),
        ([1.0] * 3, [1.0] * 3, "the hand-written and the sparse reward can't be told apart"),
        ([1.0], [0.0], "at least 4 seeds a side are needed for any verdict"),
        ([1.0, None, 1.0], [0.0] * 3, "2 trainings of the hand-written reward failed"),
        ([1.0] * 3, [0.0, 0.0, None], "2 trainings of the sparse reward failed"),
    ],
)
def test_without_a_scale_there_is_no_score(made: Made, human: Fitness, sparse: Fitness, why: str) -> None:
    found = two_searches(made, [0.5] * 3, human, sparse)
    hopper = found.tasks[1]
    assert (hopper.scale, hopper.normalised, found.normalised) == (why, None, None)
    assert hopper.fitness is not None


def test_undefined_tasks_do_not_enter_the_aggregate(made: Made) -> None:
    two_searches(made, [9.0] * 3, [1.0] * 3, [1.0] * 3)
    for seed in (0, 1):
        made.search("reacher-reach", seed, [0.5] * 3, UP, DOWN)
    found = BenchResults.of(made.folder)
    assert found.normalised is not None
    assert found.normalised.value == pytest.approx(0.5, abs=0.02)
    assert [each.reached for each in found.tasks] == [False, True], "this needs no scale"


def test_a_search_whose_winner_fails_counts_for_nothing_and_not_as_zero(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [2.0] * 4, UP, DOWN)
    made.search("hopper-hop", 1, [2.0, None, 2.0], UP, DOWN)
    made.search("reacher-reach", 0, [])
    found = BenchResults.of(made.folder)
    reacher, hopper = found.tasks
    assert [each.state for each in hopper.searches] == ["done", "failed"]
    assert hopper.searches[1].failure == "1 training of its winner g0-00 failed: not finite"
    assert [each.state for each in reacher.searches] == ["failed", "not begun"]
    assert reacher.searches[0].failure == "no candidate could be trained"
    assert hopper.normalised is not None
    assert hopper.normalised.value == pytest.approx(2.0, abs=0.05)
    assert not found.several


def test_an_unfinished_search_does_not_count_yet(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [2.0] * 3, UP, DOWN)
    made.search("hopper-hop", 1, [9.0], [9.0], [9.0], ended=False)
    found = BenchResults.of(made.folder)
    assert found.unfinished == "1 of 4 searches"
    assert len(found.tasks[1].done) == 1
    assert found.tasks[1].human == pytest.approx(1.0, abs=0.02)
