"""The numbers of a comparison, and each as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.records import NATIVE
from eureka_loop.report.compare.results import ComparisonResults, Part
from eureka_loop.report.compare.setup import Entry
from eureka_loop.report.compare.view import documents, summary, table
from eureka_loop.report.comparison import Scale
from tests.report.conftest import trained

from .conftest import ENTRIES, Fitness, made, numbers


def part_of(folder: Path, fitness: Fitness | None = None, **values: object) -> Part:
    """The only part of a comparison, with these numbers or as it lies there."""
    return ComparisonResults.of(made(folder, fitness, **values) if fitness else folder).parts[0]  # type: ignore[arg-type]


def test_every_number_with_its_interval(better: Path) -> None:
    part = part_of(better)
    ours, human, sparse = table(part)[1]
    assert ours[:4] == ["winner g1-03", "4.397 [4.142, 4.507]", "100% [72%, 100%]", "1.58"]
    assert (human[3], sparse[3]) == ("1.00", "0.00")
    assert part.target == pytest.approx(3.0, abs=0.5)
    assert part.curves[0] is not None
    assert float(ours[4].split()[0]) == pytest.approx(part.curves[0].fitness.mean(), rel=0.05), (
        "the curve's mean"
    )
    assert ours[5].endswith("k (10 of 10 seeds)")
    assert float(ours[5].split("k")[0]) < 120
    assert sparse[5] == "not reached (0 of 10 seeds)"
    assert ours[6] == "10 of 10"


def test_a_failure_has_no_number(tmp_path: Path) -> None:
    part = part_of(tmp_path, {"g1-03": [4.0, 4.1], "human": [None, None], "sparse": [1.0, None]})
    ours, human, sparse = table(part)[1]
    assert human[1:] == ["failed", "–", "undefined", "–", "–", "0 of 2: not finite"]
    assert sparse[6] == "1 of 2: not finite"
    assert (part.target, ours[5]) == (None, "–")


def test_progress_of_what_never_succeeded_stands_behind_success(
    tmp_path: Path, shown: Callable[..., str]
) -> None:
    run = part_of(tmp_path, {"g1-03": [4.0, 4.1], "sparse": [0.0, 0.0]}, entries=[ENTRIES[0], ENTRIES[2]]).run
    for seed, progress in zip(run.training_seeds("sparse"), (-0.2, -0.4), strict=True):
        files.write_json(
            run.job_folder("sparse", seed) / "result.json", trained("sparse", seed, 0.0, progress)
        )
    files.write_json(run.folder / "floors" / "zero" / "result.json", trained("zero", 0, 0.0, -0.9))
    heads, (ours, sparse, zero) = table(part_of(tmp_path))
    assert [heads[3], ours[3], sparse[3], zero[3]] == ["progress", "–", "-0.3000", "-0.9000"]
    found = ComparisonResults.of(tmp_path)
    for text in (shown(summary(found)), *documents(found).values()):
        assert ("progress" in text and "-0.3000" in text) or text.startswith("<svg")


def test_the_envs_own_reward_is_the_reference_where_there_is_no_hand_written_one(tmp_path: Path) -> None:
    native = Entry("native", "the env's own", NATIVE)
    ids = {"g1-03": 4.0, "sparse": 1.0, "native": 3.0}
    fitness = {id: numbers(middle, 0.3, 6, n) for n, (id, middle) in enumerate(ids.items())}
    part = part_of(tmp_path / "a", fitness, entries=[ENTRIES[0], ENTRIES[2], native])
    assert part.headline.reference.id == "native"
    assert part.target == pytest.approx(3.0, abs=0.3)
    assert isinstance(part.comparison.scale, Scale)
    assert part.comparison.scale.explanation == "0: sparse, 1: the env's own."
    both = part_of(tmp_path / "b", {**fitness, "human": [1.0] * 6}, entries=[ENTRIES[0], native, ENTRIES[1]])
    assert both.headline.reference.id == "human"
