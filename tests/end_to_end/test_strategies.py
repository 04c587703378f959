"""Islands, and a tree by a model and the templates, from the command line: killed, resumed, replayed, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.propose.operators import OPERATORS
from eureka_loop.store import Run

from .endpoint import SlowModel, serving
from .program import done, outcome, resumed, the_run

pytestmark = pytest.mark.timeout(600)
SMALL = (
    "run invertedpendulum-balance --generations 3 --samples 4 --steps 300 --report-seeds 0 "
    "--judge-episodes 2 --jobs 1 --confirm 1"
).split()


def searched(*words: str, cwd: Path, **env: str) -> Run:
    """A search that ends the same whole or killed, and shows its operators."""
    whole, killed = cwd / "whole", cwd / "killed"
    whole.mkdir(), killed.mkdir()
    assert "Winner: g" in done(*SMALL, *words, cwd=whole, **env)
    run = the_run(whole)
    other = resumed(*SMALL, *words, cwd=killed, at="candidates/g1-00/origin.json", **env)
    assert outcome(other) == outcome(run)
    every = [run.candidate(id) for id in run.candidate_ids()]
    assert [other.candidate(id) for id in other.candidate_ids()] == every

    later = [each for each in every if each.generation]
    assert len(later) == 8
    assert {each.operator for each in later} <= {*OPERATORS}
    assert len({each.operator for each in later}) > 2
    assert all(bool(each.parents) is OPERATORS[each.operator].inherits for each in later)
    shown = done("inspect", str(run.folder), cwd=whole)
    assert all(f"  {each.operator}" in shown for each in later)
    one = next(each for each in later if each.parents)
    page = done("inspect", str(run.folder), one.id, cwd=whole)
    assert f"{one.operator} of {one.parents[0]}" in page
    return run


def test_islands(tmp_path: Path) -> None:
    searched("--designer", "templates", "--strategy", "islands", cwd=tmp_path)


def test_a_tree_by_a_model_and_the_templates(tmp_path: Path) -> None:
    with serving(SlowModel(lambda _: False)) as url:
        words = f"--strategy tree --designer llm,templates --model small --base-url {url}".split()
        run = searched(*words, cwd=tmp_path, EUREKA_API_KEY="k")
    first, *later = ([run.candidate(f"g{n}-0{at}").designer for at in range(4)] for n in range(3))
    assert first == ["templates", "templates", "llm", "llm"]
    assert [{*each} for each in later] == [{"llm", "templates"}] * 2
    assert "written by  llm, generation 1" in done("inspect", str(run.folder), "g0-02", cwd=tmp_path)
    done(*SMALL, "--replay", str(run.folder), "--strategy", "tree", cwd=tmp_path)
    again = the_run(tmp_path)
    assert outcome(again) == outcome(run)
    assert all(again.candidate(id) == run.candidate(id) for id in run.candidate_ids())
