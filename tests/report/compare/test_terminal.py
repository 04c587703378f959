"""What stands on the screen."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from eureka_loop import files
from eureka_loop.report.compare.contest import SETUP, Contest
from eureka_loop.report.compare.facts import Facts
from eureka_loop.report.compare.terminal import print_stopped, print_summary, summary

from .conftest import CONTENDERS, made, numbers


def test_the_verdict_comes_first_then_the_numbers(better: Path, shown: Callable[..., str]) -> None:
    said = shown(summary(Facts.of(better)))
    lines = [line for line in said.splitlines() if line]
    assert lines[0].startswith("Winner g1-03 is better than hand-written: probability of improvement 0.96")
    assert "halfcheetah-run, PPO, 200,000 steps, 10 fresh seeds" in lines
    (winner,) = [line.split("  ") for line in lines if line.strip().startswith("winner g1-03")]
    assert [cell.strip() for cell in winner if cell.strip()] == [
        "winner g1-03", "4.397 [4.142, 4.507]", "100%", "1.58",
    ]  # fmt: skip
    assert "Against sparse: better" in said
    assert "Against hand-written" not in said  # that is the first line
    assert "Correlation with hand-written on shared transitions: +1.00" in said
    assert "No video: none were made" in said


def test_each_algorithm_has_a_line_of_its_own(tmp_path: Path, shown: Callable[..., str]) -> None:
    few = {"g1-03": [2.0], "human": [1.0]}
    folder = made(tmp_path, few, contenders=CONTENDERS[:2], algorithms=("ppo", "sac"))
    lines = shown(summary(Facts.of(folder)), width=200).splitlines()
    assert [line.split(":")[0] for line in lines[1:3]] == ["With PPO", "With SAC"]


def test_what_failed_is_said_beside_its_name(tmp_path: Path, shown: Callable[..., str]) -> None:
    fitness = {"g1-03": numbers(4.2, 0.5, 4, 1), "human": [3.0, None, None, 3.1]}
    said = shown(summary(Facts.of(made(tmp_path, fitness, contenders=CONTENDERS[:2]))))
    assert "hand-written (2 trainings failed)" in said


def test_it_fits_eighty_columns(better: Path, shown: Callable[..., str]) -> None:
    said = shown(summary(Facts.of(better)), width=80)
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said


def test_it_ends_with_the_reports_paths(better: Path) -> None:
    console = Console(record=True, width=60, file=io.StringIO())
    print_summary(better, [better / "report.html"], console)
    assert f"Report: {better / 'report.html'}" in console.export_text().splitlines()


def test_stopped_says_how_far_it_is_and_how_to_go_on(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": [1.0, 2.0], "human": [1.0]}, contenders=CONTENDERS[:2])
    console = Console(record=True, width=100, file=io.StringIO())
    print_stopped(folder, files.read_json(folder / SETUP, Contest), console)
    assert console.export_text().splitlines() == [
        "Stopped: interrupted", "3 of 4 trainings done", "Go on with: eureka compare RUN --seeds 2",
    ]  # fmt: skip
