"""Whether a measure may fill a role at all: unit, shape, axis and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eureka_loop.propose.templates.intent import Way
from eureka_loop.propose.templates.measures import Measure
from eureka_loop.propose.templates.terms import Form, Role
from eureka_loop.propose.templates.words import stem, stems


def admissible(role: Role, measure: Measure, way: Way) -> bool:
    """By unit, shape, axis and the words of its name; how well it fills the role is another question."""
    if role.name:
        return measure.code == role.name and (measure.varies or not role.varies)
    if role.unit is not None and measure.unit != role.unit:
        return False
    if not _FORMS[role.form](measure):
        return False
    if role.words and not measure.words & stems(role.words):
        return False
    if measure.words & stems(role.avoid):
        return False
    if role.direction and measure.axis != way[0] and (role.strict or measure.axis):
        return False
    return measure.varies or not role.varies


def go_together(roles: Sequence[Role], filled: Sequence[Measure]) -> bool:
    """Two positions, or two feet's contacts, must be of one shape and unit, and of two things."""
    for form in ("point", "contact"):
        pair = [measure for role, measure in zip(roles, filled, strict=True) if role.form == form]
        kinds = {(measure.shape, measure.unit) for measure in pair}
        things = {measure.thing for measure in pair}
        if len(kinds) > 1 or len(things) < len(pair):
            return False
    return len({measure.code for measure in filled}) == len(filled)


def _point(measure: Measure) -> bool:
    return measure.whole and measure.shape in ((2,), (3,)) and bool(measure.words & {stem("pos"), "position"})


def _scalar(measure: Measure) -> bool:
    return measure.whole and measure.shape == ()


def _distance(measure: Measure) -> bool:
    way = measure.whole and bool(measure.toward) and measure.shape in ((2,), (3,))
    return way or (_scalar(measure) and bool(measure.words & stems(["distance", "dist"])))


def _contact(measure: Measure) -> bool:
    flag = _scalar(measure) and measure.unit == "" and "contact" in measure.words
    return flag or (_force(measure) and "ground" in measure.words)


def _force(measure: Measure) -> bool:
    return measure.whole and measure.unit == "N" and measure.shape == (3,)


_FORMS: Mapping[Form, Callable[[Measure], bool]] = {
    "axis": lambda measure: measure.shape == (),
    "scalar": _scalar,
    "vector": lambda measure: measure.whole and measure.shape in ((), (2,), (3,)),
    "point": _point,
    "place": lambda measure: _point(measure) or (_scalar(measure) and stem("position") in measure.words),
    "distance": _distance,
    "joints": lambda measure: "joints" in measure.words,
    "contact": _contact,
    "force": _force,
    "named": _scalar,
    "any": lambda measure: True,
}
