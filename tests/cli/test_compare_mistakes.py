"""`eureka compare` of runs that can't be compared: one clear line, and nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eureka_loop.envs.registry import find_task
from eureka_loop.records import Job
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

PROGRAM = 'def compute_reward(pole_angle):\n    return {"upright": np.cos(pole_angle)}\n'
TASK = find_task("invertedpendulum-balance")
MakeRun = Callable[..., Run]


def test_a_run_that_is_not_finished(a_run: MakeRun, refused: Callable[[str], str], tmp_path: Path) -> None:
    a_run(tmp_path / "runs" / "r", TASK, PROGRAM, finished=False)
    before = sorted(tmp_path.rglob("*"))
    assert "is not finished, so it has no winner yet: `eureka resume runs/r`" in refused("compare runs/r")
    assert sorted(tmp_path.rglob("*")) == before


def test_seeds_that_the_search_has_seen(
    a_run: MakeRun, refused: Callable[[str], str], tmp_path: Path
) -> None:
    """No search draws them; a job written by hand may."""
    run = a_run(tmp_path / "runs" / "r", TASK, PROGRAM)
    judged = seeds("report", 0, 1)
    run.write_job(Job("g0-00", 300, TASK, PROGRAM, "ppo", 10, {}, judged))
    before = sorted(tmp_path.rglob("*"))
    said = refused("compare runs/r")
    assert f"seed {judged[0]} was seen by the search of runs/r (g0-00)" in said
    assert "choose another --seed" in said
    assert sorted(tmp_path.rglob("*")) == before
