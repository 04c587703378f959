"""`eureka compare` of runs that can't be compared: one clear line, and nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.envs.registry import find_task
from eureka_loop.records import Candidate, Job
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

PROGRAM = 'def compute_reward(pole_angle):\n    return {"upright": np.cos(pole_angle)}\n'


def a_run(folder: Path, *, finished: bool) -> Run:
    """A run as a search leaves it, but for what it trained."""
    task = find_task("invertedpendulum-balance")
    folder.mkdir(parents=True)
    files.write_text(folder / "run.toml", tomli_w.dumps(as_table(RunConfig(task=task.name))))
    run = Run(folder)
    files.write_json(run.task_folder / "task.json", task)
    run.write_candidate(Candidate("g0-00", 0, PROGRAM, "templates"))
    if finished:
        run.event("finished", winner="g0-00")
    return run


def test_a_run_that_is_not_finished(refused: Callable[[str], str], tmp_path: Path) -> None:
    a_run(tmp_path / "runs" / "r", finished=False)
    before = sorted(tmp_path.rglob("*"))
    assert "is not finished, so it has no winner yet: `eureka resume runs/r`" in refused("compare runs/r")
    assert sorted(tmp_path.rglob("*")) == before


def test_seeds_that_the_search_has_seen(refused: Callable[[str], str], tmp_path: Path) -> None:
    """Nobody's search draws them; one that was told them by hand may."""
    run = a_run(tmp_path / "runs" / "r", finished=True)
    judged = seeds("report", 0, 1)
    run.write_job(Job("g0-00", 300, run.task(), PROGRAM, "ppo", 10, {}, judged))
    before = sorted(tmp_path.rglob("*"))
    said = refused("compare runs/r")
    assert f"seed {judged[0]} was seen by the search of runs/r (g0-00)" in said
    assert "choose another --seed" in said
    assert sorted(tmp_path.rglob("*")) == before
