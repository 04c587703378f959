"""What can be compared with what; every mistake is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput
from eureka_loop.records import Job
from eureka_loop.report.compare.contenders import from_files, named, readable, winner
from eureka_loop.report.compare.contest import Contest, of_files, of_run, require_same, require_unseen
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

CONFIG = RunConfig(task="hopper-hop")
CONTEST = Contest("", "hopper-hop", (), ("ppo",), 1000, 4, 0, 2, "eureka compare")
PROGRAM = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
VOCABULARY = Vocabulary("Hopper-v5", (Observable("forward_velocity", (), "m/s"), Observable("action", (3,))))

MakeRun = Callable[..., Run]


def a_file(path: Path, source: str = PROGRAM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


HOPPER, CHEETAH = find_task("hopper-hop"), find_task("halfcheetah-run")


def labels(draft_contest: Contest) -> list[str]:
    return [each.label for each in draft_contest.contenders]


def test_a_run_is_compared_with_the_hand_written_and_the_sparse_reward(
    a_run: MakeRun, tmp_path: Path
) -> None:
    draft = of_run(a_run(tmp_path / "r", HOPPER, PROGRAM), None, CONTEST, CONFIG)
    assert labels(draft.contest) == ["winner g1-02", "hand-written", "sparse"]
    assert draft.contest.contenders[0].source == PROGRAM


def test_with_takes_names_files_and_runs(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", HOPPER, PROGRAM)
    other = a_run(tmp_path / "20261121-hopper-hop", HOPPER, PROGRAM)
    mine = a_file(tmp_path / "mine.py", PROGRAM + "# mine\n")
    draft = of_run(run, f"human, native,{mine},{other.folder}", CONTEST, CONFIG)
    assert labels(draft.contest) == [
        "winner g1-02", "hand-written", "the env's own", "mine.py", "g1-02 of 20261121",
    ]  # fmt: skip
    assert [each.folder for each in draft.searched] == [run.folder, other.folder]


def test_files_are_compared_in_order_and_told_apart(tmp_path: Path) -> None:
    one, two = a_file(tmp_path / "a" / "r.py"), a_file(tmp_path / "b" / "r.py", PROGRAM + "# other\n")
    draft = of_files([one, two], "sparse", CONTEST, CONFIG)
    assert labels(draft.contest) == [str(one), str(two), "sparse"]
    assert len({each.id for each in draft.contest.contenders}) == 3


def test_a_changed_file_is_another_reward(tmp_path: Path) -> None:
    path = a_file(tmp_path / "r.py")
    (before,) = from_files([path])
    path.write_text(PROGRAM + "# changed\n")
    assert from_files([path])[0].id != before.id


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("hunam", r"unknown reward 'hunam'; did you mean 'human'"),
        ("no/such.py", r"can't read no/such\.py: No such file"),
        (" , ", "there is nothing to compare winner g1-02 with"),
    ],
)
def test_a_reference_that_is_not_there(a_run: MakeRun, tmp_path: Path, words: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        of_run(a_run(tmp_path / "r", HOPPER, PROGRAM), words, CONTEST, CONFIG)
    assert "\n" not in str(caught.value)


def test_a_task_without_a_hand_written_reward_says_so(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", replace(HOPPER, human=None, sparse=None), PROGRAM)
    with pytest.raises(BadInput, match=r"'hopper-hop' has no hand-written reward; give one of your own"):
        of_run(run, "human", CONTEST, CONFIG)
    with pytest.raises(BadInput, match="there is nothing to compare winner g1-02 with: give another reward"):
        of_run(run, None, CONTEST, CONFIG)


def test_an_unfinished_run_has_no_winner(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", HOPPER, PROGRAM, finished=False)
    with pytest.raises(BadInput, match=r"is not finished, so it has no winner yet: `eureka resume .*r`"):
        winner(run)


def test_runs_about_different_tasks_are_not_compared(a_run: MakeRun, tmp_path: Path) -> None:
    run, other = a_run(tmp_path / "r", HOPPER, PROGRAM), a_run(tmp_path / "s", CHEETAH, PROGRAM)
    with pytest.raises(
        BadInput, match=r"is about 'halfcheetah-run' on HalfCheetah-v5, this about 'hopper-hop' on Hopper-v5"
    ):
        named([str(other.folder)], HOPPER, run)
    with pytest.raises(BadInput, match="would be compared with itself"):
        named([str(run.folder)], HOPPER, run)


def test_a_reward_of_another_task_is_refused_on_one_line(tmp_path: Path) -> None:
    alien = a_file(tmp_path / "alien.py", PROGRAM.replace("forward_velocity", "forward_velocit"))
    with pytest.raises(BadInput) as caught:
        readable(from_files([alien]), HOPPER, VOCABULARY)
    line = str(caught.value)
    assert line.startswith("alien.py can't be used for 'hopper-hop': Line 1: ")
    assert "forward_velocit'" in line
    assert "did you mean 'forward_velocity'" in line
    assert "\n" not in line


def test_seeds_that_a_search_has_seen_are_refused(a_run: MakeRun, tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", HOPPER, PROGRAM)
    run.write_job(
        Job("g1-02", seeds("training", 0, 1)[0], HOPPER, "", "ppo", 10, {}, seeds("selection", 0, 3))
    )
    run.write_job(
        Job("g1-02", seeds("report_training", 0, 1)[0], HOPPER, "", "ppo", 10, {}, seeds("report", 0, 3))
    )
    require_unseen(CONTEST, run)  # its own report chose nothing
    run.write_job(Job("g0-00", 300, HOPPER, "", "ppo", 10, {}, (7, CONTEST.judging_seeds[1])))
    with pytest.raises(
        BadInput, match=rf"seed {CONTEST.judging_seeds[1]} was seen by the search of .* \(g0-00\)"
    ):
        require_unseen(CONTEST, run)


@pytest.mark.parametrize("run_seed", [0, 7, 999])
def test_a_comparisons_seeds_are_none_of_any_search(run_seed: int) -> None:
    contest = replace(CONTEST, seed=run_seed, seeds=100)
    ours = {*contest.training_seeds, *contest.judging_seeds}
    for other in (0, 7, 999):
        assert not ours & {*seeds("training", other, 100), *seeds("selection", other, 1000)}


def test_a_folder_holds_one_question(a_run: MakeRun, tmp_path: Path) -> None:
    before = of_run(a_run(tmp_path / "r", HOPPER, PROGRAM), None, CONTEST, CONFIG).contest
    require_same(before, replace(before, seeds=9, algorithms=("ppo", "sac")), tmp_path)
    with pytest.raises(BadInput, match=r"holds a comparison with steps 1000, not 2000; choose another --out"):
        require_same(before, replace(before, steps=2000), tmp_path)
    changed = (before.contenders[0], replace(before.contenders[1], source="other"))
    with pytest.raises(BadInput, match="holds another hand-written reward than now"):
        require_same(before, replace(before, contenders=changed), tmp_path)
