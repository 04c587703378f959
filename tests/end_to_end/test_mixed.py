"""A model and the embedded designer in one search: killed, resumed, replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .endpoint import SlowModel, serving
from .program import done, kill, outcome, start, the_run, wait_for

pytestmark = pytest.mark.timeout(600)
SMALL = (
    "--generations 3 --samples 4 --steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1 --confirm 1 "
    "--strategy tree"
).split()


def test_a_mix_ends_the_same_killed_or_replayed(tmp_path: Path) -> None:
    places = whole, killed, again = [tmp_path / name for name in ("whole", "killed", "again")]
    for place in places:
        place.mkdir()
    key = {"EUREKA_API_KEY": "k"}
    with serving(SlowModel(lambda _: False)) as url:
        mixed = (
            f"run invertedpendulum-balance --designer llm,templates --model small --base-url {url}".split()
        )
        done(*mixed, *SMALL, cwd=whole, **key)
        process = start(*mixed, *SMALL, cwd=killed, **key)
        wait_for(lambda: list(killed.glob("runs/*/candidates/g1-00/origin.json")), 200)
        kill(process, killed)
        done("resume", str(the_run(killed).folder), cwd=killed, **key)
    run = the_run(whole)
    first = [run.candidate(f"g0-0{n}").designer for n in range(4)]
    assert first == ["templates", "templates", "llm", "llm"]
    for generation in (1, 2):
        found = {run.candidate(f"g{generation}-0{n}").designer for n in range(4)}
        assert found == {"llm", "templates"}
    every = {id: run.candidate(id) for id in run.candidate_ids()}
    for other in (the_run(killed),):
        assert outcome(other) == outcome(run)
        assert {id: other.candidate(id) for id in other.candidate_ids()} == every
    done("run", "invertedpendulum-balance", "--replay", str(run.folder), *SMALL, cwd=again)
    assert outcome(the_run(again)) == outcome(run)
    assert {id: the_run(again).candidate(id) for id in every} == every
    page = done("inspect", str(run.folder), "g0-02", cwd=whole)
    assert "written by  llm, generation 1" in page
