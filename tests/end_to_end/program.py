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


def start(*words: str, cwd: Path, stdin: int = subprocess.DEVNULL, **env: str) -> subprocess.Popen[str]:
    """Without a terminal unless `stdin` is one, and without a model or films but by `env`."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}
    command = [sys.executable, "-m", "eureka_loop.cli.main", *words]
    pipe, env = subprocess.PIPE, {**bare, "MUJOCO_GL": "disable", **env}
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


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


def resumed(*words: str, cwd: Path, at: str, **env: str) -> Run:
    """A run that was killed once such a file was in its folder, and then resumed to its end."""
    process = start(*words, cwd=cwd, **env)
    wait_for(lambda: list(cwd.glob(f"runs/*/{at}")), 200)
    kill(process, cwd)
    run = the_run(cwd)
    assert all(event["event"] != "finished" for event in run.events()), "it was killed too late"
    done("resume", str(run.folder), cwd=cwd, **env)
    return run


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
