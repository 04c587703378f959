"""Functions that work along an axis: which shape they leave, and whether that axis is the batch."""

from __future__ import annotations

from collections.abc import Callable

from eureka_loop.reward import allowed
from eureka_loop.reward.rows.calls import (
    Axis,
    Site,
    combined,
    missing_axis,
    report_mixed_rows,
    touches_batch,
)
from eureka_loop.reward.rows.values import NUMBER, UNKNOWN, Derived, Fixed, Number, Rows, Value, has_rows

_AXIS_POSITION = dict.fromkeys(("linalg.norm", "percentile", "quantile", "roll", "diff", "repeat", "take"), 2)
_LAST_AXIS = ("diff", "sort", "argsort")  # what they work along by default; the others along all


def _reduction(site: Site) -> Value:
    position = _AXIS_POSITION.get(site.name, 1)
    axis = site.axis(position, 0 if site.name.endswith(".reduce") else "all")
    value = site.first
    if axis == 0 and site.listed and site.listed.items:
        return combined(site, site.listed.items)  # np.sum([a, b], axis=0): of arrays, not of rows
    if missing_axis(site, value, axis):
        return UNKNOWN
    if not touches_batch(value, axis):
        return _reduced(value, axis, keep="keepdims" in site.keywords)
    if site.episode:
        return _over_episode(value, axis)
    report_mixed_rows(site, value, position)
    return UNKNOWN


def _over_episode(value: Value, axis: Axis) -> Value:
    if axis == "all" or (isinstance(value, Rows) and value.shape == ()):
        return NUMBER
    return Fixed(value.shape) if isinstance(value, Rows) and isinstance(axis, int) else UNKNOWN


def _reduced(value: Value, axis: Axis, *, keep: bool) -> Value:
    if isinstance(value, Number | Fixed):
        return NUMBER if axis == "all" else UNKNOWN
    if not isinstance(value, Rows) or value.shape is None or isinstance(axis, str):
        return Derived() if has_rows(value) else UNKNOWN
    dims = len(value.shape) + 1
    gone = {each % dims - 1 for each in (axis if isinstance(axis, tuple) else (axis,))}
    left = [1 if index in gone else dim for index, dim in enumerate(value.shape) if keep or index not in gone]
    return Rows(tuple(left))


def _along(site: Site) -> Value:
    """cumsum, diff, sort, …: an array again, made along an axis."""
    position, value = _AXIS_POSITION.get(site.name, 1), site.first
    axis = site.axis(position, -1 if site.name in _LAST_AXIS else "all")
    if missing_axis(site, value, axis):
        return UNKNOWN
    if touches_batch(value, axis) and not site.episode:
        _report_neighbours(site, value, position)
        return UNKNOWN
    if not has_rows(value):
        return UNKNOWN
    changed = site.name in ("diff", "repeat", "take", "take_along_axis")
    return Rows(value.shape) if isinstance(value, Rows) and not changed else Derived()


def _report_neighbours(site: Site, value: Value, position: int) -> None:
    mixes = f"`{site.code}` mixes the rows of the batch"
    if site.name in ("diff", "gradient", "roll"):
        source = value.source if isinstance(value, Rows) else ""
        written = f"write `{source} - prev_{source}`" if source else "ask for `prev_<observable>`"
        site.report(f"{mixes}; for the change over a step {written}")
    elif site.name in ("cumsum", "cumprod"):
        site.report(
            f"{mixes}; a program has no memory: what adds up over an episode is an observable (a tracker "
            "such as `<body>_turn` or `<body>_air_time`), or the difference from `init_<observable>`"
        )
    else:
        report_mixed_rows(site, value, position)


HANDLERS: dict[str, Callable[[Site], Value]] = {
    **dict.fromkeys(allowed.REDUCTIONS, _reduction),
    **dict.fromkeys(allowed.ALONG_AXIS, _along),
    **dict.fromkeys(("repeat", "take", "take_along_axis"), _along),
}
