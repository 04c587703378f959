"""The few shapes that every report is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from eureka_loop.report import text

INDENT = "  "
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


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and values, one pair a line; empty values are left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(name, value if isinstance(value, Text) else Text(text.one_line(value)))
    return grid


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


def code(source: str, *, numbered: bool = True) -> Text:
    """Python, highlighted in the terminal's own colours."""
    python = Syntax("", "python", theme="ansi_dark", background_color="default")
    shown = python.highlight(text.clean(source).rstrip("\n"))
    shown.rstrip()
    if numbered:
        lines = shown.split("\n")
        width = len(str(len(lines)))
        numbers = [Text(f"{number:{width}} ", style="dim") for number in range(1, len(lines) + 1)]
        shown = Text("\n").join(
            Text.assemble(number, line) for number, line in zip(numbers, lines, strict=True)
        )
    return unbroken(shown)


def verbatim(words: str) -> Text:
    """Text whose lines are to be copied, or stand under one another: as written, however long."""
    return unbroken(paragraph(words))


def paragraph(words: str, style: str = "") -> Text:
    """Text of several lines, as written."""
    return Text(text.clean(words).strip("\n"), style=style)


def unbroken(words: Text) -> Text:
    """The screen breaks what is too long for it, and knows that it is one line still: it is copied as one."""
    words.no_wrap, words.overflow = True, "ignore"
    return words
