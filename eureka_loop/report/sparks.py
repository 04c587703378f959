"""Curves and bars of one line's height."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"


def sparkline(values: Sequence[float | None]) -> str:
    """One block a value, from the lowest to the highest; a dot where there is none.

    A constant curve stands in the middle: it has no scale of its own.
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return "".join(GAP if value is None else _block(value, low, high) for value in values)


def bar(share: float, width: int, style: str = "cyan") -> Text:
    """How much of the whole is done; readable without colours, too."""
    halves = round(min(1.0, max(0.0, share)) * 2 * width)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return Text.assemble((done, style), ("─" * (width - len(done)), "dim"))


def _block(value: float, low: float, high: float) -> str:
    if high <= low:
        return BLOCKS[3]
    return BLOCKS[round((value - low) / (high - low) * (len(BLOCKS) - 1))]
