"""The program as a user starts it, in a process of its own, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eureka_loop.store import Run


def start(*words: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Without a terminal, and without a model or films but by `env`."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}
    command = [sys.executable, "-m", "eureka_loop.cli.main", *words]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    env = {**bare, "MUJOCO_GL": "disable", **env}
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=null, stdout=pipe, stderr=pipe, text=True)


def eureka(*words: str, cwd: Path, **env: str) -> tuple[int, str, str]:
    process = start(*words, cwd=cwd, **env)
    out, err = process.communicate(timeout=550)
    return process.returncode, out, err


def done(*words: str, cwd: Path, **env: str) -> str:
    """The output of a command that ends well and without a word on standard error."""
    code, out, err = eureka(*words, cwd=cwd, **env)
    assert (code, err) == (0, "")
    return out


def kill(process: subprocess.Popen[str], folder: Path) -> None:
    """End it by SIGKILL; its workers follow."""
    process.kill()
    process.communicate()
    wait_for(lambda: processes_of(folder) == [], 5)


def interrupt(process: subprocess.Popen[str]) -> str:
    """End it by Ctrl-C; its output."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (130, "")
    return out


def the_run(cwd: Path) -> Run:
    (folder,) = (path.parent for path in cwd.glob("runs/*/run.toml"))
    return Run.open(folder)


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def results(folder: Path) -> dict[Path, int]:
    """Every finished training, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("**/candidates/**/seed-*/result.json")}


def outcome(run: Run) -> dict[str, object]:
    """Sources and results of a run, without wall-clock times."""
    found: dict[str, object] = {id: run.candidate(id).source for id in run.candidate_ids()}
    for path in results(run.folder):
        found[str(path.relative_to(run.folder))] = {**json.loads(path.read_text()), "seconds": None}
    return found


def processes_of(folder: Path, command: str = "") -> list[int]:
    """Every process with that working directory, and with this text in its command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            here = (entry / "cwd").resolve() == folder.resolve()
            if here and command in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found
