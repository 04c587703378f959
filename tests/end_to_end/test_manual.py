"""A run whose programs are written by hand, answered through files: waited for, killed, resumed, proposed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eureka_loop.execute.budget import time_worked
from eureka_loop.store import Run

from .program import eureka, interrupt, kill, start, the_run, wait_for

pytestmark = pytest.mark.timeout(400)

SMALL = "--steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1 --generations"
UP = "def compute_reward(pole_up, *, up=2.0):\n    return {'up': up * pole_up[:, 2]}\n"
TYPO = UP.replace("pole_up[", "pole_upp[")
WAIT = 8.0  # s


def idle(run: Run, resumed: int) -> bool:
    kinds = [event["event"] for event in run.events()]
    return kinds.count("resumed") == resumed and kinds[-1] == "idle"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a process that would wait for ever, and ends with the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(words: str) -> subprocess.Popen[str]:
        begun.append(start(*words.split(), cwd=tmp_path))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()


def test_answers_are_waited_for_through_kills_and_idle_time_is_free(
    begin: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    words = f"run invertedpendulum-balance --designer manual --max-hours 0.1 --samples 2 {SMALL} 2"
    process = begin(words)
    wait_for(lambda: list(tmp_path.glob("runs/*/prompts/g0-01.md")), 120)
    run = the_run(tmp_path)
    prompts, folder = run.folder / "prompts", str(run.folder.relative_to(tmp_path))
    wait_for(lambda: idle(run, 0), 60)
    before = cpu_seconds(process.pid)
    time.sleep(WAIT)
    assert cpu_seconds(process.pid) - before < WAIT / 10
    code, out, err = eureka("propose", folder, cwd=tmp_path)
    expected = [f"{id}: answer {folder}/prompts/{id}.md in {id}.answer.md" for id in ("g0-00", "g0-01")]
    assert (code, out.splitlines(), err) == (4, expected, ""), "another process waits"
    (prompts / "g0-00.answer.md").write_text(f"It is easy:\n```python\n{TYPO}```\n")
    wait_for((prompts / "g0-00.repair-1.md").exists, 60)
    kill(process, tmp_path)

    process = begin(f"resume {folder}")
    wait_for(lambda: idle(run, 1), 120)
    assert "did you mean `pole_up`?" in (prompts / "g0-00.repair-1.md").read_text()
    (prompts / "g0-00.repair-1.py").write_text(UP)
    (prompts / "g0-01.answer.md").write_text("skip\n")
    wait_for((prompts / "g1-01.md").exists, 120)
    wait_for(lambda: idle(run, 1), 60)
    out = interrupt(process)
    assert f"g1-00: answer {folder}/prompts/g1-00.md in g1-00.answer.md" in out
    assert "g0-01: failed, no code: left out by its author" in (prompts / "g1-00.md").read_text()
    first, second = run.replies("g0-00")
    assert (first.source, second.source) == (TYPO, UP)

    (prompts / "g1-00.py").write_text(UP.replace("2.0", "3.0"))
    (prompts / "g1-01.answer.md").write_text("I can't think of anything.\n")
    code, out, _ = eureka("propose", folder, cwd=tmp_path)
    problem = f"{folder}/prompts/g1-01.answer.md can't be taken yet: the reply holds no code: I can't"
    assert (code, problem in out, f"Go on with: eureka propose {folder}" in out) == (4, True, True)
    (prompts / "g1-01.answer.md").write_text("skip")
    code, out, err = eureka("propose", folder, cwd=tmp_path)
    assert (code, err, "Winner: g" in out) == (0, "", True)
    assert run.candidate("g1-00").parents == ("g0-00",)
    clocks = [event["clock"] for event in run.events()]
    assert clocks[-1] - clocks[0] - time_worked(run.events()) > WAIT


def test_a_run_begun_by_propose_ends_where_answers_are_lacking(tmp_path: Path) -> None:
    code, out, err = eureka(*f"propose invertedpendulum-balance --samples 1 {SMALL} 1".split(), cwd=tmp_path)
    run = the_run(tmp_path)
    folder = run.folder.relative_to(tmp_path)
    assert (code, err) == (4, "")
    assert out.count(f"g0-00: answer {folder}/prompts/g0-00.md in g0-00.answer.md\n") == 1
    assert (run.config.designer, run.candidate_ids()) == ("manual", [])
