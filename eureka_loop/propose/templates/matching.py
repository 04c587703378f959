"""Measures for the roles of a term: what may fill a slot at all, and what fits the task best."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from eureka_loop.propose.templates.library import Role, TermTemplate
from eureka_loop.propose.templates.measures import Measure, measures
from eureka_loop.propose.templates.text import TaskText, Trigger, Way, lexicon, stem, stems
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

NEVER = -9.0  # no other merit makes up for it
_NOT_MEASURED = frozenset({"dt", "time", "time_left", "terminated", "action", "obs", "qpos", "qvel"})
_KEPT = 3  # bindings of one template
_CLOSE = 2.5  # of a binding's score below the best one's, at most
_FAR = 6.0  # words from the one that asks for a term, beyond which a thing's mention is about something else

_POSITION = stems(["pos", "position"])

Fit = tuple[float, Measure]


@dataclass(frozen=True, slots=True)
class Binding:
    """Measures by slot; `way`: the axis and sign that the text chose."""

    measures: Mapping[str, Measure]
    way: Way
    trigger: Trigger


class Matcher:
    """The measures of an env, seen with a task in mind.

    Args:
        hints: names that the task's fitness is computed from.
    """

    def __init__(self, vocabulary: Vocabulary, text: TaskText, hints: frozenset[str]) -> None:
        self.measures = measures(vocabulary)
        self.hints = hints
        self._text = text
        things = lexicon()["things"]
        effectors = [stem(name) for name in things["effectors"]]
        self._effectors = {name: effectors.index(name) for name in effectors}
        self._targets, self._objects, self._feet, self._bodies = (
            stems(things[kind]) for kind in ("targets", "objects", "feet", "main")
        )
        self._main = self._main_thing()
        self._aims = any(text.aims_at(measure.thing) for measure in self.measures)

    def bind(self, template: TermTemplate) -> list[Binding]:
        """The best ways to fill a template's slots; empty where a slot stays empty."""
        trigger = self._text.trigger(template)
        for way in self._ways(template, trigger):
            slots = [self._candidates(role, way, trigger.place) for role in template.roles.values()]
            scored: list[tuple[float, Binding]] = []
            for chosen in itertools.product(*slots):
                filled = {slot: measure for slot, (_, measure) in zip(template.roles, chosen, strict=True)}
                if _go_together(template, filled):
                    score = sum(fit for fit, _ in chosen) / len(chosen)
                    scored.append((score, Binding(filled, way, trigger)))
            if scored:
                scored.sort(key=lambda each: -each[0])
                return [each for score, each in scored[:_KEPT] if score >= scored[0][0] - _CLOSE]
        return []

    def _ways(self, template: TermTemplate, trigger: Trigger) -> Iterator[Way]:
        """The way asked for; for turns, the other axes too: a planar robot can turn about one alone."""
        _, direction = template.directed
        axis, sign = self._text.way(direction, trigger.place)
        yield axis, sign
        if direction in ("turn", "flip"):
            yield from ((other, sign) for other in ("z", "y", "x") if other != axis)

    def _candidates(self, role: Role, way: Way, near: int) -> list[Fit]:
        fits = [(self._fit(role, each, near), each) for each in self.measures if _admissible(role, each, way)]
        return sorted((each for each in fits if each[0] > 0.0), key=lambda fit: -fit[0])[: 2 * _KEPT]

    def _fit(self, role: Role, measure: Measure, near: int) -> float:
        """How well a measure fills a role; 0 and below: not at all."""
        hinted = measure.parameter in self.hints
        if role.name or (role.form == "named" and not hinted):
            return 5.0 if role.name else NEVER
        fit = 2.0 - measure.position + 1.5 * hinted
        fit -= 1.0 * (bool(role.direction) and not measure.axis)
        fit -= 1.0 * (role.form == "vector" and measure.shape == ())
        return fit if role.form in ("joints", "named") else fit + self._belonging(role, measure, near)

    def _belonging(self, role: Role, measure: Measure, near: int) -> float:
        """How well a measure's thing suits a role; `near`: the place of the word that asks for the term."""
        share, _ = self._text.mentions(measure.thing)
        if role.subject == "main":
            return self._as_main(measure, near)
        if role.subject == "target":
            return self._as_target(measure.toward or measure.thing)
        if measure.thing & self._targets:
            return NEVER
        if role.subject == "foot":
            return 2.0 + share if measure.thing & self._feet else (2.0 * share or NEVER)
        if role.subject == "object":
            if measure.thing & self._objects:
                return 2.0 + 2.0 * share
            is_robot = measure.thing & (self._effectors.keys() | self._bodies)
            return 2.0 * share if share and not is_robot else NEVER
        return self._as_effector(measure, share)

    def _as_main(self, measure: Measure, near: int) -> float:
        """The robot's main body; but a thing that the text names close by wins ("raise the left arm")."""
        own = not measure.thing or measure.thing == self._main
        usual = 1.5 if own else -2.0 + 0.5 * bool(measure.thing & self._main)
        share, place = self._text.mentions(measure.thing)
        closeness = max(0.0, 1.0 - abs(place - near) / _FAR)
        return max(usual, 7.0 * share * closeness - 0.5) if share else usual

    def _as_target(self, thing: frozenset[str]) -> float:
        """The thing that the text aims at ("touch the ball"); if unknown, one called a target."""
        aimed = self._text.aims_at(thing)
        if thing & self._targets and (aimed or not self._aims):
            return 3.0 + aimed
        return 3.0 * aimed or NEVER

    def _as_effector(self, measure: Measure, share: float) -> float:
        """The part that handles things: a fingertip above a hand above an arm; the better if named."""
        if measure.thing & self._objects:
            return NEVER
        ranks = [self._effectors[part] for part in measure.thing if part in self._effectors]
        if ranks:  # of two parts of a limb the later one is further out
            return 3.0 - 0.15 * min(ranks) + 2.0 * measure.position + 2.0 * share
        return 2.0 * share + (0.5 if measure.thing == self._main else -1.5)

    def _main_thing(self) -> frozenset[str]:
        """The body that represents the robot: the first of the usual names, else the first body."""
        bodies = [
            each.thing for each in self.measures if each.shape == (3,) and each.unit == "m" and each.thing
        ]
        names = [stem(name) for name in lexicon()["things"]["main"]]
        named = [thing for name in names for thing in bodies if thing == {name}]
        partly = [thing for name in names for thing in bodies if name in thing]
        others = [thing for thing in bodies if not thing & (self._targets | self._objects)]
        return next(iter([*named, *partly, *others]), frozenset())


def fitness_names(source: str) -> frozenset[str]:
    """The observables that a fitness function takes: its parameters. Its body is not read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "fitness"]
    names = {argument.arg for function in functions for argument in function.args.args}
    for prefix in PREFIXES:
        names = {name.removeprefix(prefix) for name in names}
    return frozenset(names) - _NOT_MEASURED


def _admissible(role: Role, measure: Measure, way: Way) -> bool:
    """Whether a measure may fill a role, by unit, form, axis and the words of its name."""
    if role.name:
        return measure.code == role.name and (measure.varies or not role.varies)
    if role.unit is not None and measure.unit != role.unit:
        return False
    if (role.words and not measure.words & stems(role.words)) or measure.words & stems(role.avoid):
        return False
    if role.direction and measure.axis != way[0] and (role.strict or measure.axis):
        return False
    return FORMS[role.form](measure) and (measure.varies or not role.varies)


def _go_together(template: TermTemplate, filled: Mapping[str, Measure]) -> bool:
    """Two positions, or two contacts, must have one shape and unit, and belong to two things."""
    for form in ("point", "contact"):
        pair = [measure for slot, measure in filled.items() if template.roles[slot].form == form]
        kinds = {(measure.shape, measure.unit) for measure in pair}
        if len(kinds) > 1 or len({measure.thing for measure in pair}) < len(pair):
            return False
    return True


def _point(measure: Measure) -> bool:
    return measure.whole and measure.shape in ((2,), (3,)) and bool(measure.words & _POSITION)


def _scalar(measure: Measure) -> bool:
    return measure.whole and measure.shape == ()


def _force(measure: Measure) -> bool:
    return measure.whole and measure.unit == "N" and measure.shape == (3,)


def _distance(measure: Measure) -> bool:
    way = measure.whole and bool(measure.toward) and measure.shape in ((2,), (3,))
    return way or (_scalar(measure) and bool(measure.words & stems(["distance", "dist"])))


def _contact(measure: Measure) -> bool:
    flag = _scalar(measure) and measure.unit == "" and "contact" in measure.words
    return flag or (_force(measure) and "ground" in measure.words)


FORMS: Mapping[str, Callable[[Measure], bool]] = {
    "axis": lambda measure: measure.shape == (),  # a scalar, or one axis of a vector in the world
    "scalar": _scalar,
    "vector": lambda measure: measure.whole and measure.shape in ((), (2,), (3,)),  # or a scalar
    "point": _point,  # a position (2,) or (3,)
    "place": lambda measure: _point(measure) or (_scalar(measure) and stem("position") in measure.words),
    "distance": _distance,  # a scalar distance, or the way from one thing to another
    "joints": lambda measure: "joints" in measure.words,  # the driven joints, (k,)
    "contact": _contact,  # a 0/1 flag, or a contact force (3,)
    "force": _force,  # a contact force (3,)
    "named": _scalar,  # any scalar that the fitness names
    "any": lambda measure: True,
}
