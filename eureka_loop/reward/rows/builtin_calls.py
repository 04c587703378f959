"""Python's own functions on values with rows: most of them mean an array function instead."""

from __future__ import annotations

import math
from collections.abc import Callable

from eureka_loop.reward.allowed import NUMPY
from eureka_loop.reward.functions import MAX_RANGE
from eureka_loop.reward.rows.calls import Site, combined
from eureka_loop.reward.rows.containers import looped
from eureka_loop.reward.rows.values import (
    NUMBER,
    UNKNOWN,
    Count,
    Derived,
    Items,
    Number,
    Rows,
    Terms,
    Value,
    each,
    has_rows,
    own,
    whole,
)

_NUMPY_NAMES = {"pow": "power", "fabs": "abs", "log": "log"}
ALL_AT_ONCE = "arrays hold all rows at once; write array operations, without the loop"
MAX_UNROLLED = 64  # items that are told apart one by one


def math_call(site: Site) -> Value:
    """`math.exp(x)`: of one number only."""
    if not any(has_rows(value) for value in site.values):
        return NUMBER
    name = _NUMPY_NAMES.get(site.name, site.name)
    instead = (
        f"np.{name}({', '.join(map(site.text, range(len(site.nodes))))})"
        if name in NUMPY
        else "an `np` function"
    )
    site.report(f"`{site.code}`: `math` takes one number, not an array of N rows: write `{instead}`")
    return UNKNOWN


def _absolute(site: Site) -> Value:
    return own(site.first)


def _extreme(site: Site) -> Value:
    """min and max, which compare whole arrays."""
    if not any(
        has_rows(value) for value in (*site.values, *(site.listed.items or () if site.listed else ()))
    ):
        return NUMBER
    name = "maximum" if site.name == "max" else "minimum"
    if len(site.nodes) == 2:
        instead = f"np.{name}({site.text(0)}, {site.text(1)})"
    elif len(site.nodes) == 1 and isinstance(site.first, Rows) and site.first.shape == ():
        instead = site.text()
    elif site.listed or len(site.nodes) > 2:
        items = site.text() if site.listed else f"[{', '.join(map(site.text, range(len(site.nodes))))}]"
        instead = f"np.{site.name}({items}, axis=0)"
    else:
        instead = f"np.{site.name}({site.text()}, axis=1)"
    site.report(f"`{site.code}`: `{site.name}` compares whole arrays: write `{instead}`")
    return UNKNOWN


def _sum(site: Site) -> Value:
    """sum, of a list's items; of an array it would add its rows."""
    if site.listed:
        return combined(site, site.listed.items or (each(site.listed),))
    value = site.first
    if not has_rows(value) or site.episode:
        return NUMBER if isinstance(value, Rows) and value.shape == () else UNKNOWN
    narrow = isinstance(value, Rows) and value.shape == ()
    instead = site.text() if narrow else f"{site.text()}.sum(axis=1)"
    site.report(f"`{site.code}` adds up the rows of the batch: write `{instead}`")
    return UNKNOWN


def _quantifier(site: Site) -> Value:
    if has_rows(site.first) and not site.episode:
        narrow = isinstance(site.first, Rows) and site.first.shape == ()
        instead = site.text() if narrow else f"np.{site.name}({site.text()}, axis=1)"
        site.report(f"`{site.code}`: `{site.name}` asks about the whole batch: write `{instead}`")
        return UNKNOWN
    return NUMBER


def _conversion(site: Site) -> Value:
    """float, int, bool: one number; of an array, an error when the program runs."""
    value = site.first
    if not isinstance(value, Rows | Derived):
        number = value.value if isinstance(value, Number) else None
        whole_number = site.name == "int" and number is not None and math.isfinite(number)
        return Number(int(number or 0)) if whole_number else NUMBER
    if site.episode:
        instead = f"{site.text()}.mean()` or `{site.text()}[-1]"
    else:
        instead = site.text() if site.name == "float" else f"{site.text()}.astype({site.name})"
    site.report(f"`{site.code}`: `{site.name}` takes one number, not an array of N rows: write `{instead}`")
    return UNKNOWN


def _length(site: Site) -> Value:
    match site.values[0] if site.values else None:
        case Rows():
            return Count()
        case Items(items=items) if items is not None:
            return Number(len(items))
        case Terms(terms=terms, closed=True):
            return Number(len(terms))
    return NUMBER


def _round(site: Site) -> Value:
    return own(site.first)


def _range(site: Site) -> Value:
    """range of known numbers; the loop that uses it says what is wrong with any other."""
    if any(isinstance(value, Count) for value in site.values):
        site.report(f"`{site.code}` counts the rows of the batch: {ALL_AT_ONCE}")
        return Items(None)
    limits = [limit for limit in map(whole, site.values) if limit is not None]
    if len(limits) < len(site.values) or not limits or limits[2:] == [0]:
        return UNKNOWN
    numbers = range(*limits)
    if len(numbers) > MAX_RANGE:
        site.report(f"`{site.code}` is {len(numbers):,} long; {MAX_RANGE:,} are allowed")
        return Items(None, NUMBER)
    known = len(numbers) <= MAX_UNROLLED
    return Items(tuple(map(Number, numbers))) if known else Items(None, NUMBER, len(numbers))


def _zip(site: Site) -> Value:
    lists = [looped(value) for value in site.values]
    known = [each_list.items for each_list in lists if each_list is not None and each_list.items is not None]
    if len(known) == len(lists):
        return Items(tuple(Items(group) for group in zip(*known, strict=False)))
    if any(each_list is None for each_list in lists):
        return UNKNOWN
    return Items(None, Items(tuple(each(one) for one in lists if one is not None)))


def _enumerate(site: Site) -> Value:
    values = looped(site.values[0]) if site.values else None
    if values is None:
        return UNKNOWN
    if values.items is None or len(site.values) > 1:
        return Items(None, Items((NUMBER, each(values))))
    return Items(tuple(Items((Number(index), value)) for index, value in enumerate(values.items)))


def _container(site: Site) -> Value:
    """tuple and list: of a list, a list."""
    return (looped(site.values[0]) or UNKNOWN) if site.values else Items(())


def _dict(site: Site) -> Value:
    base = site.values[0] if site.values else Terms()
    if not isinstance(base, Terms):
        return Terms((), closed=False)
    return Terms(tuple((dict(base.terms) | dict(site.keywords)).items()), base.closed)


HANDLERS: dict[str, Callable[[Site], Value]] = {
    "abs": _absolute,
    "len": _length,
    "round": _round,
    "sum": _sum,
    "range": _range,
    "zip": _zip,
    "enumerate": _enumerate,
    "dict": _dict,
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("any", "all"), _quantifier),
    **dict.fromkeys(("float", "int", "bool"), _conversion),
    **dict.fromkeys(("tuple", "list"), _container),
}
