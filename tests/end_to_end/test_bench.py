"""A bench as a user starts it, with real training: stopped in its second search, out of time, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.files import read_json
from eureka_loop.report.bench.setup import SETUP, Bench, runs

from .program import done, eureka, interrupt, results, start, wait_for

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "gymnasium --tasks invertedpendulum-balance,reacher-reach --searches 1 --designer templates --generations 1 "
    "--samples 2 --steps 256 --report-seeds 2 --judge-episodes 1 --jobs 1 --out b --yes"
).split()


def test_stopped_out_of_time_and_gone_on_with(tmp_path: Path) -> None:
    process = start("bench", *SMALL, cwd=tmp_path)
    second = "b/*invertedpendulum*/candidates/*/seed-*/job.json"
    wait_for(lambda: process.poll() is not None or list(tmp_path.glob(second)), 400)
    out = interrupt(process)
    assert "Stopped: interrupted\n1 of 2 searches done\nGo on with: eureka bench gymnasium" in out
    assert "1 of 2 searches done" in (tmp_path / "b/report.md").read_text()
    first = {path: when for path, when in results(tmp_path).items() if "reacher" in str(path)}
    assert len(first) == 2 + 3 * 2
    assert set(read_json(tmp_path / "b" / SETUP, Bench).paces) == {"Reacher-v5", "InvertedPendulum-v5"}

    code, out, err = eureka("bench", *SMALL, "--max-hours", "0.0001", cwd=tmp_path)
    assert (code, err) == (3, "")
    assert "Stopped: --max-hours is reached; give more to go on" in out

    out = done("bench", *SMALL, cwd=tmp_path)
    assert "1 search to do" in out
    assert "Human-normalised" in out or "No human-normalised score" in out
    after = results(tmp_path)
    assert len(after) == 2 * len(first)
    assert first.items() <= after.items()
    for search, run in runs(tmp_path / "b").items():
        kinds = [event["event"] for event in run.events()]
        assert kinds.count("resumed") == (search.task == "invertedpendulum-balance")
        assert kinds[-1] == "finished"
    markdown = (tmp_path / "b/report.md").read_text()
    assert "| reacher-reach | 1 of 1 |" in markdown
    assert (tmp_path / "b/report.html").exists()
    assert "search 1 of 2" not in done("bench", *SMALL, cwd=tmp_path)
    assert results(tmp_path) == after
