"""The console: who sees what."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from eureka_loop.report.terminal import can_redraw, waiting


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("file", "redrawn"), [(Screen(), True), (io.StringIO(), False)])
def test_what_takes_its_time_is_said(file: io.StringIO, redrawn: bool) -> None:
    console = Console(file=file, _environ={"TERM": "xterm"})
    assert can_redraw(console) is redrawn
    with waiting("looking at the [environment]", console):
        before = file.getvalue()
    assert "looking at the [environment]" in file.getvalue()
    assert (before == "looking at the [environment]…\n") is not redrawn  # a line stands there from the start


def test_forced_colours_make_no_terminal_of_a_pipe() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    with waiting("looking", console):
        pass
    assert console.file.getvalue() == "looking…\n"  # type: ignore[attr-defined]
