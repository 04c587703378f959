"""Text of a language model is inert on every page: nothing in it moves, colours, clears or is markup."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from eureka_loop.records import Candidate, Reply
from eureka_loop.report.candidate import candidate_page
from eureka_loop.report.inspect import print_stopped, run_page, summary
from eureka_loop.report.live import Live
from eureka_loop.report.run_data import RunData
from eureka_loop.report.run_report import write_report
from eureka_loop.results import Failed
from eureka_loop.store import Run

from .conftest import Screen

if TYPE_CHECKING:
    from .conftest import Script

OBEYED = ("\x1b[2J", "\x1b]0;", "\x07", "\x9b", "\u202e")
PAGES: dict[str, Callable[[Run], object]] = {
    "run": run_page,
    "refused": lambda run: candidate_page(run, "g0-02"),
    "candidate": lambda run: candidate_page(run, "g1-00"),
    "exchange": lambda run: candidate_page(run, "g1-00", exchange=True),
    "diff": lambda run: candidate_page(run, "g1-00", diff="human"),
    "summary": lambda run: summary(RunData(run)),
}


@pytest.fixture
def run(script: Script, hostile: str) -> Run:
    """Hostile code, notes, messages, replies and feedback."""
    evil = hostile + " | <img src=x> ![](http://evil/) `code` \n# heading\n```\nout of the fence\n````"
    source = f"def compute_reward(x, *, w={evil!r}):\n    '''{evil}'''\n    return {{}}\n"
    exchange = {"messages": [{"role": evil, "content": evil}], "reply": evil, "other": evil}
    script.search()
    for id in ("g1-00", "g0-02"):
        candidate = Candidate(id, 1, source, evil, ("g0-01",), evil)
        script.run.write_candidate(candidate, feedback=evil)
        script.run.write_reply(id, Reply(source, exchange=exchange))
    script.run.fail(Failed("g0-02", "refused", evil, evil))
    script.run.event("stopped", reason=evil)
    return script.run


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("page", PAGES)
def test_on_a_page(run: Run, shown: Callable[..., str], page: str, colours: bool) -> None:
    screen = shown(PAGES[page](run), colours=colours)
    assert not [escape for escape in OBEYED if escape in screen]
    if not colours:
        assert "\\x1b[2J" in screen
        assert "[bold red]x[/]" in screen


@pytest.mark.parametrize("interactive", [True, False])
def test_while_it_runs_and_when_it_stops(script: Script, hostile: str, interactive: bool) -> None:
    out = Console(file=Screen() if interactive else io.StringIO(), width=200, _environ={"TERM": "xterm"})
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.run.event("started", task=hostile, designer=hostile, generations=1, samples=1)
        script.run.event("generation", generation=0, samples=1)
        script.run.event("written", id="g0-00", note=hostile, parents=[], source=True)
        script.run.event("gated", id="g0-00", terms=[hostile])
        script.run.event("failed", id="g0-00", seed=None, kind=hostile, message=hostile)
        script.run.event("stopped", reason=hostile)
    print_stopped(script.run, hostile, out)
    assert isinstance(out.file, io.StringIO)
    assert not [escape for escape in OBEYED if escape in out.file.getvalue()]
    assert "[bold red]x[/]" in out.file.getvalue()


def test_in_report_md(run: Run) -> None:
    report = write_report(run, pictures=False)[0].read_text(encoding="utf-8")
    outside = report.split("`````")[0] + report.split("`````")[2]
    assert not [bad for bad in (*OBEYED, "<img", "![](", "\n# heading") if bad in outside]
    assert all(line.count(" | ") <= 6 for line in report.splitlines() if line.startswith("| "))


def test_in_report_html(run: Run, offline: Callable[[str], None]) -> None:
    page = write_report(run)[0].read_text(encoding="utf-8")
    assert not [bad for bad in (*OBEYED, "<img", "<script") if bad in page]
    assert "&lt;img src=x&gt;" in page
    offline(page.replace("http://evil/", ""))
