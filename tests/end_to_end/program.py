"""The program as a user starts it, in a process of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eureka_loop.store import Run


def start(*words: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Without a terminal, and without a model but by `env`."""
    return subprocess.Popen(
        [sys.executable, "-m", "eureka_loop.cli.main", *words],
        cwd=cwd,
        env={**_bare(), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def eureka(*words: str, cwd: Path, **env: str) -> tuple[int, str, str]:
    process = start(*words, cwd=cwd, **env)
    out, err = process.communicate(timeout=550)
    return process.returncode, out, err


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}


def the_run(cwd: Path) -> Run:
    (folder,) = (cwd / "runs").iterdir()
    return Run.open(folder)


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def outcome(run: Run) -> dict[str, object]:
    """Sources and results of a run, without wall-clock times."""
    found: dict[str, object] = {}
    for path in sorted(run.folder.glob("candidates/*/seed-*/result.json")):
        result = json.loads(path.read_text())
        result.pop("seconds", None)
        found[str(path.relative_to(run.folder))] = result
    for id in run.candidate_ids():
        found[id] = run.candidate(id).source
    return found


def processes_of(folder: Path, command: str = "") -> list[int]:
    """Every process with that working directory, and with this text in its command."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here = (entry / "cwd").resolve() == folder.resolve()
                if here and command in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
