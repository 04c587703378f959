"""Evaluations in words: the numbers told are the numbers recorded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.records import Candidate
from eureka_loop.results import Checkpoint, Evaluated, Failed, Halted, TermStats, Trained, judged_episode
from eureka_loop.search.advice import advice
from eureka_loop.search.feedback import feedback

GOLDEN = Path(__file__).parents[1] / "conversations" / "feedback_words.txt"
Stats = tuple[float, float, float, float]  # mean, low, high, share


def trained(
    id: str,
    seed: int = 0,
    *,
    fitness: Sequence[float | None] = (0.5, 1.0, 1.5, 2.0),
    terms: dict[str, Sequence[Stats]] | None = None,
    correlations: dict[str, float | None] | None = None,
    scores: Sequence[float] = (2.0, 3.0),
    success: float | None = None,
) -> Trained:
    terms = (
        terms if terms is not None else {"go": [(0.1 * n, -1.0, 1.0 + n, 0.6) for n in range(len(fitness))]}
    )
    checkpoints = tuple(
        Checkpoint(
            1000 * (n + 1),
            5,
            value,
            success,
            900.0 + n,
            {name: TermStats(*stats[n]) for name, stats in terms.items()},
        )
        for n, value in enumerate(fitness)
    )
    judged = tuple(judged_episode(n, value, success, 1000) for n, value in enumerate(scores))
    return Trained(id, seed, 1000 * len(fitness), judged, checkpoints, correlations or {}, 1.0)


def evaluated(id: str, *results: Trained | Failed) -> Evaluated:
    return Evaluated(Candidate(id, int(id[1]), "", "llm"), results)


def test_the_whole_as_it_is_read() -> None:
    terms: dict[str, Sequence[Stats]] = {
        "speed": [(0.3 * n, -1.0, 3.3 * n, 0.5 + 0.04 * n) for n in range(1, 13)],
        "upright": [(0.25, -0.5, 0.5, 0.1)] * 12,
        "effort": [(-0.001 * n, -0.01, 0.0, 0.004) for n in range(1, 13)],
        "_held": [(0.7 + 0.01 * n, 0.0, 1.0, 0.0) for n in range(1, 13)],
    }
    correlations = {"speed": 0.97, "upright": -0.7, "effort": -0.9, "_held": None}
    curve = [0.3 * n for n in range(1, 13)]
    best = evaluated(
        "g1-03",
        trained("g1-03", 0, fitness=curve, terms=terms, correlations=correlations, success=0.5),
        trained(
            "g1-03",
            100,
            fitness=[2 * each for each in curve],
            terms=terms,
            correlations=correlations,
            success=1.0,
        ),
    )
    refused = Failed("g1-01", "refused", "Line 3: unknown observable 'x'\nLine 4: `if` on an array")
    broken = Failed("g1-02", "not_finite", "term 'a' is nan", "line 9: np.log(x)", 1)
    generation = [
        evaluated("g1-00", trained("g1-00", scores=[1.0])),
        evaluated("g1-01", refused),
        evaluated("g1-02", trained("g1-02"), broken),
        best,
        evaluated("g1-04", trained("g1-04", scores=[1.5])),
    ]
    text = feedback(best, generation) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_the_elite_may_be_older_than_the_generation() -> None:
    text = feedback(
        evaluated("g0-01", trained("g0-01")), [evaluated("g1-00", trained("g1-00", scores=[1.0]))]
    )
    assert text.startswith("g0-01: the final policy's fitness is 2.5, 2 to 3 in 2 episodes")
    assert text.endswith("The other programs of this generation:\ng1-00: fitness 1 (terms: go)")


def test_without_generations_the_others_are_those_that_ended_last() -> None:
    text = feedback(None, [evaluated("g0-01")], which="that ended last")
    assert text == "The programs that ended last:\ng0-01: not trained"


def test_where_nothing_was_trained() -> None:
    failures = [evaluated("g0-00", Failed("g0-00", "no_code", "the model refused")), evaluated("g0-01")]
    assert feedback(None, failures) == (
        "The programs of this generation:\ng0-00: failed, no code: the model refused\ng0-01: not trained"
    )
    assert feedback(None, []) == ""


@pytest.mark.parametrize(
    ("points", "steps"), [(2, ["2k", "4k"]), (3, ["2k", "3k", "4k"]), (9, ["1k", "2k", "3k", "4k"])]
)
def test_points_are_spread_and_end_with_the_last(points: int, steps: list[str]) -> None:
    line = feedback(evaluated("g0-00", trained("g0-00")), [], points).splitlines()[3]
    assert line.split() == ["step", *steps]


def test_unknown_values_are_dashes() -> None:
    text = feedback(evaluated("g0-00", trained("g0-00", fitness=[None, 1.0, None, 2.0])), [])
    assert next(line for line in text.splitlines() if line.startswith("fitness")).split() == [
        "fitness", "–", "1", "–", "2",
    ]  # fmt: skip
    assert "success" not in text


def test_without_checkpoints_there_is_still_the_outcome() -> None:
    text = feedback(evaluated("g0-00", trained("g0-00", fitness=[])), [])
    assert (
        text == "g0-00: the final policy's fitness is 2.5, 2 to 3 in 2 episodes; episode length 1000 steps."
    )


def test_a_long_traceback_is_cut() -> None:
    text = feedback(None, [evaluated("g0-00", Failed("g0-00", "exception", "Line 2: boom", "x " * 1000))])
    assert "exception: Line 2: boom; x x" in text
    assert len(text) < 500


RISING, FALLING = (0.1, 0.5, 1.0, 1.4, 1.8, 2.2), (0.1, 1.0, 2.0, 2.0, 1.0, 0.2, 0.1, 0.1)
WANDERING = (1.0, 1.1, 0.9, 1.05, 0.95, 1.1, 0.9)


@pytest.mark.parametrize(
    ("fitness", "expected"),
    [
        (
            [1.0, 0.9, 0.8],
            "Fitness didn't rise in training (1 at first, 0.8 at the end): the reward doesn't lead",
        ),
        (WANDERING, "Fitness didn't rise in training"),
        ([0.0, 3.0, 1.0], "Fitness rose from 0 to 3 at step 2,000 and fell to 1"),
        (FALLING, "Fitness rose from 0.1 to 1.67 at step 3,000 and fell to 0.133"),
    ],
)
def test_advice_on_fitness(fitness: Sequence[float], expected: str) -> None:
    assert advice([trained("g0-00", fitness=fitness)])[0].startswith(expected)


def test_one_bad_point_at_the_end_is_no_fall() -> None:
    assert advice([trained("g0-00", fitness=[0.2, 0.6, 1.0, 1.4, 1.8, 2.2, 2.4, 2.5, 2.4, 1.6])]) == []


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        (range(8), "while its reward rose: it pays for something else, too."),
        (FALLING, "and its reward with it"),
    ],
)
def test_who_fell_is_told_what_its_reward_did_meanwhile(means: Sequence[float], expected: str) -> None:
    paid = {
        "go": [(mean, -9.0, 9.0, 0.6) for mean in means],
        "_seen": [(-mean, -9.0, 9.0, 0.0) for mean in means],
    }
    assert expected in advice([trained("g0-00", fitness=FALLING, terms=paid)])[0]


@pytest.mark.parametrize(
    ("fitness", "expected"),
    [
        ((), "It (almost) never succeeded: rewrite the whole reward rather than adjusting it."),
        (WANDERING, "and it (almost) never succeeded: rewrite the whole reward rather than adjusting it."),
        (
            RISING,
            "fitness rose from 0.1 to 1.8: the reward leads the right way, not far enough; keep what works.",
        ),
        ((0.1, 1.8, *[2.0] * 8), "fitness rose from 0.1 to 2, most of it by step 3,000: the reward leads"),
    ],
)
def test_only_what_never_succeeded_and_didnt_rise_is_to_be_rewritten(
    fitness: Sequence[float], expected: str
) -> None:
    never = [
        trained("g0-00", fitness=fitness, success=0.0),
        trained("g0-00", 1, fitness=fitness, success=0.05),
    ]
    said = advice(never)[0]
    assert expected in said
    assert ("rewrite" in said) is ("rewrite" in expected)


def test_one_seed_that_succeeds_is_enough() -> None:
    assert not advice([trained("g0-00", success=0.0), trained("g0-00", 1, success=1.0)])


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ([(0.0, 0.0, 0.0, 0.2)] * 3, "'t' was 0 throughout"),
        ([(0.5, 0.0, 1.0, 0.2)] * 3, "The mean of 't' hardly changed in training (about 0.5)"),
        ([(0.99, 0.0, 1.0, 0.2)] * 3, "'t' was near its highest value all along"),
        ([(0.1 * n, 0.0, 1.0, 0.9) for n in range(3)], "'t' makes up 90% of the reward and hides the others"),
        ([(0.1 * n, 0.0, 1.0, 0.001) for n in range(3)], "'t' makes up 0.1% of the reward: it has no say"),
        ([(0.1 * n, 0.0, 1.0, 1e-5) for n in range(3)], "'t' makes up under 0.1% of the reward"),
    ],
)
def test_advice_on_a_term(stats: list[Stats], expected: str) -> None:
    other = [(0.1 * n, 0.0, 1.0, 0.2) for n in range(3)]
    found = advice([trained("g0-00", fitness=[1, 2, 3], terms={"t": stats, "other": other})])
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_rare_penalty_that_gets_rarer_has_changed() -> None:
    rare = [(mean, -35.0, 0.0, 0.4) for mean in (-0.6, -0.4, -0.3)]
    assert advice([trained("g0-00", fitness=[1, 2, 3], terms={"alive": rare, "go": rare})]) == []


@pytest.mark.parametrize(("correlation", "expected"), [(0.8, "scale them up"), (0.1, "scale it down")])
def test_a_term_that_is_nearly_all_is_scaled_down_unless_it_is_what_counts(
    correlation: float, expected: str
) -> None:
    terms = {name: [(0.1 * n, 0.0, 1.0, share) for n in range(3)] for name, share in (("t", 0.9), ("o", 0.1))}
    (said,) = advice([trained("g0-00", fitness=[1, 2, 3], terms=terms, correlations={"t": correlation})])
    assert expected in said


def test_advice_on_a_term_that_goes_against_fitness() -> None:
    pays, costs = [(0.1 + n, 0.0, 3.0, 0.4) for n in range(3)], [(-0.1 - n, -3.0, 0.0, 0.4) for n in range(3)]
    against = {"alive": -0.8, "effort": -0.8}
    one = trained("g0-00", fitness=[1, 2, 3], terms={"alive": pays, "effort": costs}, correlations=against)
    assert advice([one]) == ["'alive' pays, yet goes against fitness (correlation -0.80)."]


def test_no_advice_where_all_is_well_or_unknown() -> None:
    assert advice([trained("g0-00")]) == []
    assert advice([trained("g0-00", fitness=[])]) == []
    assert advice([]) == []


def halted(id: str, steps: int, fitness: float, *, rung: int = 0, needed: float = 0.52) -> Evaluated:
    why = Halted(id, rung, steps, 100_000, fitness, needed, places=3, among=8)
    return replace(evaluated(id, trained(id, scores=[fitness], success=0.0)), halted=why)


def test_who_was_stopped_early_is_told_when_and_why() -> None:
    generation = [
        halted("g0-00", 11_264, 9.0, needed=9.5),
        evaluated("g0-01", Failed("g0-01", "diverged", "nan")),
        halted("g0-02", 33_792, 0.31, rung=1),
        evaluated("g0-03", trained("g0-03", scores=[0.25])),
        halted("g0-04", 11_264, 9.25, needed=9.5),
    ]
    lines = feedback(evaluated("g0-05", trained("g0-05")), generation).splitlines()
    assert lines[-5:] == [
        "g0-03: fitness 0.25 (terms: go)",
        "g0-02: stopped after 33.8k of 100k steps with fitness 0.31, below the best 3 of 8 (0.52 or more), "
        "success 0% (terms: go)",
        "g0-04: stopped after 11.3k of 100k steps with fitness 9.25, below the best 3 of 8 (9.5 or more), "
        "success 0% (terms: go)",
        "g0-00: stopped after 11.3k of 100k steps with fitness 9, below the best 3 of 8 (9.5 or more), "
        "success 0% (terms: go)",
        "g0-01: failed, diverged: nan",
    ]


def test_where_nobody_got_to_the_end_the_best_is_told_as_it_stood() -> None:
    """All that went on failed."""
    text = feedback(halted("g0-00", 11_264, 0.31), [])
    assert text.startswith(
        "g0-00: stopped after 11.3k of 100k steps with fitness 0.31, below the best 3 of 8"
    )
    assert "The policy's fitness is 0.31" in text
    assert "final" not in text.splitlines()[0]
