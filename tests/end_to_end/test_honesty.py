"""A reward beside itself, really trained: a verdict is as rare as it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eureka_loop.envs.registry import find_task
from eureka_loop.records import Array, Candidate
from eureka_loop.report.comparison import compare
from eureka_loop.results import Evaluated

from .program import done, the_run

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

SIDE, PAIRS = 5, 10
SETTINGS = (
    "[hyperparameters]\nn_steps = 128\nbatch_size = 32\nn_epochs = 5\nlearning_rate = 1e-3\n"
    "policy_kwargs = { net_arch = [32, 32] }\n"
)


def test_a_reward_can_not_be_told_from_itself(tmp_path: Path) -> None:
    """A/A: ten comparisons of five trainings with five others; three verdicts or more in 1 % of such tests."""
    (tmp_path / "human.py").write_text(find_task("invertedpendulum-balance").human or "")
    (tmp_path / "small.toml").write_text(SETTINGS)
    words = "train human.py --task invertedpendulum-balance --config small.toml --steps 1024"
    done(*words.split(), "--judge-episodes", "1", "--seeds", str(2 * SIDE * PAIRS), cwd=tmp_path)
    trained = the_run(tmp_path).evaluated("g0-00").trained
    fitness: Array = np.array([each.fitness for each in trained])
    assert len(np.unique(fitness)) > PAIRS, "trainings that all end alike prove nothing"
    sides = [
        Evaluated(Candidate("human" if number % 2 else "g0-00", 0, "", ""), trained[at : at + SIDE])
        for number, at in enumerate(range(0, len(trained), SIDE))
    ]
    found = [compare(pair) for pair in zip(sides[::2], sides[1::2], strict=True)]
    assert sum(each.differences[0].verdict != "can't tell" for each in found) <= 2
