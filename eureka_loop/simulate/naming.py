"""Names of a model's elements as words of Python, without clashes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def identifier(name: str) -> str:
    """Colons, dots and the like become underscores."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def family(name: str) -> str:
    """What siblings share: "right_hip" of "right_hip_x", "hip" of "hip_1", "robot0_FFJ" of "robot0_FFJ3"."""
    return re.sub(r"(_[xyz]|_?\d+)$", "", name) or name


class Namer:
    """Hands out names; whoever comes later gets its kind as a suffix."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def name(self, element: str, kind: str, index: int, patterns: Sequence[str]) -> str:
        """The word for an element ("robot0:palm" → "robot0_palm"), free in every pattern ("{}_pos").

        Args:
            element: its name in the model; "" for a nameless one.
            kind: "body", "joint", "site", "geom" or "sensor".
            index: the model's, the last resort of two elements of one kind.
        """
        clean = identifier(element) if element else f"{kind}{index}"
        clean = f"{kind}_{clean}" if clean[0].isdigit() and not patterns[0].startswith("sensor_") else clean
        for word in (clean, f"{clean}_{kind}", f"{clean}_{kind}{index}"):
            names = {pattern.format(word) for pattern in patterns}
            if not names & self._taken:
                break
        self._taken |= names
        return word
