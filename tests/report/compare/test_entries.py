"""Pairs of rewards that can be compared; every mistake is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput
from eureka_loop.records import Job
from eureka_loop.report.compare.entries import Entry, from_file, of_files, of_run
from eureka_loop.report.compare.setup import Setup, require_same, require_unseen
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

MakeRun = Callable[..., Run]

PROGRAM = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
HOPPER, CHEETAH = find_task("hopper-hop"), find_task("halfcheetah-run")
ENTRIES = (Entry("g1-02", "winner g1-02", PROGRAM), Entry("human", "hand-written", PROGRAM))
SETUP = Setup(HOPPER, ENTRIES, ("ppo",), RunConfig(steps=1000, judge_episodes=2), 4, "eureka compare")


def a_file(path: Path, source: str = PROGRAM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


@pytest.fixture
def run(a_run: MakeRun, tmp_path: Path) -> Run:
    return a_run(tmp_path / "r", HOPPER, PROGRAM)


def test_a_run_is_compared_with_the_hand_written_and_the_sparse_reward(run: Run) -> None:
    found = of_run(run, None)
    assert [each.label for each in found] == ["winner g1-02", "hand-written", "sparse"]
    assert found[0].source == PROGRAM


def test_with_takes_names_files_and_runs(a_run: MakeRun, run: Run, tmp_path: Path) -> None:
    other = a_run(tmp_path / "20261121-hopper-hop", HOPPER, PROGRAM)
    mine = a_file(tmp_path / "mine.py", PROGRAM + "# mine\n")
    found = of_run(run, f"human, native,{mine},{other.folder}")
    assert [(each.label, each.run) for each in found] == [
        ("winner g1-02", str(run.folder)), ("hand-written", ""), ("the env's own", ""), ("mine.py", ""),
        ("g1-02 of 20261121-hopper-hop", str(other.folder)),
    ]  # fmt: skip


def test_files_are_compared_in_order_and_told_apart(tmp_path: Path) -> None:
    one, two = a_file(tmp_path / "a" / "r.py"), a_file(tmp_path / "b" / "r.py", PROGRAM + "# other\n")
    found = of_files([one, two], "sparse", HOPPER)
    assert from_file(one).id != from_file(two).id, "the content is part of it"
    assert [each.label for each in found] == [str(one), str(two), "sparse"]
    assert len({each.id for each in found}) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("hunam", r"unknown reward 'hunam'; did you mean 'human'"),
        ("no/such.py", r"can't read no/such\.py: No such file"),
        (" , ", "there is nothing to compare winner g1-02 with"),
    ],
)
def test_a_reference_that_is_not_there(run: Run, names: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        of_run(run, names)
    assert "\n" not in str(caught.value)


def test_a_task_without_a_hand_written_reward_says_so(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", replace(HOPPER, human=None, sparse=None), PROGRAM)
    with pytest.raises(BadInput, match=r"'hopper-hop' has no hand-written reward; give one of your own"):
        of_run(run, "human")
    with pytest.raises(BadInput, match="there is nothing to compare winner g1-02 with: give another reward"):
        of_run(run, None)


def test_an_unfinished_run_has_no_winner(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", HOPPER, PROGRAM, finished=False)
    with pytest.raises(BadInput, match=r"is not finished, so it has no winner yet: `eureka resume .*r`"):
        of_run(run, None)


def test_runs_about_different_tasks_are_not_compared(a_run: MakeRun, run: Run, tmp_path: Path) -> None:
    other = a_run(tmp_path / "s", CHEETAH, PROGRAM)
    different = r"is about 'halfcheetah-run' on HalfCheetah-v5, this about 'hopper-hop' on Hopper-v5"
    with pytest.raises(BadInput, match=different):
        of_run(run, str(other.folder))
    with pytest.raises(BadInput, match="would be compared with itself"):
        of_run(run, str(run.folder))


def test_seeds_that_a_search_has_seen_are_refused(run: Run) -> None:
    for stream, judging in (("training", "selection"), ("report_training", "report")):
        job = Job("g1-02", seeds(stream, 0, 1)[0], HOPPER, "", "ppo", 10, {}, seeds(judging, 0, 3))  # type: ignore[arg-type]
        run.write_job(job)
    require_unseen(SETUP, run)  # the run's own report chose nothing
    run.write_job(Job("g0-00", 300, HOPPER, "", "ppo", 10, {}, (7, SETUP.judging_seeds[1])))
    with pytest.raises(
        BadInput, match=rf"seed {SETUP.judging_seeds[1]} was seen by the search of .* \(g0-00\)"
    ):
        require_unseen(SETUP, run)


@pytest.mark.parametrize("seed", [0, 7, 999])
def test_a_comparisons_seeds_are_none_of_any_search(seed: int) -> None:
    setup = replace(SETUP, config=replace(SETUP.config, seed=seed), seeds=100)
    ours = {*setup.training_seeds, *setup.judging_seeds}
    for other in (0, 7, 999):
        assert not ours & {*seeds("training", other, 100), *seeds("selection", other, 1000)}


def test_a_folder_holds_one_question(tmp_path: Path) -> None:
    require_same(SETUP, replace(SETUP, seeds=9, algorithms=("ppo", "sac")), tmp_path)
    with pytest.raises(BadInput, match=r"holds a comparison with steps 1000, not 2000; choose another --out"):
        require_same(SETUP, replace(SETUP, config=replace(SETUP.config, steps=2000)), tmp_path)
    changed = (ENTRIES[0], replace(ENTRIES[1], source="other"))
    with pytest.raises(BadInput, match="holds another hand-written reward than now"):
        require_same(SETUP, replace(SETUP, entries=changed), tmp_path)


SEARCH = RunConfig(
    task="hopper-hop", hyperparameters={"n_steps": 64}, trainer="population", halving=3, bank=True
)


def test_the_same_algorithm_keeps_its_hyperparameters_and_nothing_that_saves_training() -> None:
    kept = replace(SETUP, config=SEARCH).config_of("ppo")
    assert (kept.hyperparameters, kept.halving, kept.bank) == ({"n_steps": 64}, 1, False)
    assert kept.trainer is None, "the choice for other rewards"
    assert replace(SETUP, config=RunConfig(trainer="sb3")).config_of("ppo").trainer == "sb3"
    relabelled = RunConfig(algo="sac", bank=True, relabel=500)
    assert [replace(SETUP, config=relabelled).config_of(each).relabel for each in ("sac", "ppo")] == [0, 0]
    assert replace(SETUP, config=RunConfig(steady=True)).config_of("ppo").steady is False


def test_another_algorithm_gets_none_of_the_searchs_settings() -> None:
    config = replace(SETUP, config=SEARCH).config_of("sac")
    assert (config.algo, config.hyperparameters, config.trainer) == ("sac", {}, None)
