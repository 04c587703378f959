"""The vocabulary as text for a model: the domain's names first, repeated patterns folded into one line.

A model of a hand has hundreds of observables, but every body offers the same dozen, and every joint the same
two: each of these patterns takes one line, with the names of the bodies or joints above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from eureka_loop.numbers import compact
from eureka_loop.reward.vocabulary import Observable, Vocabulary

HEADER = "name | shape | unit, frame | meaning | at the start | under random actions"
WIDE = 4  # components; of wider rows only the overall range is shown
_LISTED = {"sites": "{}_pos", "geoms": "{}_geom_pos", "sensors": "sensor_{}"}


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
    parts = [HEADER]
    for heading, rows in sections.items():
        if heading in ("bodies", "joints", *_LISTED):
            elements = {row.name: _element(heading, row) for row in rows}
            title = f"{heading}: * is one of {', '.join(dict.fromkeys(elements.values()))}"
            lines = list(_folded(rows, elements))
        else:
            title, lines = heading or "observables", [_row(row) for row in rows]
        parts.append("\n".join([f"## {title}", *lines]))
    if vocabulary.constants:
        facts = [f"{name}: {text}" for name, text in vocabulary.constants.items()]
        parts.append("\n".join(["## constants", *facts]))
    return "\n\n".join(parts)


def _row(row: Observable, start: str = "") -> str:
    where = ", ".join(filter(None, [row.unit, row.frame])) or "-"
    cells = [row.name, row.shape_text, where, row.description, start or _start(row), _range(row)]
    return " | ".join(cells)


def _element(heading: str, row: Observable) -> str:
    """The name of the body, joint, site, geom or sensor that an observable is one of."""
    if heading == "bodies":
        return row.group
    if heading == "joints":
        return re.sub("_(angle|position|velocity)$", "", row.name)
    before, after = _LISTED[heading].split("{}")
    return row.name.removeprefix(before).removesuffix(after)


def _folded(rows: Sequence[Observable], elements: Mapping[str, str]) -> Iterator[str]:
    """One line for all observables that differ by their element's name alone; `*` stands for the name.

    Ranges are over all of them. Their start is shown where they share it, or where it is a position or angle.

    Args:
        elements: name of an observable → that of its body, joint, site, geom or sensor.
    """
    families: dict[Observable, list[Observable]] = {}
    for row in rows:
        name = elements[row.name]
        text = re.sub(rf"\b{re.escape(name)}\b", "*", row.description)
        pattern = Observable(row.name.replace(name, "*", 1), row.shape, row.unit, row.frame, text)
        families.setdefault(pattern, []).append(row)
    count = len(set(elements.values()))
    for pattern, members in families.items():
        names = [elements[row.name] for row in members]
        only = f" (only for {', '.join(names)})" if len(names) < count else ""
        whole = replace(
            pattern,
            description=pattern.description + only,
            start=members[0].start if len({row.start for row in members}) == 1 else None,
            low=tuple(map(min, zip(*(row.low for row in members if row.low), strict=True))) or None,
            high=tuple(map(max, zip(*(row.high for row in members if row.high), strict=True))) or None,
        )
        starts = [f"{name} {_start(row)}" for name, row in zip(names, members, strict=True)]
        yield _row(whole, "; ".join(starts) if pattern.name.endswith(("_pos", "_angle")) else "")


def _start(row: Observable) -> str:
    return "-" if row.start is None or len(row.start) > WIDE else _tuple([*map(_number, row.start)])


def _range(row: Observable) -> str:
    if row.low is None or row.high is None:
        return "-"
    if len(row.low) > WIDE:
        return f"{_span(min(row.low), max(row.high))} in all"
    spans = [*map(_span, row.low, row.high)]
    return spans[0] if len(set(spans)) == 1 else _tuple(spans)


def _span(low: float, high: float) -> str:
    return "..".join(dict.fromkeys([_number(low), _number(high)]))


def _number(value: float) -> str:
    """Two digits, and what is below 0.001 as 0."""
    return compact(round(value, 3), 2)


def _tuple(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
