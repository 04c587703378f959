"""A steady run by a model that answers one call late: the others go on; killed, interrupted, resumed, replayed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_loop.store import Run

from .endpoint import SlowModel, serving
from .program import done, interrupt, kill, outcome, results, start, the_run, wait_for

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "--generations 2 --samples 3 --steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1 --steady".split()
)
IDS = ["g0-00", "g0-01", "g0-02", "g1-00", "g1-01", "g1-02"]


def told(run: Run) -> list[str]:
    return [event["id"] for event in run.events() if event["event"] == "told"]


@pytest.fixture
def model() -> Iterator[tuple[str, SlowModel]]:
    """Its first call waits, and so does each that asks for the same again."""
    model = SlowModel(lambda seeds: seeds[-1] == seeds[0])
    with serving(model) as url:
        yield url, model


def test_no_candidate_waits_for_the_slowest_and_nothing_is_lost(
    model: tuple[str, SlowModel], tmp_path: Path
) -> None:
    url, endpoint = model
    words = [*f"run invertedpendulum-balance --model small --base-url {url}".split(), *SMALL]
    process = start(*words, cwd=tmp_path, EUREKA_API_KEY="k")
    wait_for(lambda: list(tmp_path.glob("runs/*/candidates/g1-*/seed-*/result.json")), 250)
    kill(process, tmp_path)
    run = the_run(tmp_path)
    (slow,) = set(IDS[:3]) - set(run.candidate_ids())  # the others were trained, more were written
    first, known = results(run.folder), told(run)
    assert len(known) >= 2

    process = start("resume", str(run.folder), cwd=tmp_path, EUREKA_API_KEY="k")
    wait_for(lambda: len(told(run)) == 5, 250)  # all but the one
    began = time.time()
    interrupt(process)
    (stopped,) = [event["time"] for event in run.events() if event["event"] == "interrupted"]
    assert stopped - began < 2
    assert told(run)[: len(known)] == known
    second = results(run.folder)

    endpoint.hurry.set()
    done("resume", str(run.folder), cwd=tmp_path, EUREKA_API_KEY="k")
    assert sorted(told(run)) == run.candidate_ids() == IDS
    assert told(run)[-1] == slow
    assert first.items() <= second.items() <= results(run.folder).items()
    asked = [id for event in run.events() if event["event"] == "asked" for id in event["ids"]]
    assert sorted(asked) == IDS
    assert len(endpoint.asked) <= len(IDS) + 2 * 3  # asked again: those under way at each of two ends

    again = tmp_path / "again"
    again.mkdir()
    done("run", "invertedpendulum-balance", "--replay", str(run.folder), *SMALL, cwd=again)
    assert outcome(the_run(again)) == outcome(run)
    assert "(steady)" in done("inspect", str(run.folder), cwd=tmp_path)
