"""A run that stops the worse rewards early, also killed on its way up."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.records import SNAPSHOT

from .program import done, kill, outcome, start, the_run, wait_for

pytestmark = pytest.mark.timeout(300)

HALVING = (
    "run invertedpendulum-balance --designer templates --generations 1 --samples 4 --steps 640 "
    "--report-seeds 0 --judge-episodes 3 --jobs 1 --halving 2 --settings zoo --confirm 1"
).split()


def test_the_best_goes_on_from_where_it_stopped_also_after_a_kill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    done(*HALVING, cwd=whole)
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
    wait_for(lambda: list(killed.glob("runs/*/candidates/*/rung-1/seed-*/job.json")), 200)
    kill(process, killed)
    run = the_run(killed)
    assert outcome(run) != outcome(undisturbed)
    done("resume", str(run.folder), cwd=killed)
    assert outcome(run) == outcome(undisturbed)
