"""Commands as the program dispatches them, in this process: mistakes need no process of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_loop.cli import main as cli

Refused = Callable[[str], str]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No model is configured; files go into a folder of their own."""
    for name in ("EUREKA_MODEL", "EUREKA_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """The line on standard error for a command that is refused with exit status 2."""

    def line(words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(words.split())
        printed = capsys.readouterr()
        (error,) = printed.err.splitlines()
        assert ended.value.code == 2
        assert len(printed.out.splitlines()) <= 1
        return error

    return line
