"""One call as the gate sees it: what is called with what, along which axis, and how to say what is wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eureka_loop.reward.form.advice import with_axis
from eureka_loop.reward.problems import bracketed, code
from eureka_loop.reward.rows.broadcasting import broadcast
from eureka_loop.reward.rows.values import (
    UNKNOWN,
    Items,
    Nothing,
    Rows,
    Value,
    as_array,
    has_rows,
    shape_text,
    whole,
)

Axis = int | tuple[int, ...] | Literal["all", "unknown"]

_SCALES = (
    "max",
    "min",
    "amax",
    "amin",
    "std",
    "var",
    "ptp",
    "median",
    "percentile",
    "quantile",
)  # to normalise by


@dataclass(frozen=True, slots=True)
class Site:
    """A call of an array function, as a function or as a method.

    Attributes:
        name: numpy's: "sum", "linalg.norm"; or a shaping function's, or a builtin's.
        method: written `x.sum()`; then `nodes` and `values` begin with x.
        episode: rows are one episode in order (fitness, success), and may be reduced.
        report: told what is wrong.
    """

    node: ast.Call
    name: str
    method: bool
    nodes: tuple[ast.expr, ...]
    values: tuple[Value, ...]
    keywords: Mapping[str, Value]
    episode: bool
    report: Callable[[str], None]

    def value(self, position: int, keyword: str = "") -> Value | None:
        """An argument by position or by keyword; None where it isn't given."""
        if position < len(self.values):
            return self.values[position]
        return self.keywords.get(keyword)

    @property
    def first(self) -> Value:
        """The first argument, as numpy takes it."""
        return as_array(self.values[0]) if self.values else UNKNOWN

    @property
    def listed(self) -> Items | None:
        """The first argument, where it is a list or tuple."""
        first = self.values[0] if self.values else None
        return first if isinstance(first, Items) else None

    @property
    def code(self) -> str:
        return code(self.node)

    def text(self, position: int = 0) -> str:
        return code(self.nodes[position]) if position < len(self.nodes) else "x"

    def axis(self, position: int, default: Axis) -> Axis:
        given = self.value(position, "axis")
        if given is None:
            return default
        if isinstance(given, Nothing):
            return "all"
        if isinstance(given, Items):
            axes = [axis for axis in map(whole, given.items or ()) if axis is not None]
            return tuple(axes) if axes and len(axes) == len(given.items or ()) else "unknown"
        axis = whole(given)
        return axis if axis is not None else "unknown"

    def corrected(self, axis: str, position: int) -> str:
        """The call's text with another axis."""
        return with_axis(self.node, axis, position - self.method)


def combined(site: Site, values: Sequence[Value]) -> Value:
    """Elementwise, row by row; reports shapes that don't fit."""
    result = broadcast(values)
    if result is None:
        site.report(misfit(site.code, values, [code(node) for node in site.nodes]))
        return UNKNOWN
    return result


def misfit(written: str, values: Sequence[Value], texts: Sequence[str]) -> str:
    """The words for shapes that don't go together row by row.

    Args:
        texts: the values' own, as far as they have one.
    """
    sizes = [shape_text(as_array(value)) for value in values]
    shown = [size for size in sizes if size not in ("", "()")]
    message = f"`{written}`: {' and '.join(shown)} don't fit row by row"
    parts = dict(zip(sizes, texts, strict=False)) if len(texts) == len(sizes) else {}
    if "(N, 1)" in sizes and "(N,)" in sizes:
        text = parts.get("(N, 1)", "x")
        narrow = text.removesuffix("[:, None]") if text.endswith("[:, None]") else f"{bracketed(text)}[:, 0]"
        return f"{message}; write `{narrow}` for the (N, 1) one"
    if "(N,)" in sizes and any(isinstance(value, Rows) and value.shape for value in values):
        return f"{message}; write `{bracketed(parts.get('(N,)', 'x'))}[:, None]` for the (N,) one"
    return message


def touches_batch(value: Value, axis: Axis) -> bool:
    """The axis is the batch's, for sure."""
    if axis == "all":
        return has_rows(value)
    if axis == "unknown" or not isinstance(value, Rows):
        return False
    axes = axis if isinstance(axis, tuple) else (axis,)
    dims = len(value.shape) + 1 if value.shape is not None else None
    return any(each == 0 or (dims is not None and each == -dims) for each in axes)


def missing_axis(site: Site, value: Value, axis: Axis) -> bool:
    """The array has no such axis, for sure; said so."""
    if isinstance(axis, str) or not isinstance(value, Rows) or value.shape is None:
        return False
    dims = len(value.shape) + 1
    if all(-dims <= each < dims for each in (axis if isinstance(axis, tuple) else (axis,))):
        return False
    size = shape_text(value)
    told = f"one number a row already: {_instead(site)}" if dims == 1 else f"so its last axis is {dims - 1}"
    site.report(f"`{site.code}`: `{site.text()}` is {size}, {told}")
    return True


def _instead(site: Site) -> str:
    """What a reduction of an (N,) array is to become."""
    if site.name == "linalg.norm":
        return f"write `np.abs({site.text()})`"
    if site.name in _SCALES:
        return "leave it out; for a fixed scale take a weight"
    return f"write `{site.text()}`"


def report_mixed_rows(site: Site, value: Value, position: int) -> None:
    """A reward that works along the batch: every row would depend on its neighbours."""
    base, size = site.text(), shape_text(value)
    mixes = f"`{site.code}` mixes the rows of the batch"
    if site.listed:
        site.report(f"{mixes}; to combine the arrays of a list write `{site.corrected('0', position)}`")
    elif size == "(N,)":
        site.report(f"{mixes}; `{base}` is (N,), one number a row already: {_instead(site)}")
    elif isinstance(value, Rows) and value.shape is not None:
        axis = "1" if len(value.shape) == 1 else str(tuple(range(1, len(value.shape) + 1)))
        site.report(f"{mixes}; `{base}` is {size}: write `{site.corrected(axis, position)}`")
    else:
        site.report(f"{mixes}; rows are independent: write `{site.corrected('-1', position)}`")
