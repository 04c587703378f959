"""The vocabulary as text for a model: the domain's names first, repeated patterns folded into one line.

A model of a hand has hundreds of observables, but every body offers the same dozen: each of these patterns
takes one line, with the names of the bodies above; each joint takes one line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from eureka_loop.numbers import compact
from eureka_loop.reward.vocabulary import Observable, Vocabulary

HEADER = "name | shape | unit, frame | meaning | at the start | under random actions"
WIDE = 4  # components; of wider rows only the overall range is shown
_JOINT = re.compile(r"(?P<joint>.+)_(?P<quantity>angle|position|velocity)$")
_LISTED = {"sites": "{}_pos", "geoms": "{}_geom_pos", "sensors": "sensor_{}"}

Named = tuple[str, Observable]  # name of an element (a body, a site), and one of its observables


def vocabulary_text(vocabulary: Vocabulary) -> str:
    """Every visible observable, and the model's constants, as lines under headings ("-": none)."""
    groups: dict[str, list[Observable]] = {}
    for row in vocabulary:
        if not row.hidden:
            groups.setdefault(row.group, []).append(row)
    sections: dict[str, list[Observable]] = {}  # all bodies, and all joints, stand where the first one does
    for name, rows in groups.items():
        is_body = {f"{name}_pos", f"{name}_quat"} <= {row.name for row in rows}
        heading = "bodies" if is_body else "joints" if name.startswith("joints ") else name
        sections.setdefault(heading, []).extend(rows)
    constants = dict(vocabulary.constants)
    parts = [_section(heading, rows, constants) for heading, rows in sections.items()]
    facts = [f"{name}: {text}" for name, text in constants.items()]
    return "\n\n".join([HEADER, *parts, *(["## constants\n" + "\n".join(facts)] if facts else [])])


def _section(heading: str, rows: Sequence[Observable], constants: dict[str, str]) -> str:
    if heading == "bodies":
        return _folded(heading, [(row.group, row) for row in rows])
    if heading in _LISTED:
        before, after = _LISTED[heading].split("{}")
        return _folded(heading, [(row.name.removeprefix(before).removesuffix(after), row) for row in rows])
    if heading == "joints":
        title = "## joints: of shape (N,) unless stated; signs in the starting pose"
        return "\n".join([title, *_joints(rows, constants)])
    return "\n".join([f"## {heading or 'observables'}", *map(_row, rows)])


def _row(row: Observable, start: str = "") -> str:
    where = ", ".join(filter(None, [row.unit, row.frame])) or "-"
    start = start or _start(row)
    return f"{row.name} | {row.shape_text} | {where} | {row.description} | {start} | {_range(row)}"


# bodies, sites, geoms, sensors


def _folded(heading: str, named: Sequence[Named]) -> str:
    """One line for all observables that differ by their element's name alone; `*` stands for the name."""
    families: dict[tuple[object, ...], dict[str, Observable]] = {}
    for element, row in named:
        pattern = row.name.replace(element, "*", 1)
        text = re.sub(rf"\b{re.escape(element)}\b", "*", row.description)
        families.setdefault((pattern, text, row.shape, row.unit, row.frame), {})[element] = row
    elements = list(dict.fromkeys(element for element, _ in named))
    lines = [_family(str(key[0]), str(key[1]), each, elements) for key, each in families.items()]
    return "\n".join([f"## {heading}: * is one of {', '.join(elements)}", *lines])


def _family(pattern: str, text: str, members: Mapping[str, Observable], elements: Sequence[str]) -> str:
    """Ranges over all members; their start where they share it, or where it is their position."""
    rows = list(members.values())
    missing = [each for each in elements if each not in members]
    if missing and len(missing) <= len(members):
        text += f" (not for {', '.join(missing)})"
    elif missing:
        text += f" (only for {', '.join(members)})"
    whole = replace(
        rows[0],
        name=pattern,
        description=text,
        start=rows[0].start if len({row.start for row in rows}) == 1 else None,
        low=_componentwise(min, [row.low for row in rows]),
        high=_componentwise(max, [row.high for row in rows]),
    )
    if pattern.endswith("_pos"):
        return _row(whole, "; ".join(f"{element} {_start(row)}" for element, row in members.items()))
    return _row(whole)


def _componentwise(
    choose: Callable[[Iterable[float]], float], rows: Sequence[tuple[float, ...] | None]
) -> tuple[float, ...] | None:
    known = [row for row in rows if row is not None]
    return tuple(choose(column) for column in zip(*known, strict=True)) if known else None


# joints


def _joints(rows: Sequence[Observable], constants: dict[str, str]) -> Iterator[str]:
    """One line for each joint, with its limits, which are taken out of the constants."""
    joints: dict[str, list[Observable]] = {}
    for row in rows:
        match = _JOINT.match(row.name)
        joints.setdefault(match["joint"] if match else row.name, []).append(row)
    for joint, own in joints.items():
        sign = own[0].description.partition("; ")[2] or own[0].description
        limits = constants.pop(f"joint {joint!r}", None)
        parts = [*map(_joint, own), sign.replace(" in the starting pose", "")]
        yield "; ".join([*parts, *([f"limits {limits}"] if limits else [])])


def _joint(row: Observable) -> str:
    shape = f"{row.shape_text} " if row.shape else ""
    start = _start(row)
    from_start = f"start {start}, " if start not in ("0", "-") else ""
    return f"{row.name} {shape}{row.unit}: {from_start}random {_range(row)}"


# numbers


def _start(row: Observable) -> str:
    if row.start is None or len(row.start) > WIDE:
        return "-"
    return _tuple([_number(value, scale) for value, scale in zip(row.start, _scales(row), strict=True)])


def _range(row: Observable) -> str:
    if row.low is None or row.high is None:
        return "-"
    if len(row.low) > WIDE:
        low, high = min(row.low), max(row.high)
        return f"{_span(low, high, max(abs(low), abs(high)))} in all"
    spans = [_span(*each) for each in zip(row.low, row.high, _scales(row), strict=True)]
    return spans[0] if len(set(spans)) == 1 else _tuple(spans)


def _scales(row: Observable) -> list[float]:
    """The largest magnitude seen of each component: it decides how many decimals are worth showing."""
    seen = [values for values in (row.start, row.low, row.high) if values is not None]
    return [max(map(abs, values)) for values in zip(*seen, strict=True)]


def _span(low: float, high: float, scale: float) -> str:
    ends = _number(low, scale), _number(high, scale)
    return ends[0] if ends[0] == ends[1] else "..".join(ends)


def _number(value: float, scale: float) -> str:
    """To two digits of the scale: at scale 2.3, -1.83 is "-1.8" and 0.004 is "0"."""
    if not math.isfinite(value) or not math.isfinite(scale):
        return str(value)
    decimals = 1 - math.floor(math.log10(scale)) if scale > 0 else 0
    return compact(round(value, min(max(decimals, 0), 9)), 4)


def _tuple(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
