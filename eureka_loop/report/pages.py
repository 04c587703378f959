"""Reports of one file each, rendered from Jinja2 templates that lie in the package beside the code.

A template escapes all that it shows, in HTML as HTML and in Markdown as Markdown, unless it is `Markup`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from eureka_loop.report import figures, markdown, text

STYLE = ("eureka_loop.report.compare", "page.css")  # of all reports


def render(package: str | None, name: str, **values: object) -> str:
    """The template of that name, an `.html.j2` or `.md.j2` file of the package.

    Args:
        values: variables of the template; `style` is there already, and functions `svg`, `table`, `fenced`.
    """
    environment = _environment(str(package), markdown=name.endswith(".md.j2"))
    return environment.get_template(name).render(style=Markup(_resource(*STYLE)), **values)


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment(package: str, *, markdown: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _resource(package, name)),
        autoescape=not markdown,
        finalize=_escaped if markdown else _cleaned,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"svg": _svg, "table": _table, "fenced": _fenced}
    return environment


def _cleaned(value: object) -> object:
    return value if isinstance(value, Markup) else text.clean(str(value))


def _escaped(value: object) -> object:
    return value if isinstance(value, Markup) else markdown.escaped(str(value))


def _svg(figure: str) -> Markup:
    return Markup(figures.inline(figure))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    return Markup("\n".join(markdown.table([markdown.escaped(head) for head in heads], rows)))


def _fenced(source: str, language: str = "python") -> Markup:
    return Markup("\n".join(markdown.fenced(source, language)))
