"""The first reward beside the others: numbers, verdicts, and how often those err on made-up seeds.

`benchmarks/honesty.py` measures the error rates more finely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from eureka_loop.records import Array, Candidate
from eureka_loop.report.comparison import Comparison, compare
from eureka_loop.report.sections import report, sentences
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode


def evaluated(id: str, fitness: Sequence[float | None] | Array) -> Evaluated:
    """A number for each seed; None: that seed's training failed."""
    results = [
        Failed(id, "timed_out", "too slow", seed=seed)
        if value is None
        else Trained(id, seed, 100, (judged_episode(0, float(value), None, 10),), (), {}, 1.0)
        for seed, value in enumerate(fitness)
    ]
    return Evaluated(Candidate(id, 0, "", "llm"), tuple(results))


def comparison(ours: Sequence[float | None] | Array, **others: Sequence[float | None] | Array) -> Comparison:
    """The candidate g1-00 beside others, by their ids."""
    rewards = [evaluated("g1-00", ours), *(evaluated(id, fitness) for id, fitness in others.items())]
    return compare(tuple(rewards))


def said(found: Comparison) -> str:
    return "\n".join(words for words, _ in sentences(found))


BEST = [2.5, 2.7, 2.6, 2.65]


@pytest.mark.parametrize(
    ("human", "verdict"),
    [
        ([2.0, 2.2, 2.1, 2.15], "better"),
        ([3.0, 3.2, 3.1, 3.15], "worse"),
        ([2.4, 2.8, 2.6, 2.65], "can't tell"),
        ([2.0, 2.2, 2.1, 2.55], "can't tell"),
    ],
)
def test_the_verdict_follows_the_permutation_test(human: list[float], verdict: str) -> None:
    found = comparison(BEST, human=human)
    assert found.differences[0].verdict == verdict
    assert found == comparison(BEST, human=human), "the same draws every time"


def floor_of(fitness: float) -> dict[str, Trained]:
    return {"zero actions": evaluated("zero", [fitness]).trained[0]}


def beside(floor: float, **rewards: Sequence[float]) -> Comparison:
    """The candidate g1_00 beside others and a floor."""
    found = tuple(evaluated(id.replace("_", "-"), values) for id, values in rewards.items())
    return compare(found, floors=floor_of(floor))


@pytest.mark.parametrize(
    ("floor", "told"),
    [
        (2.65, "Can't tell winner, which is no better than zero actions, from hand-written, which is worse than zero actions: "),
        (2.61, "Can't tell winner, which can't be told from zero actions, from hand-written, which is worse"),
        (3.0, "Can't tell winner, which is worse than zero actions, from"),
        (2.0, "Can't tell winner from hand-written: "),
    ],
)  # fmt: skip
def test_a_reward_that_taught_nothing_is_said_to_in_its_verdict(floor: float, told: str) -> None:
    found = beside(floor, g1_00=BEST, human=[2.55] * 4)
    assert said(found).startswith(told)
    assert report(found)[1][-1] == ["zero actions", f"{floor:.3f}", "–", "–", ""]


def test_a_winner_without_references_is_beside_the_floor_too() -> None:
    assert said(beside(3.0, g1_00=BEST)) == "Winner is worse than zero actions."
    assert said(beside(2.0, g1_00=BEST)) == ""


def test_a_verdict_says_that_the_hand_written_reward_loses_to_sparse() -> None:
    rewards = {"g1_00": [5.0, 5.1, 4.9, 5.2], "human": [1.0, 1.1, 0.9, 1.2], "sparse": BEST}
    first, second, *_ = said(beside(1.02, **rewards)).splitlines()
    flaws = "can't be told from zero actions and is worse than sparse"
    assert first.startswith(f"Winner is better than hand-written, which {flaws}: ")
    assert second.startswith("Winner is better than sparse: ")


@pytest.mark.parametrize(
    ("margin", "floor", "verdict", "stated"),
    [
        (None, 0.0, "as good", "differ by 0.26, a tenth of what hand-written adds to zero actions, come as close in under 0.1%"),
        (None, 2.5, "can't tell", "differ by 0.01, a tenth"),
        (None, 3.0, "can't tell", ""),  # a reference below the floor: no margin
        (0.5, 3.0, "as good", "differ by 0.5, the margin, come as close in under 0.1% of cases"),
        (0.01, 0.0, "can't tell", "the margin, come as close in"),
        (0.0, 0.0, "can't tell", ""),
    ],
)  # fmt: skip
def test_as_good_is_a_difference_within_the_margin(
    margin: float | None, floor: float, verdict: str, stated: str
) -> None:
    ours, theirs = np.random.default_rng(0).normal(2.6, 0.1, (2, 8))
    rewards = (
        evaluated("g1-00", ours - ours.mean() + 2.601),
        evaluated("human", theirs - theirs.mean() + 2.6),
    )
    (found,) = compare(rewards, floors=floor_of(floor), margin=margin).differences
    assert (found.verdict, stated in found.explanation) == (verdict, True), found.explanation
    assert ("come as close" in found.explanation) == bool(stated)


def test_a_difference_that_is_found_is_one_however_small() -> None:
    rewards = (evaluated("g1-00", BEST), evaluated("human", [2.0, 2.2, 2.1, 2.15]))
    assert compare(rewards, margin=100.0).differences[0].verdict == "better"


def test_no_score_where_no_reference_beats_a_floor() -> None:
    (random,) = evaluated("random", [2.2]).trained
    names = {"g1-00": BEST, "human": [2.0, 2.1, 2.0, 2.1], "sparse": [1.0, 1.1, 1.0, 1.1]}
    found = compare(tuple(evaluated(*each) for each in names.items()), floors={"random actions": random})
    assert (
        "not defined, since neither the hand-written nor the sparse reward does better than random"
        in said(found)
    )


@pytest.mark.parametrize(
    ("ours", "human", "sparse", "sentence"),
    [
        ([2.5, 2.7, 2.6, 2.6], [2.0] * 4, [1.0] * 4, "score: 1.60; 0: sparse, 1: hand-written."),
        ([9.0] * 4, [2.0] * 4, [1.0] * 4, "score: 8.00 (clipped to [0, 3]: 3.00);"),
        (BEST, [2.0] * 4, [2.0, 2.0, 2.0, 2.001], "not defined, since the hand-written and the sparse reward can't be told"),
        ([3.0] * 3, [2.0] * 3, [1.0] * 3, "not defined, since at least 4 seeds a side are needed for any verdict."),
        ([2.5] * 4, [1.0] * 4, [2.0] * 4, "score: 0.50; 0: sparse, -1: hand-written. The hand-written reward did worse"),
        ([*BEST, None], [2.0, 2.1, 2.0, 2.0], [1.0, 1.1, 1.0, 1.0], "not defined, since 1 training of the winner reward failed."),
        (BEST, [2.0, 2.1], [1.0, 1.1, None], "not defined, since 1 training of the sparse reward failed."),
    ],
)  # fmt: skip
def test_the_human_normalised_score_and_its_guards(
    ours: list[float | None], human: list[float], sparse: list[float | None], sentence: str
) -> None:
    words = said(comparison(ours, human=human, sparse=sparse))
    assert sentence in words
    assert words.count("Human-normalised score: ") == 1


def test_the_envs_own_reward_stands_in_for_the_hand_written_one() -> None:
    found = comparison(BEST, native=[2.0] * 4, sparse=[1.0] * 4)
    assert found.normalised(found.results[0]) is not None
    assert [each.label for each in found.results] == ["winner", "the env's own", "sparse"]


def test_without_a_finished_report_there_is_no_verdict() -> None:
    rewards = (evaluated("g1-00", BEST), evaluated("human", [2.0, 2.2]))
    found = compare(rewards, 6, 8)
    assert said(found) == "The report is not finished (6 of 8 trainings): there is no verdict yet."
    assert (found.differences[0].verdict, found.differences[0].explanation) == (
        "can't tell",
        "6 of 8 trainings done",
    )
    assert compare(()).results == ()
    assert len(report(comparison([]))[1]) == 1


# error rates: SEEDS seeds a side, as `eureka compare` takes

SEEDS = 10
Draw = Callable[[np.random.Generator, int], Array]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(sigma=0.7, size=n),
    "two modes": lambda rng, n: np.where(rng.random(n) < 0.3, 0.0, 1.0) + 0.15 * rng.normal(size=n),
}


@pytest.fixture
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_loop.report.comparison.REPEATS", 1_000)


def verdicts(
    draw: Draw,
    shift: float,
    repeats: int,
    seeds: int = SEEDS,
    shared: float = 0.0,
    margin: float | None = None,
) -> list[str]:
    """Of seeds that have a part of the variance in common."""
    rng, found = np.random.default_rng(3), []
    for _ in range(repeats):
        common, ours, theirs = (
            draw(rng, seeds),
            draw(rng, seeds) + shift / (1 - shared) ** 0.5,
            draw(rng, seeds),
        )
        pair = (shared**0.5 * common + (1 - shared) ** 0.5 * each for each in (ours, theirs))
        rewards = tuple(evaluated(id, each) for id, each in zip(("g1-00", "human"), pair, strict=True))
        found.append(compare(rewards, margin=margin).differences[0].verdict)
    return found


@pytest.mark.usefixtures("fewer_draws")
@pytest.mark.parametrize(
    ("name", "seeds", "shared"),
    [*((name, SEEDS, 0.0) for name in DISTRIBUTIONS), ("skewed", 6, 0.0), ("normal", SEEDS, 0.8)],
)
def test_a_reward_beside_itself_can_not_be_told_apart(name: str, seeds: int, shared: float) -> None:
    """A/A: at least 95%; of 200 at 5%, 19 or more errors happen in under 1% of such tests."""
    found = verdicts(DISTRIBUTIONS[name], 0.0, 200, seeds, shared)
    assert len(found) - found.count("can't tell") <= 18


@pytest.mark.usefixtures("fewer_draws")
def test_rewards_that_differ_by_the_margin_are_seldom_as_good() -> None:
    """At most 5%, and often where they are equal and the margin is two deviations."""
    assert verdicts(DISTRIBUTIONS["normal"], 2.0, 200, margin=2.0).count("as good") <= 18
    assert verdicts(DISTRIBUTIONS["normal"], 0.0, 50, margin=2.0).count("as good") >= 40


@pytest.mark.usefixtures("fewer_draws")
def test_seeds_in_common_find_what_would_be_missed_without_them() -> None:
    assert verdicts(DISTRIBUTIONS["normal"], 1.0, 60, shared=0.8).count("better") >= 45


@pytest.mark.usefixtures("fewer_draws")
@pytest.mark.parametrize(("shift", "least", "most"), [(1.0, 0.4, 0.7), (2.0, 0.93, 1.0)])
def test_a_known_difference_is_found_at_the_stated_rate(shift: float, least: float, most: float) -> None:
    """The rates of docs/compare.md: one deviation in about half of all comparisons, two in nearly all."""
    found = verdicts(DISTRIBUTIONS["normal"], shift, 120)
    assert least <= found.count("better") / 120 <= most
    assert "worse" not in found
