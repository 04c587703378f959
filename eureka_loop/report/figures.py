"""Figures by matplotlib as SVG text, for files and for pages."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from eureka_loop import numbers, text
from eureka_loop.judge.learning import Curves, band
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array

SERIES = ("#0068a8", "#c8500a", "#0a8a63", "#a8508a", "#93700a", "#4a62c8")  # as in page.css
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 3)), (0, (9, 3)))
WIDTH, HEIGHT = 4.8, 2.8  # inches, of a figure beside others
OTHER, INK, SOFT, FAINT = "#9a9fa6", "#1b1d21", "#5b6068", "#dfe1e4"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif", "font.size": 9.0,
    "text.color": SOFT, "axes.labelcolor": SOFT, "axes.edgecolor": SOFT,
    "xtick.color": SOFT, "ytick.color": SOFT,
    "axes.titlesize": 9.0, "axes.titlecolor": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": FAINT, "axes.axisbelow": True,
    "lines.linewidth": 1.8, "legend.frameon": False,
}  # fmt: skip


@dataclass(slots=True)
class Drawing:
    """Axes to draw on; `svg` holds the result once the context has ended."""

    axes: list[Any]
    svg: str = ""


@contextmanager
def drawing(width: float, height: float, title: str, *, rows: int = 1, columns: int = 1) -> Iterator[Drawing]:
    """Draw one figure.

    Args:
        width, height: inches.
        title: description for a screen reader; also makes the ids inside unique in a page.
    """
    import matplotlib  # half a second to import: only where a report is made
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    description = text.one_line(title)
    with (
        matplotlib.rc_context({**STYLE, "svg.hashsalt": description}),
        warnings.catch_warnings(action="ignore", category=UserWarning),  # letters that the font lacks
    ):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        found = Drawing(list(figure.subplots(rows, columns, squeeze=False).flat))
        yield found
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    found.svg = _plain(out.getvalue(), description)


def learning(
    found: Sequence[Curves | None], labels: Sequence[str], title: str, *, legend: bool = True
) -> str:
    """Fitness over training: interquartile mean over seeds with its 95% interval; "" without any."""
    if not any(found):
        return ""
    width, height = (7.0, 4.0) if legend else (WIDTH, HEIGHT)
    with drawing(width, height, title) as drawn:
        axes = drawn.axes[0]
        for series, (each, label) in enumerate(zip(found, labels, strict=True)):
            if each is not None:
                shown = f"{label} (n={len(each.fitness)})"
                line(axes, each.steps, band(each, np.random.default_rng(0)), series, label=shown)
        label_counts(axes.xaxis)
        axes.set(xlabel="environment steps", ylabel="fitness while learning")
        if legend:
            axes.legend()
    return drawn.svg


def line(axes: Any, x: Array, curve: tuple[Array, Array, Array], series: int, **style: Any) -> None:
    """A curve with its interval as a band.

    Args:
        curve: value, low, high, (x,) each.
        series: number of its colour and of its dashes.
        style: other arguments of `plot`.
    """
    value, low, high = curve
    colour = SERIES[series % len(SERIES)]
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(x, value, **{"color": colour, "linestyle": DASHES[series % len(DASHES)], **style})


def spread(axes: Any, row: int, values: Sequence[float] | Array, found: Interval, colour: str) -> None:
    """A row of small dots, their interval as a bar, and the interval's value as a large dot."""
    axes.scatter(values, [row] * len(values), s=26, color=colour, alpha=0.4, linewidths=0)
    axes.plot([found.low, found.high], [row, row], color=colour, linewidth=3, alpha=0.75)
    axes.plot(found.value, row, "o", markersize=8, color=colour)


def label_rows(axes: Any, names: Sequence[str]) -> None:
    """Name the rows, the first one on top."""
    axes.set_yticks(range(len(names)), [text.one_line(name, 34) for name in names])
    axes.tick_params(axis="y", labelcolor=INK, length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)


def label_counts(axis: Any) -> None:
    """Label ticks as 50k, 1.25M."""
    axis.set_major_formatter(lambda value, _: numbers.count(value))


def _plain(svg: str, title: str) -> str:
    """Without XML head, size, metadata, group ids and fonts: the page's style sheet sets those."""
    svg = re.sub(r"(?s)<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg[svg.index("<svg") :])
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", svg)
    svg = re.sub(r' width="[^"]*" height="[^"]*"', "", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(title)}"', 1)
