"""`eureka compare` with real training: to the end, stopped, killed, taken up again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .program import done, eureka, interrupt, kill, results, start, wait_for

pytestmark = pytest.mark.timeout(600)

UPRIGHT = '''\
def compute_reward(pole_angle, *, upright=1.0):
    """Keep the pole up. <script>alert(1)</script>"""
    return {"upright": upright * np.cos(pole_angle)}
'''
ALIVE = 'def compute_reward(terminated):\n    """Not to fall is enough."""\n    return {"alive": 1.0 - terminated}\n'
LATE = 'def compute_reward(time):\n    """Breaks down after ten seconds."""\n    return {"late": np.exp(np.maximum(time, 10.0) ** 2 - 100.0)}\n'
SMALL = "--task invertedpendulum-balance --steps 300 --judge-episodes 2 --jobs 1 --out c".split()


def trainings_begun(folder: Path) -> int:
    return (folder / "c/ppo/events.jsonl").read_text().count('{"event": "training"')


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name, source in (("a.py", UPRIGHT), ("b.py", ALIVE), ("late.py", LATE)):
        (tmp_path / name).write_text(source)
    return tmp_path


def test_to_the_end_and_then_more_seeds_stopped_killed_and_taken_up_again(here: Path) -> None:
    words = ["compare", "a.py", "b.py", *SMALL, "--seeds"]
    out = " ".join(done(*words, "1", cwd=here).split())
    assert "No video: " in out
    assert re.search(r"Can't tell a\.py(, which .*,)? from b\.py.*: probability of improvement", out)
    assert "At least 4 seeds a side are needed for any verdict." in out
    first = results(here)
    process = start(*words, "3", cwd=here)
    wait_for(lambda: trainings_begun(here) >= 4, 200)
    assert f"Go on with: eureka {' '.join(words)} 3" in interrupt(process)
    process = start(*words, "3", cwd=here)
    wait_for(lambda: trainings_begun(here) >= 6, 200)
    kill(process, here)

    done(*words, "3", cwd=here, MUJOCO_GL="")
    after = results(here)
    assert len(after) == 6
    assert first.items() <= after.items()
    page, text = (here / "c" / name for name in ("report.html", "report.md"))
    assert "<script" not in page.read_text()
    assert "Reports were written at 1 seed, too." in text.read_text()
    shared = json.loads((here / "c/ppo/shared/shared.json").read_text())
    (agreed,) = shared["agreements"]
    assert agreed["sources"] == ["random actions", "policy of a.py", "policy of b.py"]
    assert agreed["rows"] > 256
    assert shared["films"] == ["a.py", "b.py"] or shared["why_no_films"]
    assert page.read_text().count("<video") == len(shared["films"])

    done(*words, "3", cwd=here)
    assert results(here) == after


def test_a_runs_winner_beside_what_it_names_after_a_mistake(here: Path) -> None:
    small = "--generations 1 --samples 1 --steps 600 --report-seeds 0 --judge-episodes 2 --jobs 1".split()
    done("run", "invertedpendulum-balance", "--designer", "templates", *small, cwd=here)
    (run,) = (path.parent for path in here.glob("runs/*/run.toml"))
    name = str(run.relative_to(here))
    code, _, err = eureka("compare", name, "--with", "human,late.py,gone.py", "--seeds", "1", cwd=here)
    assert (code, err) == (2, "eureka: can't read gone.py: No such file or directory\n")
    out = done("compare", name, "--with", "human,a.py", "--seeds", "1", "--jobs", "1", cwd=here)
    assert "winner g0-00" in out
    assert f"Report: {name}/compare/600-steps-seed-0/report.html" in out
    words = (run / "compare" / "600-steps-seed-0" / "report.md").read_text()
    assert "| hand-written | " in words


def test_a_reference_that_fails_to_train_is_failed_and_not_zero(here: Path) -> None:
    words = "--task swimmer-swim --steps 4096 --seeds 1 --judge-episodes 1 --jobs 1 --out c".split()
    fast = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
    (here / "fast.py").write_text(fast)
    out = " ".join(done("compare", "fast.py", "late.py", *words, cwd=here).split())
    assert "from late.py: no training of the late.py reward finished: it failed" in out
    assert json.loads((here / "c/ppo/shared/shared.json").read_text())["films"] == []
    assert "| late.py | failed |" in (here / "c" / "report.md").read_text()


def test_files_beside_the_envs_own_reward_with_both_algorithms(here: Path) -> None:
    """A reward that only the env itself computes keeps all from the population trainer."""
    words = [*SMALL, "--seeds", "1", "--algo", "ppo,sac", "--with", "native"]
    text = " ".join(done("compare", "a.py", "b.py", *words, cwd=here).split())
    assert "failed" not in text
    for algorithm in ("ppo", "sac"):
        assert f"With {algorithm.upper()}: Can't tell a.py" in text
        found = [json.loads(path.read_text()) for path in results(here / "c" / algorithm)]
        assert [len(each["episodes"]) for each in found] == [2] * 3
        training = json.loads((here / "c" / algorithm / "task/training.json").read_text())
        assert training["trainer"] == "sb3"
    assert training["why"] == "the population trainer has no SAC"
