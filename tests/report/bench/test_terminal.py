"""The screen of a bench: before, while it goes, at its end."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from eureka_loop.report.bench import terminal
from eureka_loop.report.bench.estimate import Cost
from eureka_loop.report.bench.results import BenchResults
from eureka_loop.report.bench.setup import Search

from .conftest import Made

A, B, C = Search("reacher-reach", 0), Search("hopper-hop", 0), Search("reacher-reach", 1)


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)


def written(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [80, 160])
def test_the_summary_fits_the_screen(whole: Path, width: int, shown: Callable[..., str]) -> None:
    said = shown(terminal.summary(BenchResults.of(whole)), width=width)
    assert max(map(len, said.splitlines())) <= width
    assert "human-normalised [95%]" in said
    assert ("winner's fitness" in said) == (width == 160)
    assert "At or above the hand-written reward: 1 of 2 tasks" in " ".join(said.split())


def test_it_ends_with_the_reports_paths(whole: Path) -> None:
    out = console(40)
    terminal.print_summary(BenchResults.of(whole), [whole / "report.md"], out)
    assert f"Report: {whole / 'report.md'}" in written(out).splitlines()


def test_a_stopped_bench_says_how_to_go_on(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3)
    out = console(80)
    terminal.print_stopped(BenchResults.of(made.folder), "--max-hours 1 is reached", Path("b/report.md"), out)
    assert written(out) == (
        "Stopped: --max-hours 1 is reached\n1 of 4 searches done\nGo on with: eureka bench quick\n"
        "Report so far: b/report.md\n"
    )


def test_the_outcome_of_a_search_is_one_line(made: Made) -> None:
    made.begin()
    made.search("reacher-reach", 0, [])
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3)
    reacher, hopper = BenchResults.of(made.folder).tasks
    assert terminal.outcome(reacher.searches[0]) == "reacher-reach, seed 0: no candidate could be trained"
    line = terminal.outcome(hopper.searches[0])
    assert line.startswith("hopper-hop, seed 0: winner g0-00 0.500; hand-written 1.000, sparse 0.000; ")


def test_the_plan_states_budget_time_and_cost(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    bench = BenchResults.of(made.begin()).bench
    one = Cost(10, 10_000, 90.0, 5000, None)
    terminal.print_plan(bench, made.folder, [B, B], {"hopper-hop": one})
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "2 searches to do", "PPO for 1,000 steps", "20 trainings, 20,000 steps", "roughly 3 min, ",
        "about 10k tokens, its price is unknown", "a model takes to answer comes on top",
    ):  # fmt: skip
        assert part in said, part
    assert terminal.model_cost(Cost()) == "no model is asked: no tokens, $0"
    assert "$2.00" in terminal.model_cost(Cost(tokens=10, usd=2.0))


def test_time_left_is_the_estimate_corrected_by_finished_searches(capsys: pytest.CaptureFixture[str]) -> None:
    wanted, expected = (A, B, C), {"reacher-reach": Cost(seconds=100.0), "hopper-hop": Cost(seconds=50.0)}
    assert terminal.seconds_left(wanted, {}, expected) == 250.0
    left = terminal.seconds_left(wanted, {A: 200.0}, expected)  # twice as long as estimated
    assert left == 300.0
    terminal.print_progress(B, wanted, left)
    assert capsys.readouterr().out == "search 2 of 3: hopper-hop, seed 0 · about 5 min left in all\n"
