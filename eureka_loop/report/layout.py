"""Building blocks of pages on a terminal: sections, names with values, tables, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from eureka_loop.report import text
from eureka_loop.report.terminal import WIDEST, Lines

NUMBER = re.compile(r"[-+<]?[\d,.]+(e[-+]\d+)?[%kMG]?( s| min)?")


def section(title: str, body: RenderableType, remark: str = "") -> Group:
    """An empty line, a heading with a remark, the indented body."""
    head = Text(text.one_line(title), style="bold")
    if remark:
        head = Text.assemble(head, (f"  {text.one_line(remark)}", "dim"))
    return Group(Text(), head, Lines(body, indent=2))


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and values, one pair a line; empty values are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(name, as_text(value))
    return grid


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines, columns of numbers to the right. Cells are text, never markup."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    cells = [[as_text(cell) for cell in row] for row in rows]
    for index, head in enumerate(heads):
        column = [row[index].plain for row in cells if index < len(row)]
        numeric = 2 * sum(NUMBER.fullmatch(cell) is not None for cell in column) > len(column)
        made.add_column(head, justify="right" if numeric else "left")
    for row in cells:
        made.add_row(*row)
    return made


def as_text(value: str | Text) -> Text:
    return value if isinstance(value, Text) else Text(text.one_line(value))


@dataclass(frozen=True, slots=True)
class FirstThatFits:
    """The first of these that is no wider than the screen; else the last."""

    choices: tuple[RenderableType, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update_width(WIDEST)
        widths = ((Measurement.get(console, wide, each).maximum, each) for each in self.choices)
        yield next((each for width, each in widths if width <= options.max_width), self.choices[-1])


def code(source: str, *, numbered: bool = True, language: str = "python") -> Syntax:
    """A program or a diff in the terminal's own colours; long lines are folded between words."""
    return Syntax(
        text.clean(source).strip("\n"),
        language,
        theme="ansi_dark",
        background_color="default",
        line_numbers=numbered,
        word_wrap=True,
    )


def paragraph(written: str) -> Text:
    """Text of several lines, wrapped where needed."""
    return Text(text.clean(written).strip("\n"))


def unbroken(name: str, value: object) -> Text:
    """A name with a path or a command that is neither wrapped nor cut, so that it can be copied."""
    return Text.assemble((f"{name}  ", "dim"), text.one_line(str(value)), no_wrap=True, overflow="ignore")


def cut(line: Text) -> Text:
    """One line, cut at the edge of the screen."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
