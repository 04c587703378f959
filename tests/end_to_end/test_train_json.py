"""`eureka train --json`: one JSON object on standard output, whatever comes of the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eureka_loop.store import Run

from .program import eureka

pytestmark = pytest.mark.timeout(300)

UP = (
    "def compute_reward(pole_up, *, up=2.0):\n    return {'up': up * pole_up[:, 2], '_held': pole_up[:, 2]}\n"
)
LATE = "def compute_reward(pole_up, time):\n    return {'up': pole_up[:, 2] + np.log(1.0 - time)}\n"
TYPOS = "def compute_reward(pole_upp):\n    import os\n    return {'up': pole_upp[:, 2]}\n"
RAISES = "def compute_reward(pole_up):\n    return {'up': pole_up[:, 7]}\n"
SCORES = {"fitness": None, "success": None, "progress": None}


def train(source: str, cwd: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, the object, standard error."""
    (cwd / "mine.py").write_text(source)
    small = "--task invertedpendulum-balance --steps 300 --judge-episodes 2 --jobs 1 --json"
    code, out, err = eureka("train", "mine.py", *small.split(), *words, cwd=cwd)
    return code, json.loads(out), err


def test_a_trained_program_has_its_numbers_and_the_feedback_on_them(tmp_path: Path) -> None:
    code, found, err = train(UP, tmp_path, "--seeds", "2", "--report-seeds", "1")
    assert (code, found["failures"], found["ended"]) == (0, [], "finished")
    run = Run.open(tmp_path / found["run"])
    each = run.evaluated("g0-00")
    assert found["fitness"] == each.fitness == sum(seed["fitness"] for seed in found["seeds"]) / 2
    assert [(seed["seed"], seed["success"]) for seed in found["seeds"]] == [(0, 0.0), (100, 0.0)]
    assert all((tmp_path / seed["folder"] / "policy.zip").exists() for seed in found["seeds"])
    assert found["floors"]["zero actions"]["fitness"] == run.floors()["zero actions"].fitness
    assert (found["terms"]["up"]["share"], found["terms"]["_held"]["share"]) == (1.0, 0.0)
    assert found["terms"]["up"]["mean"] == pytest.approx(2 * found["terms"]["_held"]["mean"])
    assert found["feedback"].startswith("g0-00: the final policy's fitness is ")
    assert [*found["report"]["rewards"]] == ["winner", "hand-written", "sparse"]
    assert found["report"]["verdicts"][0].startswith("Can't tell winner from hand-written: ")
    assert "g0-00 trained (seed 100)" in err


def test_a_program_that_fails_in_training_says_how(tmp_path: Path) -> None:
    code, found, _ = train(LATE, tmp_path)
    (failure,) = found["failures"]
    assert (code, failure["kind"], failure["seed"], found["seeds"]) == (1, "not_finite", 0, [])
    assert failure["message"].startswith("Term 'up' is ")
    assert SCORES.items() <= found.items()


@pytest.mark.parametrize(
    ("source", "words", "kinds", "lines"),
    [
        (TYPOS, "", ["refused", "refused"], [1, 2]),
        (RAISES, "", ["exception"], [2]),
        (UP, "--steps 5", ["bad_input"], [None]),
        (UP, "--setps 500", ["bad_input"], [None]),
    ],
)
def test_what_is_refused_before_training_is_listed_by_line(
    source: str, words: str, kinds: list[str], lines: list[int | None], tmp_path: Path
) -> None:
    code, found, err = train(source, tmp_path, *words.split())
    assert (code, found["run"], SCORES.items() <= found.items()) == (2, None, True)
    assert [each["kind"] for each in found["failures"]] == kinds
    assert [each["line"] for each in found["failures"]] == lines
    assert all(each["message"] in err for each in found["failures"])
    assert not (tmp_path / "runs").exists()


def test_a_limit_leaves_what_is_known_by_then(tmp_path: Path) -> None:
    code, found, _ = train(UP, tmp_path, "--steps", "100000000", "--max-hours", "0.004")
    assert (code, found["fitness"], found["steps"]) == (3, None, 100_000_000)
    assert found["ended"] == "stopped: --max-hours 0.004 is reached; resume with more"
