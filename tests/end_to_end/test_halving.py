"""A run that stops the worse rewards early, also killed on its way up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eureka_loop.records import SNAPSHOT
from eureka_loop.store import Run

from .program import eureka, outcome, processes_of, start, the_run, wait_for

pytestmark = pytest.mark.timeout(300)

HALVING = (
    "run invertedpendulum-balance --designer templates --generations 1 --samples 4 --steps 640 "
    "--report-seeds 0 --judge-episodes 3 --jobs 1 --halving 2"
).split()


def decided(run: Run) -> dict[str, object]:
    """Every result on every rung, and what was halted."""
    found = outcome(run)
    for path in sorted(run.folder.glob("candidates/*/**/*.json")):
        if path.name in ("result.json", "halted.json"):
            found[str(path.relative_to(run.folder))] = {**json.loads(path.read_text()), "seconds": None}
    return found


def test_the_best_goes_on_from_where_it_stopped_also_after_a_kill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    code, _, err = eureka(*HALVING, cwd=whole)
    assert (code, err) == (0, "")
    undisturbed = the_run(whole)
    found = [undisturbed.evaluated(id) for id in undisturbed.candidate_ids()]
    assert sorted(each.trained[0].steps for each in found) == [160, 160, 320, 640]
    (best,) = (each for each in found if each.halted is None)
    for rung in (0, 1):
        early = undisturbed.evaluated_at(best.candidate.id, rung).trained[0].checkpoints
        assert early
        assert best.trained[0].checkpoints[: len(early)] == early
    assert list(undisturbed.folder.glob(f"**/{SNAPSHOT}")) == []

    process = start(*HALVING, cwd=killed)
    wait_for(lambda: bool(list(killed.glob("runs/*/candidates/*/rung-1/seed-*/job.json"))), 200)
    process.kill()
    process.communicate()
    wait_for(lambda: processes_of(killed) == [], 5)
    run = the_run(killed)
    assert decided(run) != decided(undisturbed)
    code, _, err = eureka("resume", str(run.folder), cwd=killed)
    assert (code, err) == (0, "")
    assert decided(run) == decided(undisturbed)
