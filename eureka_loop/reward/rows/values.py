"""What the gate knows of a value without running the program: does it have rows, and of which shape.

Every value is one of these. What can't be told is `Unknown`, about which nothing is claimed: a hint that the
gate gives is certain, and what it misses is caught when the program is tried on recorded rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

Dim = int | None
Shape = tuple[Dim, ...]
MAX_WEIGHT = 5_000  # values in one list or dict and within it: `a = (a, a)` doubles them every time


FEWER = "fewer rounds in loops, fewer helpers that call helpers, smaller lists"


class TooMuch(Exception):
    """The program comes to more than can be followed."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array whose leading axis is the batch.

    Attributes:
        shape: of one row; None: not even the number of axes is known.
        source: the input it is, or is a view of; "" for the program's own array.
    """

    shape: Shape | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """An array made from rows; where its batch axis is, is not known."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """An array that all rows share: it has no batch axis."""

    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """One number that all rows share; its value where it is sure to be this."""

    value: int | float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """N, how many rows there are."""


@dataclass(frozen=True, slots=True)
class Text:
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, a list or a range.

    Attributes:
        items: one by one; None where they aren't told apart.
        each: then what they have in common,
        length: and how many there are, if known.
        weight: how many values it takes to go through it all.

    Raises:
        TooMuch: it weighs more than `MAX_WEIGHT`.
    """

    items: tuple[Value, ...] | None
    each: Value = field(default_factory=lambda: Unknown())
    length: int | None = None
    weight: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _bounded((self.each,) if self.items is None else self.items))


@dataclass(frozen=True, slots=True)
class Terms:
    """A dict with string keys; not `closed` where there may be keys that can't be read off the source.

    Raises:
        TooMuch: it weighs more than `MAX_WEIGHT`.
    """

    terms: tuple[tuple[str, Value], ...] = ()
    closed: bool = True
    weight: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _bounded(value for _, value in self.terms))


@dataclass(frozen=True, slots=True)
class Helper:
    """A function of the program, with the names around it."""

    node: ast.FunctionDef | ast.Lambda
    names: Names


@dataclass(frozen=True, slots=True)
class Nothing:
    """None."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything."""


class Names:
    """What the names of one function hold, and, behind it, those around it."""

    def __init__(self, outer: Names | None = None) -> None:
        self.outer = outer
        self.held: dict[str, Value] = {}

    def find(self, name: str) -> Value | None:
        if name in self.held:
            return self.held[name]
        return self.outer.find(name) if self.outer else None


Value = Rows | Derived | Fixed | Number | Count | Text | Items | Terms | Helper | Nothing | Unknown
UNKNOWN = Unknown()
NUMBER = Number()


def weight(value: Value) -> int:
    """How many values it takes to go through it all."""
    return value.weight if isinstance(value, Items | Terms) else 1


def _bounded(values: Iterable[Value]) -> int:
    total = 1 + sum(map(weight, values))
    if total > MAX_WEIGHT:
        raise TooMuch
    return total


def has_rows(value: Value) -> bool:
    """An array over the batch, for sure."""
    return isinstance(value, Rows | Derived)


def whole(value: Value | None) -> int | None:
    """The whole number that it is, if it is known to be one."""
    return value.value if isinstance(value, Number) and isinstance(value.value, int) else None


def shape_text(value: Value) -> str:
    """As the vocabulary writes it: "(N, 3)"; "" where the shape isn't known."""
    if isinstance(value, Rows | Fixed) and value.shape is not None:
        dims = (["N"] if isinstance(value, Rows) else []) + [
            "?" if d is None else str(d) for d in value.shape
        ]
        return f"({dims[0]},)" if len(dims) == 1 else f"({', '.join(dims)})"
    return "()" if isinstance(value, Number | Count) else ""


def own(value: Value) -> Value:
    """The same array as a copy of the program's own."""
    return replace(value, source="") if isinstance(value, Rows) else value


def as_array(value: Value) -> Value:
    """What numpy makes of it: Rows, Derived, Fixed, Number or Unknown."""
    if isinstance(value, Items):
        return (
            _stacked([as_array(item) for item in value.items])
            if value.items is not None
            else _alike(value.each)
        )
    if isinstance(value, Count):
        return NUMBER
    return value if isinstance(value, Rows | Derived | Fixed | Number) else UNKNOWN


def _alike(each: Value) -> Value:
    part = as_array(each)
    return Derived() if has_rows(part) else Fixed() if isinstance(part, Number | Fixed) else UNKNOWN


def _stacked(parts: list[Value]) -> Value:
    if any(has_rows(part) for part in parts):
        return Derived()
    if any(isinstance(part, Unknown) for part in parts):
        return UNKNOWN
    if all(isinstance(part, Number) for part in parts):
        return Fixed((len(parts),))
    first = parts[0]
    alike = isinstance(first, Fixed) and first.shape is not None and all(part == first for part in parts)
    return (
        Fixed((len(parts), *first.shape)) if alike and isinstance(first, Fixed) and first.shape else Fixed()
    )


def join(one: Value, other: Value) -> Value:
    """What holds of both: the value after a branch."""
    if one == other:
        return one
    match one, other:
        case Rows(), Rows():
            return Rows(_common(one.shape, other.shape), one.source if one.source == other.source else "")
        case Number() | Count(), Number() | Count():
            return NUMBER
        case Text(), Text():
            return Text()
        case Items(), Items():
            return _join_items(one, other)
        case Terms(), Terms():
            return _join_terms(one, other)
    return Derived() if has_rows(one) and has_rows(other) else UNKNOWN


def join_all(values: Iterable[Value]) -> Value:
    """What holds of all; Unknown of none."""
    first, *rest = list(values) or [UNKNOWN]
    for value in rest:
        first = join(first, value)
    return first


def _common(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None or len(one) != len(other):
        return None
    return tuple(a if a == b else None for a, b in zip(one, other, strict=True))


def _join_items(one: Items, other: Items) -> Items:
    if one.items is not None and other.items is not None and len(one.items) == len(other.items):
        return Items(tuple(join(a, b) for a, b in zip(one.items, other.items, strict=True)))
    return Items(None, join(each(one), each(other)))


def _join_terms(one: Terms, other: Terms) -> Terms:
    merged = dict(one.terms)
    for key, value in other.terms:
        merged[key] = join(merged[key], value) if key in merged else value
    return Terms(tuple(merged.items()), one.closed and other.closed)


def each(items: Items) -> Value:
    """What all items have in common."""
    return join_all(items.items) if items.items is not None else items.each
