"""The lists and dicts that a program fills."""

from __future__ import annotations

from eureka_loop.reward.rows.values import UNKNOWN, Items, Nothing, Terms, Text, Value, each, join


def with_key(terms: Terms, key: Value, value: Value) -> Terms:
    """After `terms[key] = value`."""
    if not isinstance(key, Text) or key.value is None:
        return Terms(terms.terms, closed=False)
    return Terms(tuple((dict(terms.terms) | {key.value: value}).items()), terms.closed)


def changed(base: Items | Terms, method: str, values: list[Value]) -> Items | Terms | None:
    """The container after the call of a method; None where it leaves it as it is."""
    argument = values[0] if values else UNKNOWN
    match base, method, argument:
        case Items(items=items), "append", _:
            return Items((*items, argument)) if items is not None else Items(None, join(base.each, argument))
        case Items(items=items), "extend", Items(items=others):
            known = items is not None and others is not None
            return (
                Items(items + others)
                if known and items is not None and others is not None
                else _longer(base, argument)
            )
        case Items(), "extend", _:
            return Items(None)
        case Terms(), "update", Terms():
            merged = tuple((dict(base.terms) | dict(argument.terms)).items())
            return Terms(merged, base.closed and argument.closed)
        case Terms(), "update", _:
            return Terms(base.terms, closed=False)
    return None


def _longer(base: Items, more: Items) -> Items:
    return Items(None, join(each(base), each(more)))


def result(base: Items | Terms, method: str, values: list[Value]) -> Value:
    """What the call of a method gives."""
    if isinstance(base, Items) or method in ("append", "extend", "update"):
        return base if method == "copy" else Nothing()
    match method:
        case "copy":
            return base
        case "keys":
            return Items(tuple(Text(key) for key, _ in base.terms)) if base.closed else UNKNOWN
        case "values":
            return Items(tuple(value for _, value in base.terms)) if base.closed else UNKNOWN
        case "items":
            pairs = tuple(Items((Text(key), value)) for key, value in base.terms)
            return Items(pairs) if base.closed else UNKNOWN
    key = values[0] if values else UNKNOWN
    return dict(base.terms).get(key.value or "", UNKNOWN) if isinstance(key, Text) else UNKNOWN


def looped(value: Value) -> Items | None:
    """What a loop over the value goes through, where that has an end: a list, a tuple, a dict's keys."""
    if isinstance(value, Terms) and value.closed:
        return Items(tuple(Text(key) for key, _ in value.terms))
    return value if isinstance(value, Items) else None
