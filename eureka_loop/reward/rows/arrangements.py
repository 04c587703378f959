"""Functions that make, join and reshape arrays: where the batch axis is afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable

from eureka_loop.reward import allowed
from eureka_loop.reward.rows.calls import Site, combined, touches_batch
from eureka_loop.reward.rows.values import (
    UNKNOWN,
    Count,
    Derived,
    Dim,
    Fixed,
    Items,
    Number,
    Rows,
    Shape,
    Value,
    as_array,
    has_rows,
    own,
    whole,
)


def _elementwise(site: Site) -> Value:
    return combined(site, site.values)


def _where(site: Site) -> Value:
    if len(site.values) != 3:
        site.report(f"`{site.code}`: give both values: `np.where({site.text()}, a, b)`")
        return UNKNOWN
    return combined(site, site.values)


def _select(site: Site) -> Value:
    lists = [value for value in site.values[:2] if isinstance(value, Items) and value.items is not None]
    values = [item for value in lists for item in value.items or ()]
    return combined(site, [*values, *site.values[2:]]) if len(lists) == 2 else UNKNOWN


def _like_first(site: Site) -> Value:
    return own(site.first)


def _array(site: Site) -> Value:
    return own(site.first) if site.name == "array" else site.first


def _created(site: Site) -> Value:
    """zeros, ones, full: by the shape asked for."""
    match site.value(0, "shape"):
        case Count():
            return Rows(())
        case Number() as size:
            return Fixed((whole(size),))
        case Items(items=(Count(), *rest)):
            return Rows(tuple(whole(each) for each in rest))
        case Items(items=items) if items is not None and not any(isinstance(each, Count) for each in items):
            return Fixed(tuple(whole(each) for each in items))
    return UNKNOWN


def _fixed(site: Site) -> Value:
    return UNKNOWN if any(has_rows(value) or isinstance(value, Count) for value in site.values) else Fixed()


def _join(site: Site) -> Value:
    """stack, concatenate and their kin."""
    listed = site.listed
    if listed is None or not listed.items:
        return UNKNOWN
    if not has_rows(as_array(listed)):
        return Fixed()
    shapes = [item.shape for item in listed.items if isinstance(item, Rows) and item.shape is not None]
    if len(shapes) < len(listed.items):
        return Derived()
    return _stack(site, shapes) if site.name == "stack" else _concatenate(site, shapes)


def _stack(site: Site, shapes: list[Shape]) -> Value:
    axis, first = site.axis(1, 0), shapes[0]
    if any(shape != first for shape in shapes) or not isinstance(axis, int):
        return Derived()
    place = axis % (len(first) + 2)
    return Rows((*first[: place - 1], len(shapes), *first[place - 1 :])) if place else Derived()


def _concatenate(site: Site, shapes: list[Shape]) -> Value:
    flat = not shapes[0]
    if site.name == "column_stack":
        return Rows((_total([shape[0] if shape else 1 for shape in shapes]),))
    if site.name == "vstack" and flat:
        return Derived()
    axis = {"hstack": 0 if flat else 1, "vstack": 0}.get(site.name, site.axis(1, 0))
    if axis in (0, "all") or (flat and axis == -1):
        if not site.episode:
            instead = f"np.{'stack' if flat else 'concatenate'}({site.text()}, axis=1)"
            site.report(f"`{site.code}` puts the batches one behind the other: write `{instead}`")
        return UNKNOWN
    if isinstance(axis, int) and all(len(shape) == 1 for shape in shapes):
        return Rows((_total([shape[0] for shape in shapes]),))
    return Derived()


def _total(dims: list[Dim]) -> Dim:
    return None if None in dims else sum(dim or 0 for dim in dims)


def _reshape(site: Site) -> Value:
    """Keeps the batch axis where it is first in the new shape: `x.reshape(len(x), 2)`, `x.reshape(-1, 3)`."""
    value, sizes = site.first, list(site.values[1:])
    if len(sizes) == 1 and isinstance(sizes[0], Items):
        sizes = list(sizes[0].items or ())
    if not has_rows(value) or not sizes:
        return UNKNOWN
    dims = tuple(whole(size) for size in sizes[1:])
    if isinstance(sizes[0], Count):
        return Rows(tuple(None if dim == -1 else dim for dim in dims))
    whole_rows = isinstance(value, Rows) and _product(value.shape) == _product(dims) and -1 not in dims
    if whole(sizes[0]) == -1 and whole_rows and None not in dims:
        return Rows(dims, value.source if isinstance(value, Rows) else "")
    return Derived()


def _product(dims: Shape | None) -> Dim:
    return None if dims is None or None in dims else math.prod(dim or 0 for dim in dims)


def _squeeze(site: Site) -> Value:
    value, axis = site.first, site.axis(1, "all")
    if isinstance(value, Rows) and not site.episode and touches_batch(value, axis):
        instead = site.text() if value.shape == () else site.corrected("1", 1)
        site.report(f"`{site.code}` drops the batch axis when N is 1: write `{instead}`")
        return UNKNOWN
    if isinstance(value, Rows) and value.shape == (1,) and axis in (1, -1):
        return Rows((), value.source)
    return Derived() if has_rows(value) else UNKNOWN


def _expand_dims(site: Site) -> Value:
    value, axis = site.first, site.axis(1, "all")
    if isinstance(value, Rows) and value.shape is not None and axis in (1, -1):
        return Rows((1, *value.shape) if axis == 1 else (*value.shape, 1), value.source)
    return Derived() if has_rows(value) else UNKNOWN


def _ravel(site: Site) -> Value:
    value = site.first
    if isinstance(value, Rows) and value.shape == ():
        return value
    return Derived() if has_rows(value) else UNKNOWN


def _moved(site: Site) -> Value:
    return Derived() if has_rows(site.first) else UNKNOWN


HANDLERS: dict[str, Callable[[Site], Value]] = {
    **dict.fromkeys(allowed.ELEMENTWISE, _elementwise),
    **dict.fromkeys(allowed.JOINS, _join),
    **dict.fromkeys(("zeros", "ones", "full"), _created),
    **dict.fromkeys(("array", "asarray"), _array),
    **dict.fromkeys(
        ("zeros_like", "ones_like", "full_like", "copy", "astype", "nan_to_num", "interp"), _like_first
    ),
    **dict.fromkeys(("broadcast_to", "tile", "transpose", "moveaxis", "swapaxes"), _moved),
    **dict.fromkeys(("atleast_1d", "atleast_2d"), _moved),
    **dict.fromkeys(("ravel", "flatten"), _ravel),
    **dict.fromkeys(("arange", "linspace", "eye", "identity", "diag"), _fixed),
    "where": _where,
    "select": _select,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
}
