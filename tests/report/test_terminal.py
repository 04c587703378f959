"""The console: who sees what."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from eureka_loop.report.terminal import can_redraw, waiting


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("file", "seen"), [(Screen(), True), (io.StringIO(), False)])
def test_what_takes_its_time_is_said_where_somebody_watches(file: io.StringIO, seen: bool) -> None:
    console = Console(file=file, _environ={"TERM": "xterm"})
    log = Console(file=io.StringIO(), width=10)
    assert can_redraw(console) is seen
    with waiting("looking at the [environment]", console, log=log):
        told = log.file.getvalue()  # type: ignore[attr-defined]
    assert ("looking at the [environment]" in file.getvalue()) is seen
    assert told == ("" if seen else "looking at the [environment]…\n")


def test_forced_colours_make_no_terminal_of_a_pipe() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    with waiting("looking", console):
        pass
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
