"""What the screen shows of a bench: before, while it goes, at its end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from eureka_loop.report.bench import terminal
from eureka_loop.report.bench.estimate import Estimate, Pace
from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.plan import Search
from eureka_loop.report.bench.progress import EVERY, Progress, SearchLog
from eureka_loop.report.bench.scores import scores
from eureka_loop.report.live import Live
from eureka_loop.report.state import RunState

from .conftest import Made

A, B, C = Search("reacher-reach", 0), Search("hopper-hop", 0), Search("reacher-reach", 1)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(width: int) -> Console:
    terminal = {"TERM": "xterm"}
    return Console(file=Screen(), width=width, color_system=None, markup=False, _environ=terminal)


def written(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [80, 160])
def test_the_summary_fits_the_screen(whole: Path, width: int) -> None:
    facts, out = BenchFacts.of(whole), console(width)
    terminal.print_summary(facts, scores(facts), [whole / "report.md"], out)
    said = written(out)
    assert max(map(len, said.splitlines()[:8])) <= width
    assert "human-normalised [95%]" in said
    assert ("winner's fitness" in said) == (width == 160)
    assert "At or above the hand-written reward: 1 of 2 tasks" in " ".join(said.split())
    assert str(whole / "report.md") in said


def test_a_stopped_bench_says_how_to_go_on(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3)
    out = console(80)
    terminal.print_stopped(BenchFacts.of(made.folder), "--max-hours 1 is reached", "eureka bench quick", out)
    assert written(out) == (
        "Stopped: --max-hours 1 is reached\n1 of 4 searches done\nGo on with: eureka bench quick\n"
    )


def test_a_search_is_one_line(made: Made) -> None:
    made.begin()
    made.search("reacher-reach", 0, [])
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3)
    reacher, hopper = BenchFacts.of(made.folder).tasks
    assert terminal.of_search(reacher.searches[0]) == "reacher-reach, seed 0: no candidate could be trained"
    line = terminal.of_search(hopper.searches[0])
    assert line.startswith("hopper-hop, seed 0: winner g0-00 0.500; hand-written 1.000, sparse 0.000; ")


def test_the_plan_states_budget_time_and_cost(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made.paces = {"Hopper-v5": Pace(1.0, 1.0, 1, 1.0)}
    bench = BenchFacts.of(made.begin()).bench
    one = Estimate(10, 10_000, 90.0, 5000, None)
    terminal.print_plan(bench, made.folder, 4, {"hopper-hop": one}, one + one, 2)
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "4 searches to do", "PPO for 1,000 steps", "20 trainings, 20,000 steps", "roughly 3 min on 2 workers",
        "hopper-hop 90 s", "about 10k tokens, its price is unknown",
        "the time that a model takes to answer comes on top",
    ):  # fmt: skip
        assert part in said, part
    many = {f"task-{n}": Estimate(10, 10_000, 60.0 + n, 0, 0.0) for n in range(50)}
    terminal.print_plan(bench, made.folder, 150, many, Estimate(10, 10_000, 90.0), 2)
    said = " ".join(capsys.readouterr().out.split())
    assert "a search 60 s (task-0) to 2 min (task-49)" in said
    assert "a model takes to answer" not in said
    assert terminal.asked(Estimate()) == "no model is asked: no tokens, $0"
    assert "$2.00" in terminal.asked(Estimate(tokens=10, usd=2.0))


def test_time_left_is_the_estimate_until_searches_have_told_more() -> None:
    progress = Progress((A, B, C), {"reacher-reach": 100.0, "hopper-hop": 50.0})
    assert progress.seconds_left(None, 0.0) == 250.0
    progress.begin(A)
    assert progress.seconds_left(None, 0.0) == 250.0
    progress.end(A, 200.0)  # twice as long as estimated: so will the others be
    assert progress.seconds_of("reacher-reach") == 200.0
    assert progress.seconds_of("hopper-hop") == 100.0
    progress.begin(B)
    assert progress.seconds_left(None, 0.0) == 300.0
    assert progress.line(None, 0.0) == "search 2 of 3: hopper-hop, seed 0 · about 5 min left in all"


def test_the_search_under_way_counts_with_what_is_left_of_it() -> None:
    progress = Progress((A, B), {"reacher-reach": 100.0, "hopper-hop": 50.0})
    progress.begin(A)
    state = RunState()
    started = {"generations": 1, "samples": 1, "steps": 1000, "report_seeds": 0, "trainer": "population"}
    state.take({"event": "started", "time": 1000.0, "task": "x", **started})
    state.take({"event": "generation", "time": 1010.0, "generation": 0})
    assert progress.seconds_left(state, 1010.0) == pytest.approx(90.0 + 50.0)
    state.take({"event": "training", "time": 1010.0, "id": "g0-00", "seed": 0, "steps": 1000})
    state.take(
        {"event": "progress", "time": 1020.0, "id": "g0-00", "seed": 0, "step": 20}
    )  # workers just began
    assert progress.seconds_left(state, 1020.0) == pytest.approx(80.0 + 50.0)
    state.take({"event": "progress", "time": 1030.0, "id": "g0-00", "seed": 0, "step": 500})
    assert progress.seconds_left(state, 1030.0) == pytest.approx(20.0 + 50.0)


def test_without_a_terminal_a_search_is_told_in_few_lines_with_the_time_left() -> None:
    progress = Progress((A, B), {"reacher-reach": 100.0, "hopper-hop": 50.0})
    progress.begin(A)
    log, state, lines = SearchLog(progress), RunState(), []
    events = [
        {"event": "started", "generations": 1, "samples": 1, "steps": 1000},
        {"event": "generation", "generation": 0},
    ]
    events += [{"event": "progress", "id": "g0-00", "seed": 0, "step": step} for step in range(0, 200, 10)]
    for second, event in enumerate(events, start=100):
        told = {"time": float(second * 3), **event}
        state.take(told)
        lines.append(log.line(told, state))
    said = [line for line in lines if line]
    assert len(said) == round(20 * 3 / EVERY)
    assert all("left in all; 0 of 1 training done" in line for line in said)


def test_a_run_among_many_has_a_line_above_its_table_and_leaves_nothing() -> None:
    out = Console(
        file=io.StringIO(), width=80, height=24, force_terminal=True, _environ={"TERM": "xterm"}, markup=False
    )
    with Live(None, out, interactive=True, above=lambda state, now: f"2 of 9: {state.task}") as live:
        live({"event": "started", "time": 0.0, "task": "hopper-hop", "generations": 1})
    screen = written(out)
    assert "2 of 9: hopper-hop" in screen
    assert screen.rstrip().endswith("\x1b[2K")  # the table's lines are erased
