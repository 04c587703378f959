"""Building blocks of pages on a terminal: sections, names with values, tables, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from eureka_loop.report import text
from eureka_loop.report.terminal import WIDEST, Lines

GAP = "  "  # between a name and its value
LONG = 24  # characters from which a cell may be wrapped
NUMBER = re.compile(r"[-+<]?[\d,.]+(e[-+]\d+)?[%kMG]?( s| min)?")


def section(title: str, body: RenderableType, remark: str = "") -> Group:
    """An empty line, a heading with a remark, the indented body."""
    head = Text(text.one_line(title), style="bold")
    if remark:
        head = Text.assemble(head, (f"  {text.one_line(remark)}", "dim"))
    return Group(Text(), head, Lines(body, indent=2))


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a line; long values are wrapped, unbroken ones stay whole."""

    pairs: tuple[tuple[str, Text], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max((len(name) for name, _ in self.pairs), default=0)
        room = max(1, options.max_width - width - len(GAP))
        for name, value in self.pairs:
            lines = [value] if value.no_wrap else value.wrap(console, room)
            for head, line in zip_longest([name], lines, fillvalue=""):
                yield Text.assemble((f"{head:{width}}", "dim"), GAP, line, no_wrap=True, overflow="ignore")


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Facts:
    """Names and values; empty values are left out."""
    shown = ((name, as_text(value)) for name, value in pairs)
    return Facts(tuple((name, value) for name, value in shown if value))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines: numbers to the right, long cells wrapped. Cells are text, never markup."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    cells = [[as_text(cell) for cell in row] for row in rows]
    for index, head in enumerate(heads):
        column = [row[index].plain for row in cells if index < len(row)]
        numeric = 2 * sum(NUMBER.fullmatch(cell) is not None for cell in column) > len(column)
        wrapped = any(len(cell) > LONG for cell in column)
        made.add_column(head, justify="right" if numeric else "left", no_wrap=not wrapped)
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


def unbroken(line: object) -> Text:
    """A path or a command, neither wrapped nor cut: it is copied, or clicked on, as one."""
    return Text(text.one_line(str(line)), no_wrap=True, overflow="ignore")


def cut(line: Text) -> Text:
    """One line, cut at the edge of the screen."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
