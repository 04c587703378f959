"""The few shapes that every report is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from eureka_loop.report import text
from eureka_loop.report.written import unbroken

INDENT = "  "
GAP = "  "  # between a fact's name and its value
WIDEST = 1_000  # columns of any table, were there room for it


def section(title: str, body: RenderableType, remark: str = "") -> Group:
    """A heading, what to know about it, and what stands under it, indented; an empty line above."""
    head = Text.assemble(
        (text.one_line(title), "bold"), (f"  {text.one_line(remark)}" if remark else "", "dim")
    )
    return Group(Text(), head, Indented(body))


@dataclass(frozen=True, slots=True)
class Indented:
    """Two columns to the right; a line that is longer than the screen stays one line."""

    body: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update_width(max(1, options.max_width - len(INDENT)))
        for line in Segment.split_lines(console.render(self.body, inner)):
            if any(segment.text.strip() for segment in line):
                yield Segment(INDENT)
                yield from line
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a line. A long value goes on below; an unbroken one stays whole."""

    pairs: tuple[tuple[str, Text], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max((len(name) for name, _ in self.pairs), default=0)
        room = max(1, options.max_width - width - len(GAP))
        for name, value in self.pairs:
            lines = [value] if value.no_wrap else value.wrap(console, room)
            for head, line in zip_longest([name], lines, fillvalue=""):
                yield unbroken(Text.assemble((f"{head:{width}}", "dim"), GAP, line))


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Facts:
    """Names and values; empty values are left out."""
    shown = (
        (name, value if isinstance(value, Text) else Text(text.one_line(value))) for name, value in pairs
    )
    return Facts(tuple((name, value) for name, value in shown if value))


def columns(*heads: tuple[str, str]) -> Table:
    """A table without lines. Each head: its words, and "left", "right" or "rest" (what is left; wraps)."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for words, kind in heads:
        rest = kind == "rest"
        table.add_column(
            words, justify="right" if kind == "right" else "left", no_wrap=not rest, ratio=1 if rest else None
        )
    return table


@dataclass(frozen=True, slots=True)
class FirstThatFits:
    """The first of these that no line of is wider than the screen; else the last."""

    choices: tuple[RenderableType, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update_width(WIDEST)
        fitting = (
            each for each in self.choices if Measurement.get(console, wide, each).maximum <= options.max_width
        )
        yield next(fitting, self.choices[-1])


def row(table: Table, cells: Sequence[str | Text], style: str = "") -> None:
    """Add cells as text: a string is never markup."""
    table.add_row(
        *(cell if isinstance(cell, Text) else Text(text.one_line(cell)) for cell in cells), style=style
    )
