"""The summary on the screen when a comparison has ended, or was stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop import numbers
from eureka_loop.report import layout, text
from eureka_loop.report.compare import view
from eureka_loop.report.compare.results import ComparisonResults, Part
from eureka_loop.report.terminal import print_lines, show

WIDE, NARROW = (0, 1, 2, 3, 6), (0, 1, 3, 6)  # columns of `view.HEADS`
STYLES = {"better": "green", "worse": "red"}


def print_summary(folder: Path, paths: Sequence[Path], console: Console | None = None) -> None:
    """Print the verdict, the numbers behind it, and the paths of the reports."""
    show(summary(ComparisonResults.of(folder)), console)
    print_lines("", *(f"Report: {path}" for path in paths), console=console)


def summary(found: ComparisonResults) -> RenderableType:
    """The verdict, then the table of each algorithm."""
    style = f"bold {STYLES.get(found.headline, 'yellow')}"
    head = Text("\n".join(text.one_line(line) for line in found.lines), style=style)
    seeds = numbers.plural(found.setup.seeds, "fresh seed")
    parts: list[RenderableType] = [
        Text(),
        head,
        *([Text(found.caution, style="dim")] if found.caution else []),
    ]
    for part in found.parts:
        title = f"{found.setup.task.name}, {part.name}, {found.setup.config.steps:,} steps, {seeds}"
        table = layout.FirstThatFits((_table(part, WIDE), _table(part, NARROW)))
        parts.append(layout.section(title, Group(table, Text(), *_lines(part))))
    parts.append(layout.section("Cost", Text(view.cost(found))))
    return Group(*parts)


def _table(part: Part, columns: Sequence[int]) -> Table:
    cells = [[line[index] for index in columns] for line in view.rows(part)]
    return layout.table([view.HEADS[index] for index in columns], cells)


def _lines(part: Part) -> Iterator[Text]:
    """Verdicts on all but the reference of the headline; correlations; why there is no video."""
    for other in part.results[1:]:
        if other is not part.reference:
            found, why = part.comparison.verdict(other)
            line = text.one_line(f"Against {other.label}: {found}: {why}")
            yield Text(line, style=STYLES.get(found, "yellow"))
    for agreement, other in part.agreements:
        if agreement.pearson is not None:
            line = f"Correlation with {other.label} on shared transitions: {agreement.pearson:+.2f}"
            yield Text(text.one_line(line))
    films, why_not = part.films
    if not films:
        yield Text(text.one_line(f"No video: {why_not}"), style="dim")
