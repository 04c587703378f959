"""`eureka fitness`, and a file as --fitness: real environments, locked processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.cli import main as cli
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.records import Job
from eureka_loop.search import assemble
from eureka_loop.search.task_measure import with_text
from eureka_loop.simulate.env import make_env
from eureka_loop.store import Run
from eureka_loop.train.saved import save_policy

MEASURE = """\
LONG = 0.5  # s

def fitness(pole_up, time):
    upright = (pole_up[:, 2] > 0.9).mean()
    lasted = time[-1]
    return upright * lasted

def success(time):
    return time[-1] > LONG
"""


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["fitness", *words])
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_a_draft_is_scored_with_what_it_was_computed_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(MEASURE)
    head, *lines = shown(capsys, "mine.py", "--task", "invertedpendulum-balance")
    assert head.split() == ["episode", "s", "fitness", "its", "own", "success", "upright", "lasted"]
    (still,) = [line.split() for line in lines if line.startswith("standing still")]
    _, _, seconds, fitness, _, success, upright, lasted = still
    assert seconds == lasted
    assert float(fitness) == pytest.approx(float(upright) * float(lasted), rel=0.01)
    assert success == f"{float(lasted) > 0.5:d}"
    assert sum("random actions" in line for line in lines) == 2
    assert any(
        line.startswith("Kendall's tau with the task's own fitness over 6 episodes: ") for line in lines
    )
    assert lines[-1].startswith("No trained policy: none of your runs is in this environment")


def test_an_expression_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    head, *_ = shown(capsys, "-slider_position", "--env", "InvertedPendulum-v5")
    assert head.split()[:3] == ["episode", "s", "fitness"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("time", "say in which environment: --env ID, or --task NAME"),
        ("none.py --env InvertedPendulum-v5", "can't read none.py"),
        ("empty.py --env InvertedPendulum-v5", "empty.py defines no function: write `def fitness(...):`"),
        ("--env InvertedPendulum-v5", "say what to try: an expression"),
        ("tme --env InvertedPendulum-v5", "unknown observable 'tme'; did you mean 'time'"),
        ("late.py --env InvertedPendulum-v5", "Line 2: IndexError"),
    ],
)
def test_mistakes_are_one_line(words: str, part: str, refused: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("pole_up\n")
    (tmp_path / "late.py").write_text("def fitness(time):\n    return time[5000]\n")
    assert part in refused(f"fitness {words}")


def test_policies_of_runs_play_and_a_damaged_run_is_left_out(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    a_run: Callable[..., Run],
    refused: Callable[[str], str],
) -> None:
    words = ("time", "--env", "InvertedPendulum-v5")
    task = replace(find_task("invertedpendulum-balance"), name="up")
    run = a_run(
        tmp_path / "runs" / "good", task, "def compute_reward(pole_up):\n    return {'a': pole_up[:, 2]}\n"
    )
    job = Job("g1-02", 0, task, run.candidate("g1-02").source, "ppo", 0, {}, (1,))
    folder = run.write_job(job)
    with closing(make_env(task)) as env:
        model = PPO("MlpPolicy", DummyVecEnv([lambda: env]), n_steps=8, batch_size=8, device="cpu")
        model.set_env(VecNormalize(model.get_env()))
        save_policy(folder, model)
    lines = shown(capsys, *words)
    assert any(line.startswith("g1-02 of good ") for line in lines)
    assert not any("No trained policy" in line for line in lines)
    (folder / "job.json").write_text("{}")
    assert any("No trained policy" in line for line in shown(capsys, *words))
    assert "job.json" in refused(f"fitness {' '.join(words)} --with runs/good")
    other = a_run(tmp_path / "other", find_task("hopper-hop"), "")
    assert "is in another environment, Hopper-v5" in refused(
        f"fitness {' '.join(words)} --with {other.folder}"
    )


def test_a_run_keeps_the_programs_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MEASURE)
    given = with_text(
        RunConfig(task="stand", env="InvertedPendulum-v5", fitness="mine.py", steps=300, minutes=0)
    )
    run = assemble.create(given)
    task = run.task()
    (tmp_path / "mine.py").unlink()
    assert (run.task_folder / "success.py").read_text() == task.success
    assert task.fitness.startswith("def fitness")
    assert run.config.fitness == MEASURE, "run.toml repeats the run without the file"
    run.close()
