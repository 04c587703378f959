"""Reports of one file each, rendered from Jinja2 templates of this package.

A template escapes all that it shows, in HTML as HTML and in Markdown as Markdown, unless it is `Markup`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from eureka_loop import files, numbers, text

REPORTS = ("report.html", "report.md")


def render(folder: str, names: Sequence[str] = REPORTS, /, **values: object) -> dict[str, str]:
    """Reports by name, from the templates in a folder of this package; see `_environment` for functions."""
    return {
        name: _environment(markdown=name.endswith(".md")).get_template(f"{folder}{name}.j2").render(**values)
        for name in names
    }


def write(folder: Path, documents: Mapping[str, str]) -> list[Path]:
    """Write reports and figures, by their paths in the folder; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    for name, content in documents.items():
        files.write_text(folder / name, content)
    return [folder / name for name in documents if name.startswith("report.")]


def escaped(foreign: str) -> str:
    """One line that Markdown and HTML take for text."""
    line = text.one_line(foreign).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#>$])", r"\\\1", line)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A Markdown table of text."""
    lines = [f"| {' | '.join(map(escaped, cells))} |" for cells in (heads, *rows)]
    return Markup("\n".join([lines[0], f"|{'---|' * len(heads)}", *lines[1:]]))


def fenced(source: str, language: str = "python") -> Markup:
    """A program in a Markdown fence longer than any in the program."""
    ticks = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, ticks + 1)
    return Markup("\n".join([f"{fence}{language}", text.clean(source).strip("\n"), fence]))


def embedded(path: Path) -> str:
    """A video or a picture as an address that holds all of it."""
    kind = "video/mp4" if path.suffix == ".mp4" else "image/png"
    return f"data:{kind};base64,{base64.b64encode(files.read_bytes(path)).decode('ascii')}"


@cache
def _environment(*, markdown: bool) -> jinja2.Environment:
    def finalize(value: object) -> object:
        if isinstance(value, Markup):
            return value
        return escaped(str(value)) if markdown else text.clean(str(value))

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eureka_loop.report", "."),
        autoescape=not markdown,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"svg": Markup, "table": table, "fenced": fenced, "embedded": embedded}
    environment.globals |= {"number": numbers.number, "column": numbers.column, "series": numbers.series}
    environment.globals |= {"plural": numbers.plural, "unified": text.unified}
    environment.filters["raw"] = Markup
    return environment
