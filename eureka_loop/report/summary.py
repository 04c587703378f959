"""Last lines of a run on the screen: the winner and its fitness, or why the run stopped."""

from __future__ import annotations

import contextlib
import shlex

from rich.console import Console, Group, RenderableType
from rich.text import Text

from eureka_loop import numbers
from eureka_loop.errors import RunError
from eureka_loop.report import inspect, layout, sections, text
from eureka_loop.report.run_data import RunData
from eureka_loop.report.run_report import write_report
from eureka_loop.report.terminal import print_lines, show
from eureka_loop.store import Run


def print_summary(run: Run, console: Console | None = None) -> int:
    """Write the report and show the winner; the exit code: 0, or 1 where nothing could be trained.

    Raises:
        RunError: the report can't be written.
    """
    path, data = write_report(run), RunData.read(run)
    show(summary(data), console)
    best = data.best
    lines = [f"Reward: {run.candidate_folder(best.id) / 'reward.py'}"] if best else []
    print_lines("", *lines, f"Report: {path}", console=console)
    return 0 if best or data.having("stopped") else 1


def print_stopped(run: Run, reason: str, console: Console | None = None) -> None:
    """Say why a run stopped, how far it is and how to resume it; write a report if anything was trained."""
    data = RunData.read(run)
    best = data.ranking[0] if data.ranking else None
    found = f"best so far {best.candidate.id}, fitness {numbers.number(best.fitness)}" if best else ""
    lines = [
        f"Stopped: {reason}",
        f"{sections.progress(data.state)}; {found or 'nothing trained yet'}",
        f"Go on with: eureka resume {shlex.quote(str(run.folder))}",
    ]
    if best is not None:
        with contextlib.suppress(RunError):  # a full disk may be why it stopped
            lines.append(f"Report so far: {write_report(run, picture=False)}")
    print_lines(*lines, console=console)


def summary(data: RunData) -> RenderableType:
    """The winner's code, its fitness beside the references, the cost."""
    best = data.best
    if best is None:
        head = Text("No candidate could be trained.", style="bold red")
        return Group(Text(), head, sections.failures(data.having("failed")).table())
    if any(each.results for each in data.reports):
        fitness, remark = inspect.report(data), f"on fresh seeds, {data.config.steps:,} steps each"
    else:
        value = numbers.number(data.ranking[0].fitness if data.ranking else None)
        fitness, remark = Group(Text(f"{value} on the search's seeds; no report was asked for")), ""
    return Group(
        layout.section(
            f"Winner: {best.id}", layout.code(best.source, numbered=False), text.one_line(best.note, 60)
        ),
        layout.section("Fitness", fitness, remark),
        layout.section("Cost", Text(sections.cost(data))),
    )
