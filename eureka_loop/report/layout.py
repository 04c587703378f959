"""Pages on a terminal: the console, and sections, names with values, tables, code.

Everything is text, never markup; in a pipe lines are whole.
"""

from __future__ import annotations

import contextlib
import io
import os
import pydoc
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from eureka_loop import text

LOOKING = "trying the sandbox, looking at the environment"
WIDEST = 10_000  # columns of a page in a pipe or a file
NUMBER = re.compile(r"[-+<]?[\d,.]+(e[-+]\d+)?[%kMG]?( s| min)?")
BLANKS = re.compile(r"(?:\x1b\[[\d;]*m| )+$", re.MULTILINE)


class Terminal(Console):
    """A console on which text moves, colours and rings nothing, wherever it came from: see `text.clean`."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            inert = segment.control or segment.text.isprintable()
            yield segment if inert else segment._replace(text=text.clean(segment.text))


def terminal(*, stderr: bool = False) -> Console:
    """A console without markup, emoji codes or highlighting; NO_COLOR and TERM=dumb are respected."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that can't show `★` must not end a run
    return Terminal(stderr=stderr, markup=False, emoji=False, highlight=False)


@contextlib.contextmanager
def waiting(message: str, console: Console | None = None, *, log: Console | None = None) -> Iterator[None]:
    """Show a spinner with a message on a terminal; elsewhere print the message to `log`, if given."""
    console = console or terminal(stderr=True)
    if can_redraw(console):
        with console.status(Text(message)):
            yield
        return
    if log is not None:
        log.print(Text(f"{message}…"), soft_wrap=True)
    yield


def can_redraw(console: Console) -> bool:
    """Whether the console is a real terminal: FORCE_COLOR in a pipe asks for colours, not for a table."""
    return console.is_interactive and console.file.isatty()


def show(page: RenderableType, console: Console | None = None, *, paged: bool = False) -> None:
    """Print a page without trailing blanks: as wide as the screen; in a pipe no line is wrapped.

    Args:
        paged: on a terminal, show it in $PAGER.
    """
    console = console or terminal()
    width = console.width
    console.width = width if can_redraw(console) else WIDEST
    with console.capture() as printed:
        console.print(page, crop=False)
    console.width = width
    written = BLANKS.sub(lambda found: found[0].replace(" ", ""), printed.get())
    if paged and can_redraw(console):
        os.environ.setdefault("LESS", "-FRX")  # colours, and no waiting where it fits on the screen
        pydoc.pager(written)
        return
    console.file.write(written)
    console.file.flush()


def print_lines(*lines: str, console: Console | None = None) -> None:
    """Print lines whole, however long: paths and commands are there to be copied."""
    (console or terminal()).print(Text("\n".join(map(text.clean, lines))), soft_wrap=True)


def section(title: str, body: RenderableType, remark: str = "") -> Group:
    """An empty line, a heading with a remark, the indented body."""
    head = Text.assemble(
        (text.one_line(title), "bold"), (f"  {text.one_line(remark)}" if remark else "", "dim")
    )
    return Group(Text(), head, Padding(body, (0, 0, 0, 2)))


def facts(pairs: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and values, one pair a line; empty values are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(name, _as_text(value))
    return grid


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines, columns of numbers to the right. Cells are text, never markup."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    cells = [[_as_text(cell) for cell in row] for row in rows]
    for index, head in enumerate(heads):
        column = [row[index].plain for row in cells if index < len(row)]
        numeric = 2 * sum(NUMBER.fullmatch(cell) is not None for cell in column) > len(column)
        made.add_column(head, justify="right" if numeric else "left")
    for row in cells:
        made.add_row(*row)
    return made


def _as_text(value: str | Text) -> Text:
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
