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
        ([2.0, 2.2, 2.1, 2.55], "can't tell"),  # the interval lies above 0, but chance does as much too often
    ],
)
def test_the_verdict_follows_interval_and_permutation_test(human: list[float], verdict: str) -> None:
    found = comparison(BEST, human=human)
    assert found.differences[0].verdict == verdict
    assert f"Against hand-written: {verdict}: probability of improvement" in said(found)
    assert found == comparison(BEST, human=human), "the same draws every time"


@pytest.mark.parametrize(
    ("floor", "sentence"),
    [
        (2.62, "The winner can't be told from zero actions, fitness 2.620."),
        (3.0, "The winner is worse than zero actions, fitness 3.000."),
        (2.0, ""),
    ],
)
def test_a_winner_that_learned_nothing_is_said_to(floor: float, sentence: str) -> None:
    (zero,) = evaluated("zero", [floor]).trained
    rewards = tuple(evaluated(id, values) for id, values in (("g1-00", BEST), ("human", [2.5] * 4)))
    found = compare(rewards, floors={"zero actions": zero})
    assert (sentence in said(found)) if sentence else ("zero actions" not in said(found))
    assert report(found)[1][-1] == ["zero actions", f"{floor:.3f}", "–", "–", ""]


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
        ([2.5, 2.7, 2.6], [2.0] * 3, [1.0] * 3, "score: 1.60; 0: sparse, 1: hand-written."),
        ([9.0] * 3, [2.0] * 3, [1.0] * 3, "score: 8.00 (clipped to [0, 3]: 3.00);"),
        (BEST, [2.0] * 3, [2.0, 2.0, 2.001], "not defined, since the hand-written and the sparse reward can't be told"),
        ([3.0], [2.0], [1.0], "not defined, since the hand-written and the sparse reward can't be told apart"),
        ([2.5] * 4, [1.0] * 4, [2.0] * 4, "score: 0.50; 0: sparse, -1: hand-written. The hand-written reward did worse"),
        ([*BEST, None], [2.0, 2.1, 2.0], [1.0, 1.1, 1.0], "not defined, since 1 training of the winner reward failed."),
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
    found = comparison(BEST, native=[2.0] * 3, sparse=[1.0] * 3)
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


def verdicts(draw: Draw, shift: float, repeats: int, seeds: int = SEEDS) -> list[str]:
    rng = np.random.default_rng(3)
    pairs = [(draw(rng, seeds) + shift, draw(rng, seeds)) for _ in range(repeats)]
    return [comparison(ours, human=theirs).differences[0].verdict for ours, theirs in pairs]


@pytest.mark.usefixtures("fewer_draws")
@pytest.mark.parametrize(("name", "seeds"), [(name, SEEDS) for name in DISTRIBUTIONS] + [("skewed", 5)])
def test_a_reward_beside_itself_can_not_be_told_apart(name: str, seeds: int) -> None:
    """A/A: at least 95%; of 200 at 5%, 19 or more errors happen in under 1% of such tests."""
    found = verdicts(DISTRIBUTIONS[name], 0.0, 200, seeds)
    assert len(found) - found.count("can't tell") <= 18


@pytest.mark.usefixtures("fewer_draws")
@pytest.mark.parametrize(("shift", "least", "most"), [(1.0, 0.35, 0.65), (2.0, 0.93, 1.0)])
def test_a_known_difference_is_found_at_the_stated_rate(shift: float, least: float, most: float) -> None:
    """The rates of docs/compare.md: one deviation in about half of all comparisons, two in nearly all."""
    found = verdicts(DISTRIBUTIONS["normal"], shift, 120)
    assert least <= found.count("better") / 120 <= most
    assert "worse" not in found
