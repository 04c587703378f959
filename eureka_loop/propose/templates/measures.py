"""What a term can be made of: an observable, one axis of it, or the driven joints of `qpos` and `qvel`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_LEAST = 1e-3  # of a scale: a weight is one over it


@dataclass(frozen=True, slots=True)
class Measure:
    """One array a term can use.

    Attributes:
        parameter: the observable, as a program asks for it.
        code: the expression: "torso_linvel[:, 0]".
        shape: of one row of it: () or (k,).
        axis: "x", "y" or "z" for one axis of the world (of turning: the axis turned about); "" without.
        thing: stems of what it belongs to: {"torso"}; empty where the name says none ("forward_velocity").
        toward: of a way from one thing to another ("hand_to_object"): stems of the latter.
        words: stems of the observable's whole name.
        position: in the order of the vocabulary, 0 to 1; the domain's own names come first.
        flipped: its positive sense is the opposite of the world's ("positive: nose up").
        start, low, high: per component, as surveyed; empty before a survey.
    """

    parameter: str
    code: str
    shape: tuple[int, ...]
    unit: str
    axis: str = ""
    thing: frozenset[str] = frozenset()
    toward: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    position: float = 0.0
    flipped: bool = False
    start: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.code

    @property
    def whole(self) -> bool:
        """The observable as it is, not a part of it."""
        return self.code == self.parameter

    @property
    def prev(self) -> str:
        """The expression for its value before the step."""
        return f"prev_{self.code}"

    @property
    def init(self) -> str:
        """The expression for its value at the episode's start."""
        return f"init_{self.code}"

    @property
    def surveyed(self) -> bool:
        return bool(self.low) and bool(self.high)

    @property
    def varies(self) -> bool:
        """False where random actions never moved it: the sideways speed of a planar robot, a fixed target."""
        ranges = zip(self.low, self.high, strict=True)
        return not self.surveyed or any(high - low > 1e-9 for low, high in ranges)

    @property
    def scale(self) -> float:
        """How far it goes from its start under random actions (root mean square over components), or 1."""
        if not self.surveyed:
            return 1.0
        middles = [(low + high) / 2 for low, high in zip(self.low, self.high, strict=True)]
        ranges = zip(self.low, self.start or middles, self.high, strict=True)
        reach = [max(high - start, start - low) for low, start, high in ranges]
        return max(math.sqrt(math.fsum(each * each for each in reach) / len(reach)), _LEAST)

    @property
    def most(self) -> float:
        """Largest magnitude seen, or 1."""
        return max(*map(abs, self.low + self.high), _LEAST) if self.surveyed else 1.0

    def apart(self, other: Measure) -> float:
        """How far two positions lie apart, m: at the start, or as random actions carry them."""
        gap = math.dist(self.start, other.start) if len(self.start) == len(other.start) else 0.0
        return max(gap, 0.5 * self.scale, 0.5 * other.scale)

    def component(self, index: int, axis: str) -> Measure:
        """One component of a (k,) measure, as a scalar."""
        part = slice(index, index + 1)
        return replace(
            self,
            code=f"{self.code}[:, {index}]",
            shape=(),
            axis=axis,
            flipped=False,
            start=self.start[part],
            low=self.low[part],
            high=self.high[part],
        )
