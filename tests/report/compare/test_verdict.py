"""Better, worse or can't tell: the line that a comparison is made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.report.compare.results import ComparisonResults

from .conftest import ENTRIES, Fitness, made, numbers

HIGH, LOW = numbers(4.2, 0.5, 10, 1), numbers(3.1, 0.6, 10, 2)
FEW = "At least 4 seeds a side are needed for any verdict."


def found(folder: Path, fitness: Fitness, **values: object) -> ComparisonResults:
    """A comparison of as many entries as have fitness."""
    return ComparisonResults.of(made(folder, fitness, entries=ENTRIES[: len(fitness)], **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs", "headline", "parts"),
    [
        (HIGH, LOW, "better", ["Winner g1-03 is better than hand-written: probability of improvement 0.96 [0.74, 0.99].",
                               "equal rewards differ as much in under 0.1% of cases"]),
        (LOW, HIGH, "worse", ["Winner g1-03 is worse than hand-written: probability of improvement 0.04"]),
        (numbers(3.2, 0.6, 10, 1), numbers(3.0, 0.6, 10, 2), "can't tell",
         ["Can't tell winner g1-03 from hand-written: probability of improvement", "seeds a side would find it", "four times out of five"]),
        (HIGH, HIGH, "can't tell", ["more than 100 seeds a side would be needed"]),
        (HIGH, [None] * 10, "can't tell", ["no training of the hand-written reward finished: it failed, which is no score"]),
        (HIGH, [*LOW[:9], None], "can't tell",
         ["1 training of the hand-written reward failed."]),
        (HIGH, LOW[:7], "can't tell", ["Can't tell winner g1-03 from hand-written: 17 of 20 trainings done"]),
        ([9.0], [1.0], "can't tell", [FEW]),
        ([9.0] * 3, [1.0] * 3, "can't tell", [FEW]),
    ],
)  # fmt: skip
def test_the_verdict_and_what_it_rests_on(
    tmp_path: Path, ours: list[float], theirs: list[float], headline: str, parts: list[str]
) -> None:
    comparison = found(tmp_path, {"g1-03": ours, "human": theirs})
    assert comparison.headline == headline
    (line,) = comparison.lines
    for part in parts:
        assert part in line, line
    assert "\n" not in line


def test_several_algorithms_have_verdicts_of_their_own(tmp_path: Path) -> None:
    fitness = {"g1-03": HIGH, "human": LOW}
    found(tmp_path, fitness, algorithms=("ppo", "sac"))
    found(tmp_path / "other", {"g1-03": LOW, "human": LOW}, algorithms=("sac",))
    (tmp_path / "sac").rename(tmp_path / "better-sac")
    (tmp_path / "other" / "sac").rename(tmp_path / "sac")
    both = ComparisonResults.of(tmp_path)
    assert both.headline == "better with PPO, can't tell with SAC"
    first, second = both.lines
    assert first.startswith("With PPO: Winner g1-03 is better than hand-written")
    assert second.startswith("With SAC: Can't tell winner g1-03 from hand-written")


def test_a_second_look_is_admitted(tmp_path: Path) -> None:
    fitness = {"g1-03": HIGH, "human": LOW}
    second = found(tmp_path / "second", fitness, looks=(5, 10))
    assert second.caution.startswith("Reports were written at 5 seeds, too.")
    assert found(tmp_path / "first", fitness, looks=(10,)).caution == ""
