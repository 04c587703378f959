"""The console that everything is printed on: text, never markup; whole lines in a pipe."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from eureka_loop.report.text import clean

LOOKING = "trying the sandbox, looking at the environment"
WIDEST = 10_000  # columns of a page in a pipe or a file


def terminal(*, stderr: bool = False) -> Console:
    """A console without markup, emoji codes or highlighting; NO_COLOR and TERM=dumb are respected."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that can't show `★` must not end a run
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


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
    return console.is_interactive and bool(getattr(console.file, "isatty", lambda: False)())


def show(page: RenderableType, console: Console | None = None) -> None:
    """Print a page: as wide as the screen; in a pipe no line is wrapped."""
    console = console or terminal()
    width = console.width if can_redraw(console) else WIDEST
    console.print(Lines(page, width=width), crop=False)


def print_lines(*lines: str, console: Console | None = None) -> None:
    """Print lines whole, however long: paths and commands are there to be copied."""
    (console or terminal()).print(Text("\n".join(map(clean, lines))), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of `body`, indented, without trailing blanks; one longer than the screen stays one line."""

    body: RenderableType
    indent: int = 0
    width: int = 0  # of the lines; 0: as given

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update_width(max(1, (self.width or options.max_width) - self.indent))
        for line in Segment.split_lines(console.render(self.body, inner)):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                yield Segment(" " * self.indent)
                yield from line[:-1]
                yield Segment(line[-1].text.rstrip(), line[-1].style)
            yield Segment.line()
