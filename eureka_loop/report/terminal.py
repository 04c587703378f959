"""The console that everything is printed on: what is shown is text, never markup."""

from __future__ import annotations

import io
import sys

from rich.console import Console, RenderableType


def terminal(*, stderr: bool = False) -> Console:
    """A console without markup, emoji codes or guessed colours; NO_COLOR and TERM=dumb are respected."""
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that can't show `★` must not end a run
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def show(renderable: RenderableType, console: Console | None = None) -> None:
    """Print a page. What its parts leave longer than a line is not cut off: code is there to be copied."""
    (console or terminal()).print(renderable, crop=False)
