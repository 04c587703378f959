"""Better, worse, can't tell: the line that people come for."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.report.compare import verdict
from eureka_loop.report.compare.facts import Facts

from .conftest import CONTENDERS, made, numbers

HIGH, LOW = numbers(4.2, 0.5, 10, 1), numbers(3.1, 0.6, 10, 2)


def test_better(better: Path) -> None:
    facts = Facts.of(better)
    assert verdict.headline(facts) == "better"
    line = verdict.line(facts)
    assert line.startswith(
        "Winner g1-03 is better than hand-written: probability of improvement 0.96 [0.74, 0.99]."
    )
    assert "equal rewards differ as much in under 0.1% of cases" in line
    assert "\n" not in line


def test_worse(tmp_path: Path) -> None:
    facts = Facts.of(made(tmp_path, {"g1-03": LOW, "human": HIGH}, contenders=CONTENDERS[:2]))
    assert verdict.headline(facts) == "worse"
    assert verdict.line(facts).startswith(
        "Winner g1-03 is worse than hand-written: probability of improvement 0.04"
    )


def test_what_can_not_be_told_says_how_many_more_seeds_would_decide(even: Path) -> None:
    line = verdict.line(Facts.of(even))
    assert line.startswith("Can't tell winner g1-03 from hand-written: probability of improvement")
    assert "more seeds a side" in line
    assert "four times out of five" in line


def test_where_nothing_differs_no_number_of_seeds_is_promised(tmp_path: Path) -> None:
    facts = Facts.of(made(tmp_path, {"g1-03": HIGH, "human": HIGH}, contenders=CONTENDERS[:2]))
    assert "more than 100 seeds a side would be needed" in verdict.line(facts)


def test_a_failed_reference_is_failed_and_never_zero(tmp_path: Path) -> None:
    facts = Facts.of(made(tmp_path, {"g1-03": HIGH, "human": [None] * 10, "sparse": LOW}))
    assert verdict.headline(facts) == "can't tell"
    assert "no training of the hand-written reward finished: it failed, which is no score" in verdict.line(
        facts
    )
    assert verdict.against(facts.parts[0], facts.parts[0].standings[2])[0] == "better"


def test_one_failed_training_forbids_a_verdict_and_more_seeds_do_not_help(tmp_path: Path) -> None:
    facts = Facts.of(made(tmp_path, {"g1-03": HIGH, "human": [*LOW[:9], None]}, contenders=CONTENDERS[:2]))
    assert (
        "1 training of the hand-written reward failed. While trainings fail, more seeds decide nothing."
        in (verdict.line(facts))
    )


def test_an_unfinished_comparison_has_no_verdict(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": HIGH, "human": LOW[:7]}, contenders=CONTENDERS[:2])
    facts = Facts.of(folder)
    assert verdict.line(facts) == "Can't tell winner g1-03 from hand-written: 17 of 20 trainings done"


def test_several_algorithms_are_told_apart(tmp_path: Path) -> None:
    folder = made(
        tmp_path, {"g1-03": HIGH, "human": LOW}, contenders=CONTENDERS[:2], algorithms=("ppo", "sac")
    )
    made(tmp_path / "other", {"g1-03": LOW, "human": LOW}, contenders=CONTENDERS[:2], algorithms=("sac",))
    (folder / "sac").rename(folder / "better-sac")
    (tmp_path / "other" / "sac").rename(folder / "sac")
    facts = Facts.of(folder)
    assert verdict.headline(facts) == "better with PPO, can't tell with SAC"
    first, second = verdict.lines(facts)
    assert first.startswith("With PPO: winner g1-03 is better than hand-written")
    assert second.startswith("With SAC: can't tell winner g1-03 from hand-written")


def test_a_second_look_is_admitted(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": HIGH, "human": LOW}, contenders=CONTENDERS[:2], looks=(5, 10))
    assert verdict.looks(Facts.of(folder)).startswith("Reports were written at 5 seeds, too.")
    first = made(tmp_path / "first", {"g1-03": HIGH, "human": LOW}, contenders=CONTENDERS[:2], looks=(10,))
    assert verdict.looks(Facts.of(first)) == ""


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (
            1,
            "Can't tell winner g1-03 from hand-written: one seed each says nothing: of equal rewards, too, one "
            "comes out ahead. At least 4 seeds a side are needed for any verdict.",
        ),
        (3, "3 seeds each are too few: equal rewards separate completely in 10% of such runs"),
    ],
)
def test_few_seeds_never_decide(tmp_path: Path, seeds: int, expected: str) -> None:
    facts = Facts.of(
        made(tmp_path, {"g1-03": [9.0] * seeds, "human": [1.0] * seeds}, contenders=CONTENDERS[:2])
    )
    assert verdict.headline(facts) == "can't tell"
    assert expected in verdict.line(facts)
    assert verdict.line(facts).lower().count("one seed each") == (seeds == 1)
