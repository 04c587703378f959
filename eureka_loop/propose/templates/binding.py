"""Roles to measures: what of an env's vocabulary can fill a term's slots, best first."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eureka_loop.propose.templates.forms import admissible, go_together
from eureka_loop.propose.templates.intent import Intent, Trigger, Way
from eureka_loop.propose.templates.inventory import inventory
from eureka_loop.propose.templates.measures import Measure
from eureka_loop.propose.templates.subjects import Subjects
from eureka_loop.propose.templates.terms import Role, TermTemplate
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

_NOT_MEASURED = frozenset({"dt", "time", "time_left", "terminated", "action", "obs", "qpos", "qvel"})
_KEPT = 3  # bindings of one template that a pool holds
_CLOSE = 2.5  # how far behind the best a binding may be

Fit = tuple[float, Measure]


@dataclass(frozen=True, slots=True)
class Binding:
    """A template with its slots filled. `way` is the axis and sign that the text chose."""

    template: TermTemplate
    measures: Mapping[str, Measure]
    way: Way
    trigger: Trigger
    score: float


class Scene:
    """An env's measures, seen with a task in mind.

    Args:
        hints: names that the task's fitness is computed from.
    """

    def __init__(self, vocabulary: Vocabulary, intent: Intent, hints: frozenset[str]) -> None:
        self.measures = inventory(vocabulary)
        self.hints = hints
        self._intent = intent
        self._subjects = Subjects(intent, self.measures)

    def bind(self, template: TermTemplate) -> list[Binding]:
        """The best ways to fill a template's slots; empty where a slot stays empty."""
        trigger = self._intent.trigger(template)
        for way in self._ways(template, trigger):
            slots = [self._candidates(role, way, trigger.place) for role in template.roles]
            found = [
                _joined(template, chosen, way, trigger)
                for chosen in itertools.product(*slots)
                if go_together(template.roles, [measure for _, measure in chosen])
            ]
            if found:
                found.sort(key=lambda binding: -binding.score)
                return [each for each in found[:_KEPT] if each.score >= found[0].score - _CLOSE]
        return []

    def _ways(self, template: TermTemplate, trigger: Trigger) -> Iterator[Way]:
        """The way asked for; for turns, the other axes too: a planar robot can turn about one alone."""
        direction = next((role.direction for role in template.roles if role.direction), None)
        if direction is None:
            yield "", 1
            return
        axis, sign = self._intent.way(direction, trigger.place)
        yield axis, sign
        if direction in ("turn", "flip"):
            yield from ((other, sign) for other in ("z", "y", "x") if other != axis)

    def _candidates(self, role: Role, way: Way, near: int) -> list[Fit]:
        fits = [(self._fit(role, each, near), each) for each in self.measures if admissible(role, each, way)]
        if role.form == "named":
            fits = [(fit, measure) for fit, measure in fits if measure.parameter in self.hints]
        fits = [(fit, measure) for fit, measure in fits if fit > 0.0]
        return sorted(fits, key=lambda pair: -pair[0])[: 2 * _KEPT]

    def _fit(self, role: Role, measure: Measure, near: int) -> float:
        """How well a measure fills a role; nothing below zero will do."""
        if role.name:
            return 5.0
        fit = 2.0 - measure.position
        fit += 1.5 * (measure.parameter in self.hints)
        fit -= 1.0 * (bool(role.direction) and not measure.axis)
        fit -= 1.0 * (role.form == "vector" and measure.shape == ())
        fit -= 0.5 * ("geom" in measure.words)
        if role.form in ("joints", "named"):
            return fit
        return fit + self._subjects.belonging(role, measure, near)


def fitness_names(source: str) -> frozenset[str]:
    """The observables a fitness function asks for: its parameters. Nothing else of it is read.

    Whoever gives a fitness names what matters; how it is computed from that is not a designer's business.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "fitness"]
    names = {argument.arg for function in functions for argument in function.args.args}
    return frozenset(_bare(name) for name in names) - _NOT_MEASURED


def _bare(name: str) -> str:
    prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
    return name.removeprefix(prefix)


def _joined(template: TermTemplate, chosen: Sequence[Fit], way: Way, trigger: Trigger) -> Binding:
    filled = {role.slot: measure for role, (_, measure) in zip(template.roles, chosen, strict=True)}
    return Binding(template, filled, way, trigger, sum(fit for fit, _ in chosen) / len(chosen))
