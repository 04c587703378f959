"""Drawings as SVG text: no script, no font, no colour of their own; a page's style sheet gives those.

Classes: `s0`, `s1`, ... a series; `line`, `band`, `grid`, `axis`, `tick`, `label`, ... All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from eureka_loop.report import text

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawing's size in px and the ranges of its axes; the margins hold ticks and labels."""

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    left: float = 44
    right: float = 16
    top: float = 8
    bottom: float = 34

    def at(self, x: float, y: float) -> Point:
        """Where a point of the data lies."""
        share_x, share_y = share(x, self.x), share(y, self.y)
        across = self.width - self.left - self.right
        down = self.height - self.top - self.bottom
        return self.left + share_x * across, self.height - self.bottom - share_y * down


def share(value: float, ends: tuple[float, float]) -> float:
    """How far a value lies between two ends."""
    low, high = ends
    return (value - low) / (high - low) if high > low else 0.5


def widened(values: Iterable[float], by: float = 0.05) -> tuple[float, float]:
    """The range of some values with a margin; never of no width."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = (high - low) * by or abs(high) * by or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers within a range: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    size = 10 ** math.floor(math.log10(rough))
    step = next(each * size for each in (1, 2, 2.5, 5, 10) if each * size >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def drawing(frame: Frame, title: str, parts: Iterable[str]) -> str:
    """The whole picture; its title is what a screen reader says."""
    return (
        f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" aria-label="{safe(title)}">'
        f"{''.join(parts)}</svg>"
    )


def axes(
    frame: Frame,
    x_label: str,
    y_label: str = "",
    *,
    x_words: Callable[[float], str] = lambda value: f"{value:g}",
    y_words: Callable[[float], str] = lambda value: f"{value:g}",
    y_ticks: Sequence[float] | None = None,
) -> list[str]:
    """Grid, ticks, labels."""
    parts = []
    floor, left = frame.height - frame.bottom, frame.left
    for value in ticks(*frame.y, most=5) if y_ticks is None else y_ticks:
        y = frame.at(frame.x[0], value)[1]
        parts.append(segment((left, y), (frame.width - frame.right, y), "grid"))
        parts.append(words((left - 6, y + 3.5), y_words(value), "tick", "end"))
    for value in ticks(*frame.x, most=5):
        x = frame.at(value, frame.y[0])[0]
        parts.append(segment((x, floor), (x, floor + 4), "axis"))
        parts.append(words((x, floor + 15), x_words(value), "tick", "middle"))
    parts.append(segment((left, floor), (frame.width - frame.right, floor), "axis"))
    middle = (left + frame.width - frame.right) / 2
    parts.append(words((middle, frame.height - 4), x_label, "label", "middle"))
    if y_label:
        x, y = 10.0, (frame.top + floor) / 2
        parts.append(
            f'<text class="label" text-anchor="middle" transform="translate({x:g},{y:.1f}) rotate(-90)">'
            f"{safe(y_label)}</text>"
        )
    return parts


def path(frame: Frame, points: Sequence[Point], kind: str) -> str:
    """A line through points of the data."""
    return f'<path class="{kind}" d="M{_joined(frame, points)}"/>' if points else ""


def area(frame: Frame, lower: Sequence[Point], upper: Sequence[Point], kind: str) -> str:
    """What lies between two lines."""
    if not lower:
        return ""
    return f'<path class="{kind}" d="M{_joined(frame, [*lower, *reversed(upper)])}Z"/>'


def dot(at: Point, kind: str, radius: float = 3.0, title: str = "") -> str:
    """A point on the picture."""
    said = f"<title>{safe(title)}</title>" if title else ""
    return f'<circle class="{kind}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}">{said}</circle>'


def segment(start: Point, end: Point, kind: str) -> str:
    """A straight line on the picture."""
    return f'<path class="{kind}" d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"/>'


def words(at: Point, said: str, kind: str, anchor: str = "start") -> str:
    """Text on the picture."""
    return f'<text class="{kind}" text-anchor="{anchor}" x="{at[0]:.1f}" y="{at[1]:.1f}">{safe(said)}</text>'


def safe(said: str) -> str:
    """Text as it may stand in an element or an attribute, whoever wrote it."""
    return escape(text.one_line(said), quote=True)


def _joined(frame: Frame, points: Iterable[Point]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in (frame.at(*point) for point in points))
