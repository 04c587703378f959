"""The vocabulary as text that a model, or a person, can read: domain names first, repeated patterns folded.

A model of a hand has hundreds of observables, but few patterns: every body offers the same dozen quantities.
They are told once a pattern, with the bodies' names beside it; joints take one line each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from eureka_loop.numbers import compact
from eureka_loop.reward.vocabulary import Observable, Vocabulary

HEADER = "name | shape | unit, frame | meaning | at the start | under random actions"
WIDE = 4  # components; of wider rows only the overall range is told
_JOINT = re.compile(r"(?P<word>.+)_(?P<what>angle|position|velocity)$")
_LISTED = {"sites": "{}_pos", "geoms": "{}_geom_pos", "sensors": "sensor_{}"}


@dataclass(frozen=True, slots=True)
class Family:
    """Observables that differ by the element's name alone.

    Attributes:
        pattern: their name, with `*` for the element's.
        members: element → its observable.
    """

    pattern: str
    text: str
    members: Mapping[str, Observable]


def vocabulary_text(vocabulary: Vocabulary) -> str:
    """Every visible observable, and the model's constants, as lines under headings ("-": nothing to tell)."""
    sections = _sections(each for each in vocabulary if not each.hidden)
    constants = dict(vocabulary.constants)
    parts = [_section(heading, rows, constants) for heading, rows in sections.items()]
    facts = [f"{name}: {text}" for name, text in constants.items()]
    return "\n\n".join([HEADER, *parts, *(["## constants\n" + "\n".join(facts)] if facts else [])])


def _sections(observables: Iterable[Observable]) -> dict[str, list[Observable]]:
    """Rows by heading, in order; all bodies, and all joints, where the first of them stands."""
    groups: dict[str, list[Observable]] = {}
    for each in observables:
        groups.setdefault(each.group, []).append(each)
    sections: dict[str, list[Observable]] = {}
    for name, rows in groups.items():
        heading = "bodies" if _is_body(name, rows) else "joints" if name.startswith("joints ") else name
        sections.setdefault(heading, []).extend(rows)
    return sections


def _is_body(group: str, rows: Sequence[Observable]) -> bool:
    return {f"{group}_pos", f"{group}_quat"} <= {row.name for row in rows}


def _section(heading: str, rows: Sequence[Observable], constants: dict[str, str]) -> str:
    if heading == "bodies":
        return _families("bodies", _gather((row, row.group, row.name) for row in rows))
    if heading in _LISTED:
        return _families(heading, _gather((row, _word(row, _LISTED[heading]), row.name) for row in rows))
    if heading == "joints":
        title = "## joints: of shape (N,) where none is told; signs in the starting pose"
        return "\n".join([title, *_joints(rows, constants)])
    title = f"## {heading}" if heading else "## observables"
    return "\n".join([title, *(_row(row) for row in rows)])


def _row(row: Observable, start: str = "") -> str:
    where = ", ".join(filter(None, [row.unit, row.frame])) or "-"
    start = start or _start(row)
    return f"{row.name} | {row.shape_text} | {where} | {row.description} | {start} | {_range(row)}"


# bodies, sites, geoms, sensors


def _gather(named: Iterable[tuple[Observable, str, str]]) -> list[Family]:
    """Families of (observable, element, name) in order of their first member."""
    found: dict[tuple[object, ...], dict[str, Observable]] = {}
    for row, word, name in named:
        pattern = name.replace(word, "*", 1)
        text = re.sub(rf"\b{re.escape(word)}\b", "*", row.description)
        found.setdefault((pattern, text, row.shape, row.unit, row.frame), {})[word] = row
    return [Family(str(key[0]), str(key[1]), members) for key, members in found.items()]


def _families(heading: str, families: Sequence[Family]) -> str:
    """A line a family; its `*` stands for each of the elements named above."""
    words = list(dict.fromkeys(word for family in families for word in family.members))
    title = f"## {heading}: * is one of {', '.join(words)}"
    return "\n".join([title, *(_family(family, words) for family in families)])


def _family(family: Family, words: Sequence[str]) -> str:
    """One line: ranges over all members; their starts where they share one, or where starts place them."""
    rows = list(family.members.values())
    starts = {row.start for row in rows}
    whole = replace(
        rows[0],
        name=family.pattern,
        description=family.text + _only_for(family, words),
        start=rows[0].start if len(starts) == 1 else None,
        low=_componentwise(min, [row.low for row in rows]),
        high=_componentwise(max, [row.high for row in rows]),
    )
    if family.pattern.endswith("_pos"):
        return _row(whole, "; ".join(f"{word} {_start(row)}" for word, row in family.members.items()))
    return _row(whole)


def _only_for(family: Family, words: Sequence[str]) -> str:
    missing = [word for word in words if word not in family.members]
    if not missing:
        return ""
    if len(missing) <= len(family.members):
        return f" (not for {', '.join(missing)})"
    return f" (only for {', '.join(family.members)})"


def _componentwise(
    choose: Callable[[Iterable[float]], float], rows: Sequence[tuple[float, ...] | None]
) -> tuple[float, ...] | None:
    known = [row for row in rows if row is not None]
    return tuple(choose(column) for column in zip(*known, strict=True)) if known else None


def _word(row: Observable, pattern: str) -> str:
    before, after = pattern.split("{}")
    return row.name.removeprefix(before).removesuffix(after)


# joints


def _joints(rows: Sequence[Observable], constants: dict[str, str]) -> Iterator[str]:
    """A line a joint, with its limits; its row of constants is used up."""
    joints: dict[str, list[Observable]] = {}
    for row in rows:
        match = _JOINT.match(row.name)
        joints.setdefault(match["word"] if match else row.name, []).append(row)
    for word, own in joints.items():
        sign = own[0].description.partition("; ")[2] or own[0].description
        limits = constants.pop(f"joint {word!r}", None)
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
    """Per component, the largest magnitude seen: what decides how many decimals are worth telling."""
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
    rounded = round(value, min(max(decimals, 0), 9)) + 0.0  # no "-0"
    return compact(rounded, digits=4)


def _tuple(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
