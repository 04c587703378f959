"""Python as HTML: lines, escaped, with keywords, strings, comments and numbers marked."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator

from markupsafe import Markup, escape

from eureka_loop.report import text

CLASSES = {tokenize.STRING: "t", tokenize.COMMENT: "c", tokenize.NUMBER: "n"}  # in the page's style sheet
Mark = tuple[int, int, str]  # first column, column after the last, class


def highlighted(source: str) -> list[Markup]:
    """One piece of HTML a line; a text that isn't Python is shown without marks."""
    lines = text.clean(source).rstrip("\n").split("\n")
    marks: list[list[Mark]] = [[] for _ in lines]
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            for row, mark in _marks(token, lines):
                marks[row].append(mark)
    except (tokenize.TokenError, SyntaxError):
        marks = [[] for _ in lines]
    return [_marked(line, found) for line, found in zip(lines, marks, strict=True)]


def _marks(token: tokenize.TokenInfo, lines: list[str]) -> Iterator[tuple[int, Mark]]:
    """Row and mark for each line that a token touches."""
    kind = "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else CLASSES.get(token.type)
    if kind is None:
        return
    (first, start), (last, end) = token.start, token.end
    for row in range(first, last + 1):
        left, right = start if row == first else 0, end if row == last else len(lines[row - 1])
        if right > left:
            yield row - 1, (left, right, kind)


def _marked(line: str, marks: list[Mark]) -> Markup:
    done, html = 0, Markup("")
    for start, end, kind in marks:
        html += escape(line[done:start]) + Markup('<span class="{}">{}</span>').format(kind, line[start:end])
        done = end
    return html + escape(line[done:])
