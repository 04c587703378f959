"""`eureka compare` with real training: to the end, stopped, killed, taken up again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .program import eureka, start, wait_for

pytestmark = pytest.mark.timeout(600)

UPRIGHT = '''\
def compute_reward(pole_angle, *, upright=1.0):
    """Keep the pole up. <script>alert(1)</script>"""
    return {"upright": upright * np.cos(pole_angle)}
'''
ALIVE = 'def compute_reward(terminated):\n    """Not to fall is enough."""\n    return {"alive": 1.0 - terminated}\n'
LATE = 'def compute_reward(time):\n    """Breaks down after ten seconds."""\n    return {"late": np.exp(np.maximum(time, 10.0) ** 2 - 100.0)}\n'
SMALL = "--task invertedpendulum-balance --steps 300 --judge-episodes 2 --jobs 1 --out c".split()


def compare(*words: str, cwd: Path, **env: str) -> tuple[int, str, str]:
    return eureka("compare", *words, cwd=cwd, **env)


def results(folder: Path) -> dict[str, int]:
    """Every finished training, and when it was written."""
    return {
        str(path): path.stat().st_mtime_ns for path in folder.glob("c/ppo/candidates/*/seed-*/result.json")
    }


def trainings_begun(folder: Path) -> int:
    return (folder / "c/ppo/events.jsonl").read_text().count('{"event": "training"')


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, source in (("a.py", UPRIGHT), ("b.py", ALIVE), ("late.py", LATE)):
        (tmp_path / name).write_text(source)
    return tmp_path


def test_to_the_end_and_then_more_seeds_stopped_killed_and_taken_up_again(here: Path) -> None:
    code, out, err = compare("a.py", "b.py", *SMALL, "--seeds", "1", cwd=here, MUJOCO_GL="disable")
    assert (code, err) == (0, "")
    assert "No video: videos are turned off" in " ".join(out.split())
    assert "Can't tell a.py from b.py: probability of improvement" in " ".join(out.split())
    assert "At least 4 seeds a side are needed for any verdict." in " ".join(out.split())
    first = results(here)
    assert len(first) == 2

    for stop in (signal.SIGINT, signal.SIGKILL):
        wanted = trainings_begun(here) + 2
        process = start("compare", "a.py", "b.py", *SMALL, "--seeds", "3", cwd=here)
        wait_for(lambda wanted=wanted: trainings_begun(here) >= wanted, 200)
        process.send_signal(stop)
        out, _ = process.communicate(timeout=250)
        assert process.returncode == (130 if stop == signal.SIGINT else -9)
        if stop == signal.SIGINT:
            assert f"Go on with: eureka compare a.py b.py {' '.join(SMALL)} --seeds 3" in out

    code, out, err = compare("a.py", "b.py", *SMALL, "--seeds", "3", cwd=here)
    assert (code, err) == (0, "")
    after = results(here)
    assert len(after) == 6
    assert {path: after[path] for path in first} == first
    page, words = (here / "c" / name for name in ("report.html", "report.md"))
    assert "<script" not in page.read_text()
    assert "Reports were written at 1 seed, too." in words.read_text()
    shared = json.loads((here / "c/ppo/shared/shared.json").read_text())
    (agreed,) = shared["agreements"]
    assert agreed["sources"] == ["random actions", "policy of a.py", "policy of b.py"]
    assert agreed["rows"] > 256
    assert shared["films"] == ["a.py", "b.py"] or shared["why_no_films"]
    assert page.read_text().count("<video") == len(shared["films"])

    again = start("compare", "a.py", "b.py", *SMALL, "--seeds", "3", cwd=here)
    assert again.communicate(timeout=250)[1] == ""
    assert results(here) == after


def test_a_runs_winner_beside_what_it_names_after_a_mistake(here: Path) -> None:
    small = "--generations 1 --samples 1 --steps 600 --report-seeds 0 --judge-episodes 2 --jobs 1".split()
    command = [sys.executable, "-m", "eureka_loop.cli.main", "run", "invertedpendulum-balance", *small]
    subprocess.run([*command, "--designer", "templates"], cwd=here, check=True, capture_output=True)
    (run,) = (here / "runs").iterdir()
    name = str(run.relative_to(here))
    code, _, err = compare(name, "--with", "human,late.py,gone.py", "--seeds", "1", cwd=here)
    assert (code, err) == (2, "eureka: can't read gone.py: No such file or directory\n")
    code, out, err = compare(name, "--with", "human,a.py", "--seeds", "1", "--jobs", "1", cwd=here)
    assert (code, err) == (0, "")
    assert "winner g0-00" in out
    assert f"Report: {name}/compare/600-steps-seed-0/report.html" in out
    words = (run / "compare" / "600-steps-seed-0" / "report.md").read_text()
    assert "| hand-written | " in words


def test_a_reference_that_fails_to_train_is_failed_and_not_zero(here: Path) -> None:
    words = "--task swimmer-swim --steps 600 --seeds 1 --judge-episodes 1 --jobs 1 --out c".split()
    (here / "fast.py").write_text(
        'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
    )
    code, out, err = compare("fast.py", "late.py", *words, cwd=here, MUJOCO_GL="disable")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "Can't tell fast.py from late.py: no training of the late.py reward finished: it failed" in text
    assert json.loads((here / "c/ppo/shared/shared.json").read_text())["films"] == []
    assert "| late.py | failed |" in (here / "c" / "report.md").read_text()


def test_files_beside_the_envs_own_reward_with_both_algorithms(here: Path) -> None:
    """A reward that only the env itself computes keeps all from the population trainer."""
    words = [*SMALL, "--seeds", "1", "--algo", "ppo,sac", "--with", "native"]
    code, out, err = compare("a.py", "b.py", *words, cwd=here, MUJOCO_GL="disable")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "With PPO: can't tell a.py from the env's own: probability of improvement" in text
    assert "With SAC: can't tell a.py from the env's own: probability of improvement" in text
    assert "failed" not in text
    for algorithm in ("ppo", "sac"):
        found = [
            json.loads(path.read_text()) for path in here.glob(f"c/{algorithm}/candidates/*/*/result.json")
        ]
        assert len(found) == 3
        assert all(len(each["episodes"]) == 2 for each in found)
        training = json.loads((here / "c" / algorithm / "task/training.json").read_text())
        assert training["trainer"] == "sb3"
    assert training["why"] == "the population trainer has no SAC"
