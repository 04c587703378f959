"""What stands on the screen when a run has ended."""

from __future__ import annotations

import contextlib
import shlex

from rich.console import Console, Group, RenderableType
from rich.text import Text

from eureka_loop.errors import RunError
from eureka_loop.report import layout, standings, text, written
from eureka_loop.report.comparison import compared
from eureka_loop.report.facts import Facts
from eureka_loop.report.inspect import failures_table, progress, spent
from eureka_loop.report.markdown import write_report
from eureka_loop.report.terminal import show, terminal
from eureka_loop.store import Run


def print_summary(run: Run, console: Console | None = None) -> int:
    """Write the report, show the winner; the exit code: 0, or 1 where nothing could be trained.

    Raises:
        RunError: the report can't be written.
    """
    path = write_report(run)
    console = console or terminal()
    show(summary(run), console)
    found = Facts.of(run)
    best = found.best
    lines = [f"Reward: {run.candidate_folder(best.id) / 'reward.py'}"] if best else []
    console.print(Text("\n".join(["", *lines, f"Report: {path}"])), soft_wrap=True)  # paths stay whole
    return 0 if best or found.stopped else 1


def print_stopped(run: Run, reason: str, console: Console | None = None) -> None:
    """Say why a run stopped, what it has, and how to go on; what was trained is in a report by then."""
    found = Facts.of(run)
    best = found.ranking[0] if found.ranking else None
    reached = "nothing trained yet"
    if best is not None:
        reached = f"best so far {best.candidate.id}, fitness {text.number(best.fitness)}"
    lines = [
        f"Stopped: {text.one_line(reason)}",
        f"{progress(found.board)}; {reached}",
        f"Go on with: eureka resume {shlex.quote(str(run.folder))}",
    ]
    if best is not None:
        with contextlib.suppress(RunError):  # a full disk may be why it stopped
            lines.append(f"Report so far: {write_report(run, picture=False)}")
    (console or terminal()).print(Text("\n".join(lines)), soft_wrap=True)


def summary(run: Run) -> RenderableType:
    """The winner's code, and its fitness beside the hand-written and the sparse reward."""
    found = Facts.of(run)
    best = found.best
    if best is None:
        head = Text("No candidate could be trained.", style="bold red")
        return Group(Text(), head, *([failures_table(found.failed)] if found.failed else []))
    comparison = compared(found)
    parts: list[RenderableType] = [
        layout.section(
            f"Winner: {best.id}", written.code(best.source, numbered=False), text.one_line(best.note, 60)
        ),
    ]
    if any(each.evaluated.results for each in comparison.results):
        body = Group(standings.standings_table(comparison), Text(), *standings.lines(comparison))
        remark = f"on fresh seeds, {found.config.steps:,} steps each"
        parts.append(layout.section("Fitness", body, remark))
    else:
        value = text.number(found.ranking[0].fitness) if found.ranking else text.UNKNOWN
        parts.append(
            layout.section("Fitness", Text(f"{value} on the search's seeds; no report was asked for"))
        )
    parts.append(layout.section("Cost", Text(spent(found))))
    return Group(*parts)
