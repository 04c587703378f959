"""Markdown from foreign text: tables, fenced programs, escaped lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from eureka_loop.report import text


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; cells are text."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for cells in rows:
        yield f"| {' | '.join(escaped(cell) for cell in cells)} |"


def fenced(source: str, language: str = "python") -> Iterator[str]:
    """A program in a fence longer than any in the program."""
    ticks = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield from (f"{fence}{language}", text.clean(source).strip("\n"), fence)


def escaped(foreign: str) -> str:
    """One line that Markdown and HTML take for text."""
    line = text.one_line(foreign).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#>$])", r"\\\1", line)
