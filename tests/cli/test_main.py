"""Errors of `eureka` before a heavy import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from eureka_loop.cli import main as cli

# Windows has neither of these modules, and none of the C library's calls.
ON_WINDOWS = """
import sys
sys.platform = "win32"
sys.modules["fcntl"] = sys.modules["resource"] = None
from eureka_loop.cli.main import main
main(["run", "hopper-hop"])
"""


def test_windows_is_pointed_to_wsl2():
    done = subprocess.run([sys.executable, "-c", ON_WINDOWS], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "eureka: generated code can't be locked up on Windows; install WSL2 and run eureka in it"
    ]


def test_a_program_without_a_task_is_refused_with_an_example(refused):
    assert refused("train mine.py") == (
        "eureka: say for which task: `eureka train mine.py --task halfcheetah-run`; `eureka tasks` lists them"
    )


def test_interrupted_before_the_run_began_a_run_says_that_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("eureka_loop.search.assemble.create", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "hopper-hop", "--designer", "templates"])
    assert ended.value.code == 130
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Stopped: interrupted before anything was begun; nothing is left of it"
    )


def test_a_full_disk_behind_the_screen_is_one_line():
    words = [sys.executable, "-m", "eureka_loop.cli.main", "tasks"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "eureka: No space left on device"
    assert "Traceback" not in done.stderr
