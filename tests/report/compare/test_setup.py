"""Pairs of rewards that can be compared; every mistake is one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.cli.compare import CompareOptions, setup_of
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput, Damaged
from eureka_loop.files import write_json
from eureka_loop.report.compare.setup import SETUP, Entry, Setup, begin, from_file
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

MakeRun = Callable[..., Run]

PROGRAM = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
HOPPER, CHEETAH = find_task("hopper-hop"), find_task("halfcheetah-run")
ENTRIES = (Entry("g1-02", "winner g1-02", PROGRAM), Entry("human", "hand-written", PROGRAM))
BEFORE = Setup(HOPPER, ENTRIES, ("ppo",), RunConfig(steps=1000, judge_episodes=2), 4, "eureka compare")


def entries(*rewards: Path, names: str | None = None, task: str | None = None) -> tuple[Entry, ...]:
    return setup_of(CompareOptions(rewards, others=names, task=task), "eureka compare").entries


def a_file(path: Path, source: str = PROGRAM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


@pytest.fixture
def run(a_run: MakeRun, tmp_path: Path) -> Run:
    return a_run(tmp_path / "r", HOPPER, PROGRAM)


def test_a_run_is_compared_with_the_hand_written_and_the_sparse_reward(run: Run) -> None:
    found = entries(run.folder)
    assert [each.label for each in found] == ["winner g1-02", "hand-written", "sparse"]
    assert found[0].source == PROGRAM


def test_with_takes_names_files_and_runs_each_once(a_run: MakeRun, run: Run, tmp_path: Path) -> None:
    other = a_run(tmp_path / "20261121-hopper-hop", HOPPER, PROGRAM)
    mine = a_file(tmp_path / "mine.py", PROGRAM + "# mine\n")
    found = entries(run.folder, names=f"human, native,{mine},{other.folder},human,{run.folder}")
    assert [(each.label, each.run) for each in found] == [
        ("winner g1-02", str(run.folder)), ("hand-written", ""), ("the env's own", ""), ("mine.py", ""),
        ("g1-02 of 20261121-hopper-hop", str(other.folder)),
    ]  # fmt: skip


def test_files_are_compared_in_order_and_told_apart(tmp_path: Path) -> None:
    one, two = a_file(tmp_path / "a" / "r.py"), a_file(tmp_path / "b" / "r.py", PROGRAM + "# other\n")
    assert from_file(one).id != from_file(two).id, "the content is part of it"
    found = entries(one, two, names="sparse", task="hopper-hop")
    assert [each.label for each in found] == [str(one), str(two), "sparse"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("hunam", r"unknown reward 'hunam'; did you mean 'human'"),
        ("no/such.py", r"can't read no/such\.py: No such file"),
        (" , ", "winner g1-02 is the only reward given; name one to compare it with: --with mine.py"),
        ("{here}/bare", r"'hopper-hop' has no hand-written reward; give one of your own"),
        ("{here}/open", r"is not finished, so it has no winner yet: `eureka resume .*open`"),
        ("{here}/cheetah", r"is about 'halfcheetah-run' on HalfCheetah-v5, this about 'hopper-hop' on Hopper-v5"),
    ],
)  # fmt: skip
def test_a_reward_that_can_not_be_compared_with(
    a_run: MakeRun, run: Run, tmp_path: Path, names: str, message: str
) -> None:
    bare = a_run(tmp_path / "bare", replace(HOPPER, human=None, sparse=None), PROGRAM)
    a_run(tmp_path / "open", HOPPER, PROGRAM, finished=False)
    a_run(tmp_path / "cheetah", CHEETAH, PROGRAM)
    names, first = names.format(here=tmp_path), run.folder
    if names.endswith("bare"):
        names, first = "human", bare.folder
    with pytest.raises(BadInput, match=message) as caught:
        entries(first, names=names)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [0, 7, 999])
def test_a_comparisons_seeds_are_none_of_any_search(seed: int) -> None:
    setup = replace(BEFORE, config=replace(BEFORE.config, seed=seed), seeds=100)
    ours = {*setup.training_seeds, *setup.judging_seeds}
    for other in (0, 7, 999):
        assert not ours & {*seeds("training", other, 100), *seeds("selection", other, 1000)}


def test_a_folder_holds_one_question(tmp_path: Path) -> None:
    write_json(tmp_path / SETUP, replace(BEFORE, looks=(4,)))
    assert begin(replace(BEFORE, seeds=9, algorithms=("ppo", "sac")), tmp_path).looks == (4,)
    changed = (ENTRIES[0], replace(ENTRIES[1], source="other"))
    for other in (
        replace(BEFORE, config=replace(BEFORE.config, steps=2000)),
        replace(BEFORE, config=replace(BEFORE.config, margin=0.5)),  # stated after a look
        replace(BEFORE, entries=changed),
    ):
        with pytest.raises(
            BadInput, match=r"holds another comparison \(`eureka compare`\); choose another --out"
        ):
            begin(other, tmp_path)


@pytest.mark.parametrize(
    "damage", [{"entries": []}, {"entries": [{"id": "a", "label": "a", "source": ""}]}, {"algorithms": []}]
)
def test_a_damaged_comparison_is_refused(tmp_path: Path, damage: dict[str, object]) -> None:
    write_json(tmp_path / SETUP, BEFORE)
    write_json(tmp_path / SETUP, json.loads((tmp_path / SETUP).read_text()) | damage)
    with pytest.raises(Damaged, match=r"comparison\.json"):
        begin(BEFORE, tmp_path)


def test_a_searchs_savings_are_left_out_and_its_settings_are_for_its_own_algorithm() -> None:
    search = RunConfig(hyperparameters={"n_steps": 64}, trainer="population")
    kept, other = (replace(BEFORE, config=search).config_of(each) for each in ("ppo", "sac"))  # type: ignore[arg-type]
    assert (kept.hyperparameters, kept.trainer, kept.steady) == ({"n_steps": 64}, None, False)
    assert (other.algo, other.hyperparameters, other.trainer) == ("sac", {}, None)
    sb3 = replace(BEFORE, config=RunConfig(trainer="sb3", steady=True)).config_of("ppo")
    assert (sb3.trainer, sb3.steady) == ("sb3", False)
    relabelled = replace(BEFORE, config=RunConfig(algo="sac", bank=True, relabel=500))
    for algorithm in ("sac", "ppo"):
        found = relabelled.config_of(algorithm)  # type: ignore[arg-type]
        assert (found.bank, found.relabel) == (False, 0)
