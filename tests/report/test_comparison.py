"""The winner beside the references: numbers, intervals, verdicts, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from eureka_loop.records import Candidate
from eureka_loop.report.comparison import compare, difference_interval
from eureka_loop.report.standings import sentences, standings_table
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode


def evaluated(id: str, fitness: Sequence[float | None]) -> Evaluated:
    """None: that seed's training failed."""
    results = [
        Failed(id, "timed_out", "too slow", seed=seed)
        if value is None
        else Trained(id, seed, 100, (judged_episode(0, value, None, 10),), (), {}, 1.0)
        for seed, value in enumerate(fitness)
    ]
    return Evaluated(Candidate(id, 0, "", "llm"), tuple(results))


def verdicts(*rewards: Evaluated) -> dict[str, str]:
    return {each.reference.id: each.verdict for each in compare(rewards).differences}


def said(*rewards: Evaluated) -> str:
    return "\n".join(words for words, _ in sentences(compare(rewards)))


BEST = evaluated("g1-00", [2.5, 2.7, 2.6, 2.65])


@pytest.mark.parametrize(
    ("human", "verdict"),
    [
        ([2.0, 2.2, 2.1, 2.15], "better"),
        ([3.0, 3.2, 3.1, 3.15], "worse"),
        ([2.4, 2.8, 2.6, 2.65], "can't tell"),
        ([2.0, 2.2, 2.1, 2.55], "can't tell"),  # the interval lies above 0, but chance does as much too often
    ],
)
def test_the_verdict_follows_the_interval_of_the_difference(human: list[float], verdict: str) -> None:
    assert verdicts(BEST, evaluated("human", human)) == {"human": verdict}


def test_a_failed_training_is_no_zero_and_forbids_a_verdict() -> None:
    human = evaluated("human", [0.1, None, 0.2])
    (difference,) = compare((BEST, human)).differences
    assert difference.reference.interval is not None
    assert difference.reference.interval.value == pytest.approx(0.15)
    assert (difference.verdict, difference.reason) == (
        "can't tell",
        "1 training of the hand-written reward failed",
    )


def test_a_reference_of_which_all_failed_has_no_number() -> None:
    human = evaluated("human", [None, None, None])
    comparison = compare((BEST, human))
    assert comparison.differences == ()
    assert comparison.standings[1].interval is None
    assert comparison.normalised is None


def test_three_seeds_are_too_few_for_a_verdict() -> None:
    ours, theirs = evaluated("g1-00", [9.0, 9.1, 9.2]), evaluated("human", [1.0, 1.1, 1.2])
    assert verdicts(ours, theirs) == {"human": "can't tell"}
    words = said(ours, theirs)
    assert "Intervals from 3 seeds a reward." in words
    assert "3 seeds each are too few: equal rewards separate completely in 10% of such runs" in words


def test_one_seed_each_has_a_difference_and_nothing_more() -> None:
    words = said(evaluated("g1-00", [3.4]), evaluated("human", [3.12]))
    assert "can't tell (one seed each says nothing: of equal rewards, too, one comes out ahead)." in words
    assert "Difference 0.2800." in words
    assert (
        compare((evaluated("g1-00", [3.0]), evaluated("human", [2.0]), evaluated("sparse", [1.0]))).normalised
        is None
    )


def test_a_verdict_says_how_often_chance_does_as_much() -> None:
    words = said(BEST, evaluated("human", [2.0, 2.2, 2.1, 2.15]))
    assert "better (equal rewards differ as much in 3" in words


def test_equal_rewards_are_rarely_told_apart() -> None:
    """A/A, simulated: the same distribution on both sides, with skew and outliers, 5 seeds each."""
    rng = np.random.default_rng(7)
    told = 0
    for _ in range(200):
        x, y = rng.lognormal(size=(2, 5))
        told += verdicts(evaluated("g1-00", list(x)), evaluated("human", list(y))) != {"human": "can't tell"}
    assert told <= 18  # 10 expected at the 5% level; 19 or more happen in under 1% of such tests


def test_one_seed_has_no_interval() -> None:
    assert "One seed each: there is no interval" in said(evaluated("g1-00", [2.0]), evaluated("human", [1.0]))


def test_the_human_normalised_score_and_its_guard() -> None:
    human = evaluated("human", [2.0, 2.0, 2.0])
    found = compare(
        (evaluated("g1-00", [2.5, 2.7, 2.6]), human, evaluated("sparse", [1.0, 1.0, 1.0]))
    ).normalised
    assert found is not None
    assert found.raw == pytest.approx(1.6)
    assert compare((BEST, human, evaluated("sparse", [2.0, 2.0, 2.001]))).normalised is None
    assert "not defined" in said(BEST, human, evaluated("sparse", [2.0, 2.0, 2.001]))
    assert "clipped to [0, 3]: 3.00" in said(
        evaluated("g1-00", [9.0] * 3), human, evaluated("sparse", [1.0] * 3)
    )


def test_where_the_hand_written_reward_did_worse_than_sparse_it_is_not_the_one() -> None:
    ours, human, sparse = (
        evaluated(id, [value] * 4) for id, value in (("g1-00", 2.5), ("human", 1.0), ("sparse", 2.0))
    )
    words = said(ours, human, sparse)
    assert "Human-normalised score: 0.50; 0: sparse, -1: hand-written." in words
    assert "The hand-written reward did worse here than the sparse one" in words
    assert "1: hand-written. The" not in words.replace("-1:", "")
    assert "did worse" not in said(ours, evaluated("human", [3.0] * 4), sparse)


def test_a_report_that_is_not_finished_has_no_verdict() -> None:
    comparison = compare((BEST, evaluated("human", [2.0, 2.2])), unfinished="6 of 8 trainings")
    assert [each.fitness.size for each in comparison.standings] == [4, 2]
    assert [words for words, _ in sentences(comparison)] == [
        "The report is not finished (6 of 8 trainings): there is no verdict yet."
    ]


def test_the_envs_own_reward_stands_in_for_the_hand_written_one() -> None:
    native = evaluated("native", [2.0, 2.0, 2.0])
    found = compare((BEST, native, evaluated("sparse", [1.0, 1.0, 1.0])))
    assert found.normalised is not None
    assert [each.label for each in found.standings] == ["winner", "the env's own", "sparse"]


def test_the_interval_of_a_difference_is_that_of_independent_sides() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(1.0, 1.0, 40), rng.normal(0.0, 1.0, 40)
    found = difference_interval(ours, theirs, np.random.default_rng(0))
    assert found.low < found.value < found.high
    # The standard error of an interquartile mean of normal scores is about 1.1 times the mean's.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 1.1 * np.sqrt(2 / 40), rel=0.35)


def test_it_says_the_same_every_time() -> None:
    human = evaluated("human", [2.0, 2.2, 2.1])
    assert compare((BEST, human)) == compare((BEST, human))


def test_nothing_reported_yet_is_nothing_to_compare() -> None:
    assert compare(()).standings == ()
    assert standings_table(compare((evaluated("g1-00", []),))).row_count == 1


def test_why_there_is_no_score_is_said_of_whom_it_is_about() -> None:
    human, sparse = evaluated("human", [2.0, 2.1, 2.0]), evaluated("sparse", [1.0, 1.1, 1.0])
    failing = Evaluated(BEST.candidate, (*BEST.trained, Failed("g1-00", "diverged", "nan", seed=9)))
    words = said(failing, human, sparse)
    assert "Human-normalised score: not defined, since 1 training of the winner reward failed." in words
    broken = Evaluated(sparse.candidate, (*sparse.trained, Failed("sparse", "diverged", "nan", seed=9)))
    assert "not defined, since 1 training of the sparse reward failed." in said(BEST, human, broken)
    assert "Human-normalised" not in said(BEST, human)
