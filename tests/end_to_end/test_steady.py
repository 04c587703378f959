"""A steady run by a model that answers one call late: the others go on; killed, interrupted, resumed, replayed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop.store import Run

from .endpoint import chat
from .program import eureka, outcome, processes_of, start, the_run, wait_for

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "--generations 2 --samples 3 --steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1 --steady".split()
)
IDS = ["g0-00", "g0-01", "g0-02", "g1-00", "g1-01", "g1-02"]


class Model:
    """Each program follows from the seed of its call; the first call waits for `hurry`."""

    def __init__(self) -> None:
        self.asked: list[int] = []  # seeds
        self.hurry = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        seed = int(request.get_json()["seed"])
        with self.lock:
            self.asked.append(seed)
        if seed == self.asked[0]:
            self.hurry.wait(400)
        up = 1 + seed % 997 / 100
        code = f"def compute_reward(pole_up, *, up={up}):\n    return {{'up': up * pole_up[:, 2]}}\n"
        return chat(f"```python\n{code}```")


@pytest.fixture
def model() -> Iterator[tuple[str, Model]]:
    """Its address, and the model; it takes several calls at once."""
    model = Model()
    with HTTPServer(threaded=True) as server:
        server.expect_request("/v1/chat/completions").respond_with_handler(model)
        yield server.url_for("/v1"), model
        model.hurry.set()


def told(run: Run) -> list[str]:
    return [event["id"] for event in run.events() if event["event"] == "told"]


def results(run: Run) -> dict[Path, int]:
    """Every result with the time at which it was written."""
    return {path: path.stat().st_mtime_ns for path in run.folder.glob("candidates/*/seed-*/result.json")}


def test_no_candidate_waits_for_the_slowest_and_nothing_is_lost(
    model: tuple[str, Model], tmp_path: Path
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
