"""A steady run by a model that answers one call late: the others go on; killed, interrupted, resumed, replayed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_loop.store import Run

from .endpoint import SlowModel, serving
from .program import eureka, outcome, processes_of, start, the_run, wait_for

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "--generations 2 --samples 3 --steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1 --steady".split()
)
IDS = ["g0-00", "g0-01", "g0-02", "g1-00", "g1-01", "g1-02"]


def told(run: Run) -> list[str]:
    return [event["id"] for event in run.events() if event["event"] == "told"]


def results(run: Run) -> dict[Path, int]:
    """Every result with the time at which it was written."""
    return {path: path.stat().st_mtime_ns for path in run.folder.glob("candidates/*/seed-*/result.json")}


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
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/candidates/g1-*/seed-*/result.json"))), 250)
    process.kill()
    process.communicate()
    wait_for(lambda: processes_of(tmp_path) == [], 5)
    run = the_run(tmp_path)
    (slow,) = set(IDS[:3]) - set(run.candidate_ids())  # the others were trained, more were written
    first, known = results(run), told(run)
    assert len(known) >= 2

    process = start("resume", str(run.folder), cwd=tmp_path, EUREKA_API_KEY="k")
    wait_for(lambda: len(told(run)) == 5, 250)  # all but the one
    began = time.time()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    (stopped,) = [event["time"] for event in run.events() if event["event"] == "interrupted"]
    assert (process.returncode, stopped - began < 2) == (130, True)
    assert "Traceback" not in out + err
    assert told(run)[: len(known)] == known
    second = results(run)

    endpoint.hurry.set()
    code, _, err = eureka("resume", str(run.folder), cwd=tmp_path, EUREKA_API_KEY="k")
    assert (code, err) == (0, "")
    assert sorted(told(run)) == run.candidate_ids() == IDS
    assert told(run)[-1] == slow
    assert first.items() <= second.items() <= results(run).items()
    asked = [id for event in run.events() if event["event"] == "asked" for id in event["ids"]]
    assert sorted(asked) == IDS
    assert len(endpoint.asked) <= len(IDS) + 2 * 3  # asked again: those under way at each of two ends

    again = tmp_path / "again"
    again.mkdir()
    replay = ["run", "invertedpendulum-balance", "--replay", str(run.folder), *SMALL]
    code, _, err = eureka(*replay, cwd=again)
    assert (code, err) == (0, "")
    assert outcome(the_run(again)) == outcome(run)
    code, out, _ = eureka("inspect", str(run.folder), cwd=tmp_path)
    assert code == 0
    assert "(steady)" in out
