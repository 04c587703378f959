"""Whose quantity a measure is: the robot's own, its hand's, the object's, the target's, a foot's."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.propose.templates.intent import Intent
from eureka_loop.propose.templates.measures import Measure
from eureka_loop.propose.templates.terms import Role
from eureka_loop.propose.templates.words import lexicon, stem, stems

NEVER = -9.0  # no other merit makes up for it
_FAR = 6.0  # words from the one that asks for a term, beyond which a thing's mention is about something else


class Subjects:
    """Judges what things measures belong to, in the light of a task's text."""

    def __init__(self, intent: Intent, measures: Sequence[Measure]) -> None:
        self._intent = intent
        things = lexicon()["things"]
        self._ranks: dict[str, int] = {
            stem(name): rank for rank, name in reversed(list(enumerate(things["effectors"])))
        }
        self._targets, self._objects = stems(things["targets"]), stems(things["objects"])
        self._feet, self._bodies = stems(things["feet"]), stems(things["main"])
        self.main = self._main_thing(measures)
        self._aims = any(intent.aims_at(measure.thing) for measure in measures)

    def belonging(self, role: Role, measure: Measure, near: int) -> float:
        """How well a measure's thing suits a role; `near`: the place of the word that asks for the term."""
        match role.subject:
            case "main":
                return self._is_main(measure, near)
            case "target":
                return self._is_target(measure.toward or measure.thing)
            case _ if measure.thing & self._targets:
                return NEVER
            case "object":
                return self._is_object(measure)
            case "foot":
                share, _ = self._intent.mentions(measure.thing)
                return 2.0 + share if measure.thing & self._feet else (2.0 * share or NEVER)
            case _:
                return self._handles(measure)

    def _is_main(self, measure: Measure, near: int) -> float:
        """The robot's own; but a thing that the text names close by wins ("raise the left arm")."""
        own = not measure.thing or measure.thing == self.main
        standing = 1.5 if own else -2.0 + 0.5 * bool(measure.thing & self.main)
        share, place = self._intent.mentions(measure.thing)
        closeness = max(0.0, 1.0 - abs(place - near) / _FAR)
        return max(standing, 7.0 * share * closeness - 0.5) if share else standing

    def _is_target(self, thing: frozenset[str]) -> float:
        """What the text aims at ("touch the ball"); where that is nothing known, what is called a target."""
        aimed = self._intent.aims_at(thing)
        if thing & self._targets and (aimed or not self._aims):
            return 3.0 + aimed
        return 3.0 * aimed or NEVER

    def _is_object(self, measure: Measure) -> float:
        share, _ = self._intent.mentions(measure.thing)
        if measure.thing & self._objects:
            return 2.0 + 2.0 * share
        handles = measure.thing & (self._ranks.keys() | self._bodies)
        return 2.0 * share if share and not handles else NEVER

    def _handles(self, measure: Measure) -> float:
        """What a robot handles things with: a fingertip above a hand above an arm; the better if named."""
        if measure.thing & self._objects:
            return NEVER
        share, _ = self._intent.mentions(measure.thing)
        ranks = [self._ranks[part] for part in measure.thing if part in self._ranks]
        if ranks:  # of two parts of a limb the later one is further out
            return 3.0 - 0.15 * min(ranks) + 2.0 * measure.position + 2.0 * share
        return (0.5 if measure.thing == self.main else -1.5) + 2.0 * share

    def _main_thing(self, measures: Sequence[Measure]) -> frozenset[str]:
        """The body that stands for the whole robot: the first of the usual names, else the first body."""
        bodies = [each.thing for each in measures if each.shape == (3,) and each.unit == "m" and each.thing]
        names = [stem(name) for name in lexicon()["things"]["main"]]
        named = [thing for name in names for thing in bodies if thing == {name}]
        partly = [thing for name in names for thing in bodies if name in thing]
        others = [thing for thing in bodies if not thing & (self._targets | self._objects)]
        return next(iter([*named, *partly, *others]), frozenset())
