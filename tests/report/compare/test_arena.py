"""Where trainings take place: one trainer that serves all contenders, and no setting of another algorithm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.cli import compare as command
from eureka_loop.config import RunConfig, as_table
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput
from eureka_loop.records import Algorithm, Candidate
from eureka_loop.report.compare import arena as arenas
from eureka_loop.report.compare.arena import arena, config_of
from eureka_loop.report.compare.contest import SETUP, Contest, Draft, of_files, of_run
from eureka_loop.search.describe import prepare
from eureka_loop.store import Run

TASK = find_task("invertedpendulum-balance")
PROGRAM = 'def compute_reward(pole_angle):\n    return {"upright": np.cos(pole_angle)}\n'
OTHER = PROGRAM.replace("np.cos", "-np.abs")
CONFIG = RunConfig(task=TASK.name, steps=300, judge_episodes=1)
CONTEST = Contest("", TASK.name, (), ("ppo",), 300, 1, 0, 1, "eureka compare")
SEARCH = replace(
    CONFIG, hyperparameters={"n_steps": 64}, trainer="population", halving=3, bank=True
)  # a search as somebody set it up for PPO


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of the population trainer, with settings of its own."""
    run = Run(tmp_path_factory.mktemp("run") / "r")
    run.folder.mkdir()
    prepare(TASK, SEARCH, run.task_folder)
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(SEARCH)))
    run.write_candidate(Candidate("g0-00", 0, PROGRAM, "templates"))
    run.event("finished", winner="g0-00")
    return run


def drafted(run: Run, words: str) -> Draft:
    return of_run(run, words, replace(CONTEST, run=str(run.folder)), SEARCH)


def laid_out(draft: Draft, folder: Path, algorithm: Algorithm = "ppo") -> Run:
    with arena(draft, folder, algorithm) as run:
        files.write_json(folder / SETUP, draft.contest)
        return run


def test_where_a_contender_needs_the_env_itself_one_trainer_serves_all(searched: Run, tmp_path: Path) -> None:
    assert searched.training().trainer == "population"
    assert laid_out(drafted(searched, "human"), tmp_path / "a").training().trainer == "population"
    found = laid_out(drafted(searched, "human,native"), tmp_path / "b").training()
    assert (found.trainer, found.why) == ("sb3", "only the env itself knows 'native_reward'")
    assert found.hyperparameters["n_steps"] == 64


def test_who_comes_later_is_trained_as_the_others_or_refused(searched: Run, tmp_path: Path) -> None:
    begun = laid_out(drafted(searched, "human"), tmp_path / "a")
    with pytest.raises(BadInput, match=r"which can't train all of these \(only the env itself knows 'nat"):
        arena(drafted(searched, "human,native"), tmp_path / "a", "ppo")
    mine = tmp_path / "mine.py"
    mine.write_text(OTHER)
    assert laid_out(drafted(searched, f"human,{mine}"), tmp_path / "a").folder == begun.folder
    laid_out(drafted(searched, "native"), tmp_path / "b")
    assert laid_out(drafted(searched, "human,native"), tmp_path / "b").training().trainer == "sb3"


def test_files_are_looked_into_as_well(tmp_path: Path) -> None:
    one, two = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text(PROGRAM)
    two.write_text(PROGRAM.replace("pole_angle", "prev_info_reward_survive"))
    draft = of_files([one, two], None, CONTEST, CONFIG)
    assert laid_out(draft, tmp_path / "c").training().trainer == "sb3"


def test_another_algorithm_gets_none_of_the_searchs_settings(searched: Run, tmp_path: Path) -> None:
    config = config_of(SEARCH, "sac")
    assert (config.algo, config.hyperparameters, config.trainer) == ("sac", {}, None)
    run = laid_out(drafted(searched, "human"), tmp_path, "sac")
    assert run.training().algorithm == run.config.algo == "sac"
    assert "n_steps" not in run.training().hyperparameters


def test_the_same_algorithm_keeps_what_makes_its_trainings() -> None:
    kept = config_of(SEARCH, "ppo")
    assert (kept.hyperparameters, kept.halving, kept.bank) == ({"n_steps": 64}, 1, False)
    assert kept.trainer is None, "which one was asked for says nothing of other rewards"
    assert config_of(replace(CONFIG, trainer="sb3"), "ppo").trainer == "sb3"
    relabelled = replace(CONFIG, algo="sac", bank=True, relabel=500, hyperparameters={"batch_size": 32})
    assert (config_of(relabelled, "sac").relabel, config_of(relabelled, "ppo").relabel) == (0, 0)
    assert config_of(replace(CONFIG, steady=True), "ppo").steady is False


def test_every_arena_is_there_before_the_first_training(
    searched: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the last algorithm is told before the first one trains."""
    trained: list[Run] = []

    def refuse(draft: Draft, folder: Path, algorithm: Algorithm) -> Run:
        if algorithm == "sac":
            raise BadInput("no SAC here")
        run = Run(tmp_path / algorithm)
        run.folder.mkdir()
        return run

    monkeypatch.setattr(arenas, "arena", refuse)
    monkeypatch.setattr(command, "_train", lambda contest, run, jobs: trained.append(run))
    with pytest.raises(BadInput, match="no SAC here"):
        command.compare([str(searched.folder), "--algo", "ppo,sac"])
    assert trained == []


def test_the_envs_own_reward_comes_with_its_source_where_it_is_compared(
    searched: Run, tmp_path: Path
) -> None:
    run = laid_out(drafted(searched, "native"), tmp_path / "a")
    assert files.read_text(run.task_folder / "native.py").startswith("def step(self, action):")
    assert not (laid_out(drafted(searched, "human"), tmp_path / "b").task_folder / "native.py").exists()
