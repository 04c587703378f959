"""The console that everything is printed on: what is shown is text, never markup."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

LOOKING = "trying the sandbox, looking at the environment"


def terminal(*, stderr: bool = False) -> Console:
    """A console without markup, emoji codes or guessed colours; NO_COLOR and TERM=dumb are respected."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that can't show `★` must not end a run
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


@contextlib.contextmanager
def waiting(words: str, console: Console | None = None, *, log: Console | None = None) -> Iterator[None]:
    """Say what takes its time, where somebody watches; it is gone again when it is done.

    Args:
        console: default: standard error.
        log: told in a line, where nobody watches.
    """
    console = console or terminal(stderr=True)
    if can_redraw(console):
        with console.status(Text(words)):
            yield
    else:
        if log is not None:
            log.print(Text(f"{words}…"), soft_wrap=True)
        yield


def can_redraw(console: Console) -> bool:
    """Whether the console is a real terminal: FORCE_COLOR in a pipe asks for colours, not for a table."""
    return console.is_interactive and bool(getattr(console.file, "isatty", lambda: False)())


def show(renderable: RenderableType, console: Console | None = None) -> None:
    """Print a page. What its parts leave longer than a line is not cut off: a path is there to be copied."""
    (console or terminal()).print(Trimmed(renderable), crop=False)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Without the blanks that fill up lines: they would be copied, and stand in files."""

    body: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in Segment.split_lines(console.render(self.body, options)):
            while line and not line[-1].text.strip():
                line.pop()
            yield from line[:-1]
            yield from (Segment(each.text.rstrip(), each.style) for each in line[-1:])
            yield Segment.line()
