"""One trainer that serves all entries, and one survey for each algorithm before any training."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput
from eureka_loop.records import NATIVE, Algorithm
from eureka_loop.report.compare.setup import SETUP, Entry, Setup
from eureka_loop.report.compare.train import prepared
from eureka_loop.store import Run

TASK = find_task("invertedpendulum-balance")
PROGRAM = 'def compute_reward(pole_angle):\n    return {"upright": np.cos(pole_angle)}\n'
MINE = Entry("mine", "mine.py", PROGRAM)
OTHER = Entry("other", "other.py", PROGRAM.replace("np.cos", "-np.abs"))
ENV = Entry("native", "the env's own", NATIVE)
CONFIG = RunConfig(task=TASK.name, steps=300, judge_episodes=1, hyperparameters={"n_steps": 64})


def laid_out(folder: Path, *entries: Entry, algorithms: tuple[Algorithm, ...] = ("ppo",)) -> list[Run]:
    """The runs of a comparison that has begun."""
    setup = Setup(TASK, entries, algorithms, CONFIG, 1, "eureka compare")
    with prepared(setup, folder) as runs:
        files.write_json(folder / SETUP, setup)
        return runs


def test_where_an_entry_needs_the_env_itself_one_trainer_serves_all(tmp_path: Path) -> None:
    (run,) = laid_out(tmp_path, MINE, ENV)
    found = run.training()
    assert (found.trainer, found.hyperparameters["n_steps"]) == ("sb3", 64)
    assert "native_reward" in found.why
    assert files.read_text(run.task_folder / "native.py").startswith("def step(self, action):")


def test_a_later_entry_is_trained_as_the_others_or_refused(tmp_path: Path) -> None:
    (run,) = laid_out(tmp_path, MINE, OTHER)
    assert run.training().trainer == "population"
    assert not (run.task_folder / "native.py").exists()
    with pytest.raises(BadInput, match=r"begun with the population trainer, which can't train all of these"):
        laid_out(tmp_path, MINE, ENV)
    laid_out(tmp_path, MINE, Entry("third", "third.py", PROGRAM + "# third\n"))
    assert run.training().trainer == "population"


def test_all_algorithms_are_checked_before_the_first_training(tmp_path: Path) -> None:
    ppo, sac = laid_out(tmp_path, MINE, OTHER, algorithms=("ppo", "sac"))
    assert (ppo.training().algorithm, sac.training().algorithm) == ("ppo", "sac")
    assert "n_steps" not in sac.training().hyperparameters


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (PROGRAM.replace("(pole_angle)", "(pole_angl)", 1), "Line 1: "),
        ('def compute_reward(time):\n    return {"late": np.log(-1.0 - time)}\n', "Term 'late' is nan"),
    ],
)
def test_a_reward_that_fails_on_recorded_transitions_is_one_line(
    tmp_path: Path, source: str, line: str
) -> None:
    with pytest.raises(BadInput, match="can't be used for 'invertedpendulum-balance': ") as caught:
        laid_out(tmp_path, MINE, Entry("bad", "bad.py", source))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ppo" / "run.toml").exists()
