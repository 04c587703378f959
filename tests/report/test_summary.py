"""The last lines of a run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from eureka_loop.report.run_data import RunData
from eureka_loop.report.summary import print_stopped, print_summary, summary

if TYPE_CHECKING:
    from .conftest import Script


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_winner_beside_the_references(script: Script, shown: Callable[..., str]) -> None:
    screen = shown(summary(RunData.read(script.whole())))
    order = [
        "Winner: g1-00  improves on g0-01",
        "  def compute_reward(forward_velocity, torso_upright, action, *, speed=1.5,",
        "Fitness  on fresh seeds, 50,000 steps each",
        "  winner g1-00    2.600  [2.500, 2.700]     100%  2.500, 2.700, 2.600",
        "  hand-written    2.100  [2.000, 2.200]      67%  2.000, 2.200, 2.100",
        "  sparse          0.600  [0.400, 0.900]       0%  0.400, 0.500, 0.900",
        "  Against hand-written: can't tell: probability of improvement",
        "  2 min, 13 finished trainings, 650k steps, 27k tokens, $0.0400",
    ]
    places = [screen.index(line) for line in order]
    assert places == sorted(places)


def test_it_ends_with_the_reports_path_unbroken(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_loop.report.run_report.draw_curves", lambda path, curves, title: False)
    out = console(width=40)
    assert print_summary(script.whole(), out) == 0
    reward = script.run.folder / "candidates" / "g1-00" / "reward.py"
    assert written(out).endswith(f"\n\nReward: {reward}\nReport: {script.run.folder / 'report.md'}\n")
    assert (script.run.folder / "report.md").exists()


def test_without_a_report_the_searchs_number_is_called_that(
    script: Script, shown: Callable[..., str]
) -> None:
    script.search()
    script.run.event("finished", winner="g1-00")
    assert "2.750 on the search's seeds; no report was asked for" in shown(summary(RunData.read(script.run)))


def test_a_stopped_run_says_how_to_go_on(script: Script) -> None:
    script.search()
    out = console(width=40)
    print_stopped(script.run, "--max-hours 1 is reached", out)
    assert written(out) == (
        "Stopped: --max-hours 1 is reached\n"
        "5 of 14 trainings done; best so far g1-00, fitness 2.750\n"
        f"Go on with: eureka resume {script.run.folder}\n"
        f"Report so far: {script.run.folder / 'report.md'}\n"
    )


def test_a_run_that_stopped_before_anything_was_trained_has_no_report(script: Script) -> None:
    script.started()
    script.generation(0)
    out = console()
    print_stopped(script.run, "interrupted", out)
    assert "0 of 14 trainings done; nothing trained yet" in written(out)
    assert "eport" not in written(out)
    assert not (script.run.folder / "report.md").exists()
    assert print_summary(script.run, out) == 1
    assert "No candidate could be trained." in written(out)
    assert "g0-02  before training  refused" in written(out)


def test_a_full_disk_keeps_the_report_back_and_not_the_reason(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.search()

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    out = console()
    print_stopped(script.run, "interrupted", out)
    assert written(out).endswith(f"Go on with: eureka resume {script.run.folder}\n")
