"""Numbers, counts, durations and sums of money as text, for screens, reports, prompts and messages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

UNKNOWN = "–"  # shown where there is no number: not finished, not defined


def number(value: float | None) -> str:
    """Four significant digits, trailing zeros kept: "4.500", "12,346"; "–" for None."""
    return column([value])[0]


def column(values: Iterable[float | None], like: Iterable[float | None] = ()) -> list[str]:
    """A column of numbers with the same number of decimals.

    Args:
        like: more numbers, shown in other columns, that take part in choosing the decimals.
    """
    cells = list(values)
    known = [abs(value) for value in (*cells, *like) if value is not None and math.isfinite(value)]
    largest = _rounded(max(known, default=0.0), 4)
    if largest and not 1e-3 <= largest < 1e9:
        return [UNKNOWN if value is None else f"{value:.2e}" for value in cells]
    decimals = 2 if not largest else min(5, max(0, 3 - math.floor(math.log10(largest))))
    return [UNKNOWN if value is None else f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in cells]


def compact(value: float | None, digits: int = 3) -> str:
    """At most `digits` significant digits, trailing zeros dropped: "0.00123", "12.3", "1234", "1.2e+07"."""
    if value is None:
        return UNKNOWN
    rounded = _rounded(value, digits) + 0.0  # -0.0 + 0.0 is 0.0
    return f"{value:.0f}" if 10**digits <= abs(rounded) < 1e6 else f"{rounded:.{digits}g}"


def count(value: float) -> str:
    """Steps or tokens in at most three significant digits: "850", "9.5k", "62k", "1.25M"."""
    rounded = _rounded(value, 3)
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if rounded >= size:
            return f"{rounded / size:.6g}{unit}"
    return f"{rounded:.0f}"


def percent(value: float | None) -> str:
    """A share in [0, 1]: "67%"; a small one that isn't nothing: "<1%"."""
    if value is None:
        return UNKNOWN
    return "<1%" if 0 < value < 0.005 else f"{100 * value:.0f}%"


def money(usd: float) -> str:
    """US dollars, with four decimals below ten cents."""
    return f"${usd:,.2f}" if usd >= 0.1 or not usd else f"${usd:.4f}"


def duration(seconds: float) -> str:
    """A length of time in its one or two largest units: "65 s", "12 min", "3 h 05 min", "2 d 4 h"."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def plural(amount: int, noun: str) -> str:
    """ "1 seed", "3 seeds", "3 searches"."""
    ending = "" if amount == 1 else "es" if noun.endswith("ch") else "s"
    return f"{amount:,} {noun}{ending}"


def series(values: Sequence[int]) -> str:
    """Few integers as a list, four or more as a range: "0 to 900 in steps of 100"."""
    if len(values) < 4:
        return ", ".join(map(str, values))
    step = values[1] - values[0]
    return f"{values[0]} to {values[-1]}" + (f" in steps of {step}" if step > 1 else "")


def _rounded(value: float, digits: int) -> float:
    """To significant digits, so that a unit or a number of decimals is chosen for what is shown."""
    return float(f"{value:.{digits - 1}e}")
