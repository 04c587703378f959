"""Reports of one file each, rendered from Jinja2 templates that lie in the package beside the code.

A template escapes all that it shows, in HTML as HTML and in Markdown as Markdown, unless it is `Markup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from eureka_loop.report import text

STYLE = ("eureka_loop.report.compare", "page.css")  # of all reports


def render(package: str | None, name: str, **values: object) -> str:
    """The template of that name, an `.html.j2` or `.md.j2` file of the package.

    Args:
        values: variables of the template, beside `style` and the functions `svg`, `table`, `fenced`.
    """
    environment = _environment(str(package), markdown=name.endswith(".md.j2"))
    return environment.get_template(name).render(style=Markup(_resource(*STYLE)), **values)


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


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment(package: str, *, markdown: bool) -> jinja2.Environment:
    def finalize(value: object) -> object:
        if isinstance(value, Markup):
            return value
        return escaped(str(value)) if markdown else text.clean(str(value))

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _resource(package, name)),
        autoescape=not markdown,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"svg": Markup, "table": table, "fenced": fenced}
    environment.filters["raw"] = Markup
    return environment
