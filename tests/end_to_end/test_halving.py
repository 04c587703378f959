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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    cwd = tmp_path_factory.mktemp("halving")
    code, _, err = eureka(*HALVING, cwd=cwd)
    assert (code, err) == (0, "")
    return the_run(cwd)


def test_the_best_goes_on_from_where_it_stopped(undisturbed: Run) -> None:
    found = [undisturbed.evaluated(id) for id in undisturbed.candidate_ids()]
    assert sorted(each.trained[0].steps for each in found) == [160, 160, 320, 640]
    assert sum(each.halted is not None for each in found) == 3
    (best,) = (each for each in found if each.halted is None)
    for rung in (0, 1):
        early = undisturbed.evaluated_at(best.candidate.id, rung).trained[0].checkpoints
        assert early
        assert best.trained[0].checkpoints[: len(early)] == early
    assert list(undisturbed.folder.glob(f"**/{SNAPSHOT}")) == []


def test_killed_on_its_way_up_it_resumes_to_the_same_end(undisturbed: Run, tmp_path: Path) -> None:
    process = start(*HALVING, cwd=tmp_path)
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/candidates/*/rung-1/seed-*/job.json"))), 200)
    process.kill()
    process.communicate()
    wait_for(lambda: processes_of(tmp_path) == [], 5)
    run = the_run(tmp_path)
    assert decided(run) != decided(undisturbed)
    code, _, err = eureka("resume", str(run.folder), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert decided(run) == decided(undisturbed)
