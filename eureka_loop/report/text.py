"""Words and numbers fit to be shown, whoever wrote them.

A note, an error message or a program may come from a language model. Here nothing in it can move the cursor,
change a colour, ring the bell or turn the reading direction: such characters are shown as escapes (`\\x1b`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

UNKNOWN = "–"  # shown where there is no number: not finished, not defined

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but newline and tab, DEL
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen; direction
    "\ud800-\udfff"  # lone surrogates: they can't be written as UTF-8
    "\U000e0000-\U000e0fff]"  # tags and variation selectors: unseen
)


def clean(text: str) -> str:
    """The same text, lines and all, with everything that a terminal would obey made visible."""
    text = text.replace("\r\n", "\n").expandtabs(4)
    return _UNSAFE.sub(_escape, text)


def one_line(text: str, limit: int = 0) -> str:
    """Clean text on one line, at most `limit` characters where given."""
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def number(value: float | None) -> str:
    """Four significant digits, in plain notation where that is readable."""
    return numbers([value])[0]


def numbers(values: Iterable[float | None], like: Iterable[float | None] = ()) -> list[str]:
    """A column of numbers with the same number of decimals, so that they can be compared at a glance.

    Args:
        like: more numbers that are shown beside them, and share their decimals.
    """
    column = list(values)
    known = [abs(value) for value in (*column, *like) if value is not None and math.isfinite(value)]
    largest = max(known, default=0.0)
    if largest and (largest < 1e-3 or largest >= 1e9):
        return [UNKNOWN if value is None else f"{value:.2e}" for value in column]
    decimals = 2 if not largest else min(5, max(0, 3 - math.floor(math.log10(largest))))
    return [UNKNOWN if value is None else f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in column]


def count(value: float) -> str:
    """Steps or tokens, to three digits at most: 850, 9.5k, 62k, 1.25M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            digits = f"{value / size:.{2 if value < 10 * size else 1 if value < 100 * size else 0}f}"
            return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + unit
    return f"{value:.0f}"


def percent(value: float | None) -> str:
    """A share in [0, 1]."""
    return UNKNOWN if value is None else f"{100 * value:.0f}%"


def money(usd: float) -> str:
    """US dollars, with the digits that small sums need."""
    return f"${usd:,.2f}" if usd >= 0.1 or not usd else f"${usd:.4f}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
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


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def series(values: Sequence[int]) -> str:
    """Few as they are; many as a range."""
    if len(values) < 4:
        return ", ".join(map(str, values))
    step = values[1] - values[0]
    return f"{values[0]} to {values[-1]}" + (f" in steps of {step}" if step > 1 else "")
