"""Pages that are one file, made from a template and a style sheet that lie in a package beside the code."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

STYLE = ("eureka_loop.report.compare", "page.css")  # the one of all reports


def render(package: str, **values: object) -> str:
    """The package's page.html.j2; it escapes whatever isn't `Markup`.

    Args:
        values: what the template names; `style` is there already.
    """
    return (
        _environment(package).get_template("page.html.j2").render(style=Markup(_resource(*STYLE)), **values)
    )


def _resource(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment(package: str) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _resource(package, name)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
