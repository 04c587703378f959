"""Lines as somebody wrote them: programs, prompts, paths. None is broken in the midst of a word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.syntax import Syntax
from rich.text import Text

from eureka_loop.report import text
from eureka_loop.report.terminal import can_redraw

COMMENT = "# "


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines as they were written.

    A line too long for the screen goes on below, deeper, broken between words and not wherever the screen
    ends. In a pipe or a file it stays whole.
    """

    lines: tuple[Text, ...]
    deeper: int  # columns
    numbered: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        digits = len(str(len(self.lines)))
        for number, line in enumerate(self.lines, start=1):
            gutter = f"{number:{digits}} " if self.numbered else ""
            room = options.max_width - len(gutter)
            for piece in fitted(line, console, room, self.deeper) if can_redraw(console) else [line]:
                yield unbroken(Text.assemble((gutter, "dim"), piece))
                gutter = " " * len(gutter)


def fitted(line: Text, console: Console, width: int, deeper: int) -> list[Text]:
    """A line in pieces that fit, the first as deep as it was; the comment at its end comes below it."""
    if line.cell_len <= width:
        return [line]
    depth = len(line.plain) - len(line.plain.lstrip(" +-"))  # a diff's marks, an item's dash
    if (end := line.plain.find(f"  {COMMENT}", depth)) > 0:
        comment = Text.assemble(" " * (depth + deeper), line[end + 2 :])
        return [*fitted(line[:end], console, width, deeper), *fitted(comment, console, width, 0)]
    head = " " * (depth + deeper) + (COMMENT if line.plain.startswith(COMMENT, depth) else "")
    first, *rest = line[depth:].wrap(console, max(1, width - len(head)))
    goes_on = (Text.assemble((head, line.style), piece) for piece in rest)
    return [Text.assemble(line[:depth], first), *goes_on]


def code(source: str, *, numbered: bool = True) -> Lines:
    """Python, highlighted in the terminal's own colours."""
    python = Syntax("", "python", theme="ansi_dark", background_color="default")
    shown = python.highlight(text.clean(source).rstrip("\n"))
    shown.rstrip()
    return Lines(tuple(shown.split("\n")), deeper=4, numbered=numbered)


def verbatim(words: str) -> Lines:
    """Text whose lines are to be copied, or stand under one another."""
    return Lines(tuple(paragraph(words).split("\n", allow_blank=True)), deeper=2)


def paragraph(words: str, style: str = "") -> Text:
    """Text of several lines, as written."""
    return Text(text.clean(words).strip("\n"), style=style)


def path(where: Path) -> Text:
    """Where a file is, in one piece."""
    return unbroken(Text(text.one_line(str(where))))


def unbroken(words: Text) -> Text:
    """What is too long for the screen is one line still: it is copied, or clicked on, as one."""
    words.no_wrap, words.overflow = True, "ignore"
    return words
