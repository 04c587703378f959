"""The summary on the screen."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from eureka_loop.report.compare.results import ComparisonResults
from eureka_loop.report.compare.terminal import print_summary, summary

from .conftest import ENTRIES, made, numbers


def test_the_verdict_comes_first_then_the_numbers(better: Path, shown: Callable[..., str]) -> None:
    said = shown(summary(ComparisonResults.of(better)))
    lines = [line for line in said.splitlines() if line]
    assert lines[0].startswith("Winner g1-03 is better than hand-written: probability of improvement 0.96")
    assert "halfcheetah-run, PPO, 200,000 steps, 10 fresh seeds" in lines
    (winner,) = [line.split("  ") for line in lines if line.strip().startswith("winner g1-03")]
    assert [cell.strip() for cell in winner if cell.strip()] == [
        "winner g1-03", "4.397 [4.142, 4.507]", "100% [72%, 100%]", "1.58", "10 of 10",
    ]  # fmt: skip
    for line in (
        "Against sparse: better",
        "Correlation with sparse on shared transitions: +1.00",
        "No video: ",
    ):
        assert line in said
    assert "Against hand-written" not in said  # that is the first line


def test_it_fits_eighty_columns_and_tells_failures(tmp_path: Path, shown: Callable[..., str]) -> None:
    fitness = {"g1-03": numbers(4.2, 0.5, 4, 1), "human": [3.0, None, None, 3.1]}
    folder = made(tmp_path, fitness, entries=ENTRIES[:2], algorithms=("ppo", "sac"))
    said = shown(summary(ComparisonResults.of(folder)), width=80)
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said
    assert "2 of 4: not finite" in shown(summary(ComparisonResults.of(folder)), width=120)
    starts = [line.split(":")[0] for line in said.splitlines() if line.startswith("With ")]
    assert starts == ["With PPO", "With SAC"]


def test_it_ends_with_the_reports_paths(better: Path) -> None:
    console = Console(record=True, width=60, file=io.StringIO())
    print_summary(better, [better / "report.html"], console)
    assert f"Report: {better / 'report.html'}" in console.export_text().splitlines()
