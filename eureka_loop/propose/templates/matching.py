"""Measures for the roles of a term: what may fill a slot at all, and what fits the task best."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from eureka_loop.propose.templates.library import Form, Role, TermTemplate
from eureka_loop.propose.templates.measures import Measure, measures
from eureka_loop.propose.templates.text import TaskText, Trigger, Way, lexicon, stem, stems
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

NEVER = -9.0  # no other merit makes up for it
_NOT_MEASURED = frozenset({"dt", "time", "time_left", "terminated", "action", "obs", "qpos", "qvel"})
_KEPT = 3  # bindings of one template
_CLOSE = 2.5  # of a binding's score below the best one's, at most
_FAR = 6.0  # words from the one that asks for a term, beyond which a thing's mention is about something else


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
        self.hints = hints
        self._measures, self._text = measures(vocabulary), text
        things = lexicon()["things"]
        self._effectors = [stem(name) for name in things["effectors"]]
        self._targets, self._objects, self._feet, self._bodies = (
            stems(things[kind]) for kind in ("targets", "objects", "feet", "main")
        )
        self._main = self._main_thing()
        # Nothing moves sideways: left and right are those of a picture from the side, -x and +x.
        self._planar = not any(
            each.axis == "y" and each.unit in ("m", "m/s") and each.varies for each in self._measures
        )
        self._aims = any(text.aims_at(measure.thing) for measure in self._measures)

    def bind(self, template: TermTemplate) -> list[Binding]:
        """The best ways to fill a template's slots; empty where a slot stays empty."""
        trigger, (_, direction) = self._text.trigger(template), template.directed
        axis, sign = self._text.way(direction, trigger.place)
        if direction == "move" and axis == "y" and self._planar:
            axis, sign = "x", -sign
        # for turns the other axes, too: a planar robot can turn about one alone
        axes = dict.fromkeys([axis, *("zyx" if direction in ("turn", "flip") else "")])
        for way in [(each, sign) for each in axes]:
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

    def _candidates(self, role: Role, way: Way, near: int) -> list[tuple[float, Measure]]:
        allowed = [each for each in self._measures if _admissible(role, each, way)]
        fits = [(fit, each) for each in allowed if (fit := self._fit(role, each, near)) > 0.0]
        return sorted(fits, key=lambda fit: -fit[0])[: 2 * _KEPT]

    def _fit(self, role: Role, measure: Measure, near: int) -> float:
        """How well a measure fills a role; 0 and below: not at all.

        Args:
            near: the place of the word that asks for the term.
        """
        hinted = measure.parameter in self.hints
        if role.name or (role.form == "named" and not hinted):
            return 5.0 if role.name else NEVER
        fit = 2.0 - measure.position + 1.5 * hinted
        fit -= bool(role.direction) and not measure.axis
        fit -= role.form == "vector" and measure.shape == ()
        if role.form in ("joints", "named"):
            return fit
        return fit + (self._as_main(measure, near) if role.subject == "main" else self._as(role, measure))

    def _as_main(self, measure: Measure, near: int) -> float:
        """The robot's main body; but a thing that the text names close by wins ("raise the left arm")."""
        own = not measure.thing or measure.thing == self._main
        usual = 1.5 if own else -2.0 + 0.5 * bool(measure.thing & self._main)
        share, place = self._text.mentions(measure.thing)
        closeness = max(0.0, 1.0 - abs(place - near) / _FAR)
        return max(usual, 7.0 * share * closeness - 0.5) if share else usual

    def _as(self, role: Role, measure: Measure) -> float:
        """How well a measure's thing suits a role, the better if the text names it."""
        thing, share = measure.thing, self._text.mentions(measure.thing)[0]
        if role.subject == "target":  # what the text aims at ("touch the ball"); else one called a target
            aim = self._text.aims_at(measure.toward or thing)
            called = (measure.toward or thing) & self._targets and (aim or not self._aims)
            return 3.0 + aim if called else 3.0 * aim or NEVER
        if thing & self._targets:
            return NEVER
        if role.subject == "foot":
            return 2.0 + share if thing & self._feet else 2.0 * share or NEVER
        if role.subject == "object":
            is_robot = thing & (self._bodies | {*self._effectors})
            return 2.0 + 2.0 * share if thing & self._objects else 2.0 * share * (not is_robot) or NEVER
        if thing & self._objects:
            return NEVER
        ranks = [self._effectors.index(part) for part in thing if part in self._effectors]
        if ranks:  # a fingertip above a hand above an arm; of two parts of a limb the later is further out
            return 3.0 - 0.15 * min(ranks) + 2.0 * measure.position + 2.0 * share
        return 2.0 * share + (0.5 if thing == self._main else -1.5)

    def _main_thing(self) -> frozenset[str]:
        """The body that represents the robot: the first of the usual names, else the first body."""
        bodies = [
            each.thing for each in self._measures if each.shape == (3,) and each.unit == "m" and each.thing
        ]
        names = [stem(name) for name in lexicon()["things"]["main"]]
        named = [thing for name in names for thing in bodies if thing == {name}]
        partly = [thing for name in names for thing in bodies if name in thing]
        others = [thing for thing in bodies if not thing & (self._targets | self._objects)]
        return next(iter([*named, *partly, *others]), frozenset())


def fitness_names(source: str) -> frozenset[str]:
    """The observables that a fitness function takes: its parameters. Its body is not read."""
    signature = re.search(r"^def fitness\((.*?)\)", source, re.MULTILINE | re.DOTALL)
    names = re.findall(r"\w+", signature[1]) if signature else []
    bare = [re.sub(f"^({'|'.join(PREFIXES)})", "", name) for name in names]
    return frozenset(bare) - _NOT_MEASURED


def _admissible(role: Role, measure: Measure, way: Way) -> bool:
    """Whether a measure may fill a role, by unit, form, axis and the words of its name."""
    if role.varies and not measure.varies:
        return False
    if role.name:
        return measure.code == role.name
    if role.unit is not None and measure.unit != role.unit:
        return False
    if (role.words and not measure.words & stems(role.words)) or measure.words & stems(role.avoid):
        return False
    if role.direction and measure.axis != way[0] and (role.strict or measure.axis):
        return False
    return role.form in forms(measure)


def _go_together(template: TermTemplate, filled: Mapping[str, Measure]) -> bool:
    """Two positions, or two contacts, must have one shape and unit, and two things."""
    for form in ("point", "contact"):
        pair = [measure for slot, measure in filled.items() if template.roles[slot].form == form]
        kinds = {(measure.shape, measure.unit) for measure in pair}
        if len(kinds) > 1 or len({measure.thing for measure in pair}) < len(pair):
            return False
    return True


@cache
def forms(measure: Measure) -> frozenset[Form]:
    """The forms of a role that a measure has."""

    def named(*words: str) -> bool:
        return bool(measure.words & stems(words))

    scalar = measure.whole and measure.shape == ()
    vector = measure.whole and measure.shape in ((2,), (3,))
    point = vector and named("pos", "position")
    force = vector and measure.unit == "N"
    found: dict[Form, bool] = {
        "any": True,
        "axis": measure.shape == (),
        "named": scalar,
        "scalar": scalar,
        "vector": vector or scalar,
        "point": point,
        "place": point or (scalar and named("position")),
        "distance": (vector and bool(measure.toward)) or (scalar and named("distance", "dist")),
        "joints": "joints" in measure.words,
        "contact": (scalar and not measure.unit and named("contact")) or (force and named("ground")),
        "force": force,
    }
    return frozenset(form for form, holds in found.items() if holds)
