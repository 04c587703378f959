"""The numbers of a comparison, each in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.references import NATIVE
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.facts import Facts
from eureka_loop.report.compare.measures import Measures, explanations, measures, row, target
from eureka_loop.results import Trained
from eureka_loop.store import Run

from .conftest import CONTENDERS, made, numbers


def rows(folder: Path) -> list[list[str]]:
    return [row(each) for each in measures(Facts.of(folder).parts[0])]


def of(folder: Path) -> dict[str, Measures]:
    return {each.standing.id: each for each in measures(Facts.of(folder).parts[0])}


def test_every_number_with_its_interval(better: Path) -> None:
    ours, human, sparse = rows(better)
    assert ours[0] == "winner g1-03"
    assert ours[1] == "4.397 [4.142, 4.507]"
    assert ours[2] == "100% [72%, 100%]"
    assert (human[3], sparse[3]) == ("1.00", "0.00")
    assert ours[3] == "1.58"
    assert ours[6] == "10 of 10"


def test_the_winner_comes_to_the_references_level_before_it_does(better: Path) -> None:
    found, part = of(better), Facts.of(better).parts[0]
    goal = target(part)
    assert goal is not None
    assert 2.5 < goal < 3.5
    assert found["g1-03"].reached == 10
    assert found["g1-03"].steps is not None
    assert found["g1-03"].steps < 120_000
    assert (found["sparse"].reached, found["sparse"].steps) == (0, None)


def test_a_score_on_a_scale_of_no_length_is_undefined(tmp_path: Path) -> None:
    same = numbers(3.0, 0.5, 10, 4)
    folder = made(
        tmp_path, {"g1-03": numbers(4.0, 0.5, 10, 1), "human": same, "sparse": numbers(3.0, 0.5, 10, 5)}
    )
    assert [each[3] for each in rows(folder)] == ["undefined"] * 3
    assert any("can't be told apart" in line for line in explanations(Facts.of(folder).parts[0]))


def test_the_clipped_score_stands_beside_the_raw_one_where_they_differ(tmp_path: Path) -> None:
    fitness = {"g1-03": [9.0, 9.1, 9.2, 9.1], "human": [2.0, 2.1, 2.0, 2.1], "sparse": [1.0, 1.1, 1.0, 1.1]}
    assert rows(made(tmp_path, fitness))[0][3] == "8.05 (3.00 clipped)"


def test_what_failed_has_no_number(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": [4.0, 4.1], "human": [None, None], "sparse": [1.0, None]})
    _, human, sparse = rows(folder)
    assert human[1] == "failed"
    assert human[2:6] == ["–", "undefined", "–", "–"]
    assert human[6] == "0 of 2: NaN or infinite"
    assert sparse[6] == "1 of 2: NaN or infinite"


def test_the_area_is_the_mean_of_the_curve(better: Path) -> None:
    part = Facts.of(better).parts[0]
    ours, curves = of(better)["g1-03"], part.curves[0]
    assert curves is not None
    assert ours.area is not None
    assert ours.area.value == pytest.approx(curves.fitness.mean(), rel=0.05)


def test_without_a_reference_that_trained_nobody_says_how_far(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": [4.0, 4.1], "human": [None, None]}, contenders=CONTENDERS[:2])
    assert target(Facts.of(folder).parts[0]) is None
    assert rows(folder)[0][5] == "–"


def told(folder: Path) -> str:
    return " ".join(explanations(Facts.of(folder).parts[0]))


def test_a_hand_written_reward_that_did_worse_than_sparse_is_not_the_one(tmp_path: Path) -> None:
    fitness = {
        "g1-03": numbers(4.0, 0.3, 6, 1),
        "human": numbers(1.0, 0.3, 6, 2),
        "sparse": numbers(2.0, 0.3, 6, 3),
    }
    folder = made(tmp_path, fitness)
    assert [each[3] for each in rows(folder)][1:] == ["-1.00 (0.00 clipped)", "0.00"]
    assert "0: sparse, -1: hand-written. The hand-written reward did worse here than the sparse one" in told(
        folder
    )
    assert " 1: hand-written" not in told(folder)


def test_a_failed_training_of_ours_leaves_the_others_their_scale(tmp_path: Path) -> None:
    fitness = {"g1-03": [4.0, None, 4.1, 4.2], "human": [3.0, 3.1, 3.0, 3.1], "sparse": [1.0, 1.1, 1.0, 1.1]}
    folder = made(tmp_path, fitness)
    assert [each[3] for each in rows(folder)] == ["undefined", "1.00", "0.00"]
    assert "0: sparse, 1: hand-written. A reward of which a training failed has no score." in told(folder)


def test_a_side_of_the_scale_that_is_not_there_is_named(tmp_path: Path) -> None:
    fitness = {"g1-03": [4.0, 4.1], "human": [3.0, 3.1], "sparse": [1.0, None]}
    assert "undefined here: 1 training of the sparse reward failed." in told(made(tmp_path / "a", fitness))
    two = made(tmp_path / "b", fitness, contenders=CONTENDERS[:2])
    assert "undefined here: there is no sparse reward beside it." in told(two)


def test_the_envs_own_reward_is_the_reference_where_there_is_no_hand_written_one(tmp_path: Path) -> None:
    native = Contender("native", "the env's own", NATIVE)
    fitness = {
        "g1-03": numbers(4.0, 0.3, 6, 1),
        "sparse": numbers(1.0, 0.3, 6, 3),
        "native": numbers(3.0, 0.3, 6, 2),
    }
    contenders = [CONTENDERS[0], CONTENDERS[2], native]
    part = Facts.of(made(tmp_path / "a", fitness, contenders=contenders)).parts[0]
    assert part.reference is not None
    assert part.reference.id == "native"
    assert target(part) == pytest.approx(3.0, abs=0.3)
    assert "0: sparse, 1: the env's own." in told(tmp_path / "a")
    both = made(tmp_path / "b", {**fitness, "human": [1.0] * 6}, contenders=[*contenders, CONTENDERS[1]])
    assert (Facts.of(both).parts[0].reference or part.standings[0]).id == "human"


def test_a_seed_that_begins_late_cuts_nobody_off_and_is_told(better: Path) -> None:
    before = Facts.of(better).parts[0]
    assert "stands in" not in told(better)
    run = Run(better / "ppo")
    seed = before.standings[2].evaluated.trained[0].seed
    result = run.result("sparse", seed)
    assert isinstance(result, Trained)
    late = tuple(replace(each, fitness=None) if each.step < 180_000 else each for each in result.checkpoints)
    files.write_json(run.job_folder("sparse", seed) / "result.json", replace(result, checkpoints=late))
    after = Facts.of(better).parts[0]
    assert [each.steps[0] for each in after.curves if each] == [40_000.0] * 3
    assert "stands in: until 180k steps, for the seed that began last." in told(better)
