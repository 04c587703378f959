"""The listener, on a terminal and off it."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from eureka_loop.report.live import Live
from eureka_loop.report.terminal import can_redraw

if TYPE_CHECKING:
    from .conftest import Script

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def console(*, terminal: bool, width: int = 100, environ: dict[str, str] | None = None) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=width,
        height=30,
        _environ=environ or {"TERM": "xterm"},
    )


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plain_lines_off_a_terminal(script: Script) -> None:
    out = console(terminal=False)
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.whole()
    lines = written(out).splitlines()
    assert "\x1b" not in written(out)
    assert (
        lines[0]
        == "halfcheetah-run: 2 generations × 3 candidates by llm, ppo 50k steps × 1 seed, one by one on 2 workers"
    )
    assert "g0-02 failed: refused by the gate: Line 4: `if` on an array of N rows." in written(out)
    assert "g1-02 failed (seed 0)" not in written(out)  # with one seed its number says nothing
    assert (
        "generation 1 of 2 (g0) done: best so far g0-01, fitness 2.100; 13.5k tokens, $0.0200 so far" in lines
    )
    assert lines[-1] == "finished: winner g1-00"
    assert len(lines) < len(list(script.run.events())) + 10


def test_plain_lines_say_what_of_the_machine_is_used(script: Script) -> None:
    """And again where a run goes on with another share of it."""
    out = console(terminal=False)
    event = {"task": "t", "generations": 1, "trainer": "population", "jobs": 2, "learners": 32, "cores": 4}
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.run.event("started", **event, memory=3.14e9)
        script.run.event("shared", jobs=1, learners=7, cores=4, memory=1.5e9)
    first, then = written(out).splitlines()
    assert first.endswith(
        "a generation at once on 2 workers, up to 32 learners each (4 cores, at most 3.1 GB)"
    )
    assert (
        then
        == "from here on a generation at once on 1 worker, up to 7 learners each (4 cores, at most 1.5 GB)"
    )


def test_a_comparison_has_no_winner_and_is_not_finished_with_its_last_training() -> None:
    for terminal in (False, True):
        out = console(terminal=terminal)
        with Live(None, out) as live:
            live({"event": "started", "time": 1.0, "task": "hop", "steps": 100, "report_seeds": 1})
            live({"event": "reporting", "time": 2.0, "winner": "a", "references": ["b"]})
            live({"event": "finished", "time": 3.0, "winner": "a"})
        assert "all trained; same transitions for all, videos…" in written(out)
        assert "winner" not in written(out)


def test_a_comparison_calls_rewards_as_its_report_does() -> None:
    for terminal in (False, True):
        out = console(terminal=terminal)
        with Live(None, out) as live:
            labels = {"mine-cae721": "mine.py", "human": "hand-written"}
            live({"event": "started", "time": 1.0, "steps": 100, "report_seeds": 2, "labels": labels})
            live({"event": "reporting", "time": 2.0, "winner": "mine-cae721", "references": ["human"]})
            live({"event": "training", "time": 3.0, "id": "mine-cae721", "seed": 0})
        assert "mine.py" in written(out)
        assert "cae721" not in written(out)


def test_progress_is_told_every_ten_seconds_at_most(script: Script) -> None:
    out = console(terminal=False)
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.started()
        script.generation(0)
        script.begin("g0-00", 0)
        for step in range(0, 30_000, 1_000):  # 2 s apart
            script.progress("g0-00", 0, step, 1.0)
    lines = [line for line in written(out).splitlines() if "of 50k steps, " in line]
    assert len(lines) == 6
    assert lines[1].startswith("g0-00 5k of 50k steps, fitness 1.000")


def test_a_table_on_a_terminal(script: Script) -> None:
    out = console(terminal=True)
    with Live(script.run, out, interactive=True) as live:
        script.run.listen(live)
        script.search()
    screen = written(out)
    assert screen.index(HIDE) < screen.index(SHOW)
    assert "★" in screen
    assert "improves on g0-01" in screen.split(HIDE)[1]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_whatever_ends_it_the_terminal_is_restored(script: Script, stop: type[BaseException]) -> None:
    out, stdout = console(terminal=True), sys.stdout

    def go() -> None:
        with Live(script.run, out, interactive=True) as live:
            script.run.listen(live)
            script.started()
            raise stop

    with pytest.raises(stop):
        go()
    assert written(out).rstrip().endswith(SHOW)
    assert sys.stdout is stdout


def test_a_resumed_run_begins_where_it_was(script: Script) -> None:
    script.search()
    out = console(terminal=False)
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.run.event("resumed")
    assert written(out) == "resumed: 5 of 14 trainings done\n"


@pytest.mark.parametrize("interactive", [True, False])
def test_hostile_text_is_inert(script: Script, hostile: str, interactive: bool) -> None:
    out = console(terminal=interactive)
    with Live(script.run, out, interactive=interactive) as live:
        script.run.listen(live)
        script.started()
        script.run.event("generation", generation=0, samples=1)
        script.run.event("written", id="g0-00", note=hostile, parents=[], source=True)
        script.run.event("gated", id="g0-00", terms=[hostile])
        script.run.event("failed", id="g0-00", seed=None, kind="refused", message=hostile)
        script.run.event("stopped", reason=hostile)
    screen = written(out)
    for escape in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b", "\u202e"):
        assert escape not in screen
    assert "[bold red]x[/]" in screen


def test_a_pipe_or_a_dumb_terminal_gets_no_table() -> None:
    assert not can_redraw(console(terminal=True))  # a StringIO, whatever FORCE_COLOR says
    first, second = pty.openpty()
    with os.fdopen(second, "w") as file:
        assert can_redraw(Console(file=file, _environ={"TERM": "xterm"}))
        assert can_redraw(Console(file=file, _environ={"TERM": "xterm", "NO_COLOR": "1"}))
        assert not can_redraw(Console(file=file, _environ={"TERM": "dumb"}))
    os.close(first)


def test_no_color_leaves_no_colour(script: Script) -> None:
    out = console(terminal=True, environ={"TERM": "xterm-256color", "NO_COLOR": "1"})
    with Live(script.run, out, interactive=True) as live:
        script.run.listen(live)
        script.search()
    assert "\x1b[3" not in written(out)


def test_help_imports_none_of_it() -> None:
    code = "import sys, eureka_loop.cli.main as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in sys.modules if m.startswith(('rich', 'matplotlib', 'eureka_loop.report'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_reading_a_run_draws_nothing_with_matplotlib() -> None:
    code = (
        "import sys, eureka_loop.report.summary, eureka_loop.report.live\nprint('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
