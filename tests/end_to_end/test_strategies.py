"""Islands and the tree from the command line, with the embedded designer: killed, resumed, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.propose.operators import OPERATORS

from .program import done, kill, outcome, start, the_run, wait_for

pytestmark = pytest.mark.timeout(600)
SMALL = (
    "run invertedpendulum-balance --designer templates --generations 3 --samples 4 --steps 300 "
    "--report-seeds 0 --judge-episodes 2 --jobs 1 --confirm 1"
).split()


@pytest.mark.parametrize("strategy", ["tree", "islands"])
def test_a_killed_search_ends_as_a_whole_one(strategy: str, tmp_path: Path) -> None:
    places = whole, killed = tmp_path / "whole", tmp_path / "killed"
    for place in places:
        place.mkdir()
    screen = done(*SMALL, "--strategy", strategy, cwd=whole)
    assert "Winner: g" in screen
    process = start(*SMALL, "--strategy", strategy, cwd=killed)
    wait_for(lambda: list(killed.glob("runs/*/candidates/g1-00/origin.json")), 200)
    kill(process, killed)
    done("resume", str(the_run(killed).folder), cwd=killed)
    run = the_run(whole)
    assert outcome(the_run(killed)) == outcome(run)

    later = [run.candidate(id) for id in run.candidate_ids() if id > "g1"]
    assert len(later) == 8
    assert len({each.operator for each in later}) > 2
    assert {each.operator for each in later} <= {*OPERATORS}
    assert all(bool(each.parents) is OPERATORS[each.operator].inherits for each in later)
    shown = done("inspect", str(run.folder), cwd=whole)
    assert all(f"  {each.operator}" in shown for each in later)
    one = next(each for each in later if each.parents)
    page = done("inspect", str(run.folder), one.id, cwd=whole)
    assert f"{one.operator} of {one.parents[0]}" in page
