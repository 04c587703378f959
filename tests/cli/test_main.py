"""Errors of `eureka` before a heavy import."""

from __future__ import annotations

import subprocess
import sys
from unittest.mock import Mock

import pytest

from eureka_loop.cli import main as cli

# Windows has neither of these modules, and none of the C library's calls.
ON_WINDOWS = """
import sys, zoneinfo  # which needs the real platform
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


def test_interrupted_before_the_run_began_a_run_says_that_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("eureka_loop.search.assemble.create", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "hopper-hop", "--designer", "templates"])
    assert ended.value.code == 130
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Stopped: interrupted before anything was begun; nothing is left of it"
    )


@pytest.mark.parametrize(
    ("screen", "status", "error"),
    [("> /dev/full", 1, "eureka: No space left on device"), ("| true; exit ${PIPESTATUS[0]}", 141, "")],
)
def test_a_full_disk_is_one_line_and_a_closed_pipe_none(screen: str, status: int, error: str) -> None:
    words = (
        f"{sys.executable} -c 'import time; time.sleep(0.3); from eureka_loop.cli.main import main; main()'"
    )
    done = subprocess.run(["bash", "-c", f"{words} tasks {screen}"], stderr=subprocess.PIPE, text=True)
    assert done.returncode == status
    assert "".join(done.stderr.splitlines()[:1]) == error
    assert "Traceback" not in done.stderr
