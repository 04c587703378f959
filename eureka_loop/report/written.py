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
            fits = len(gutter) + line.cell_len <= options.max_width or not can_redraw(console)
            pieces = [line] if fits else broken(line, console, options.max_width - len(gutter), self.deeper)
            for piece in pieces:
                yield unbroken(Text.assemble((gutter, "dim"), piece))
                gutter = " " * len(gutter)


def broken(line: Text, console: Console, width: int, deeper: int) -> list[Text]:
    """A line in pieces that fit, the first as deep as it was; a comment goes on as a comment."""
    depth = len(line.plain) - len(line.plain.lstrip(" +-"))  # a diff's marks, an item's dash
    first, *rest = line[depth:].wrap(console, max(1, width - depth - deeper - len(COMMENT)))
    pieces, before = [Text.assemble(line[:depth], first)], first.plain
    for piece in rest:
        head = " " * (depth + deeper) + (COMMENT if COMMENT in before else "")
        pieces.append(Text.assemble((head, line.style), piece))
        before += piece.plain
    return pieces


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
