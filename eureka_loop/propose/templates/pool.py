"""Every term that could serve a task in an env: templates, bound, and how much each is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eureka_loop.propose.templates.binding import Binding, Scene, fitness_names
from eureka_loop.propose.templates.genes import Gene, gene
from eureka_loop.propose.templates.intent import Intent
from eureka_loop.propose.templates.terms import Purpose, Setting, TermTemplate, evaluate, library, render
from eureka_loop.propose.templates.words import stems
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

_USUAL = ("progress", "gap", "carry", "reach", "height")
_ASKED_FOR = 0.8  # trigger strength from which a text asks for a term
_BEHIND = 0.45  # a goal asked for this much less than the strongest one is left out
_ENDS = re.compile(r"terminates (?:when|if)|episode ends at")
_WORSE_WHEN_MORE = stems(["distance", "dist", "error", "cost", "drift", "loss"])
_WAYS = {
    ("x", 1): "forward", ("x", -1): "backward", ("y", 1): "to the left", ("y", -1): "to the right",
    ("z", 1): "upward", ("z", -1): "downward",
}  # fmt: skip
_TURNS = {
    ("x", 1): "rolling to its right", ("x", -1): "rolling to its left", ("y", 1): "rolling forward",
    ("y", -1): "rolling backward", ("z", 1): "to the left", ("z", -1): "to the right",
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One template, bound: what a program can hold.

    Attributes:
        key: its key in the dict of terms; a template's bindings share it, so a program holds one of them.
        purpose: the template's, but "goal" for a shaping term that the text asks for.
        wish: how much the text asks for it, 0 to 2.5; below 0: the fitness names it, the text does not.
        prior: chance of a place in a program whose task does not ask for it.
        known: names a program can ask for.
        asked: what the text says beyond that, for the settings' defaults: its numbers, whether "slowly",
            whether it asks for something to be done.
    """

    binding: Binding
    key: str
    purpose: Purpose
    wish: float
    prior: float
    known: frozenset[str]
    asked: Mapping[str, Any]

    @property
    def template(self) -> TermTemplate:
        return self.binding.template

    @cached_property
    def genes(self) -> dict[str, Gene]:
        """Shape → gene with its default weights."""
        return {shape: self._gene(shape) for shape in self.template.shapes}

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Weight → least and greatest value a mutation may give it."""
        found: dict[str, tuple[float, float]] = {}
        for each in self.genes.values():
            for name, default in each.weights.items():
                setting = self._setting(name)
                low, high = found.get(name, (default, default))
                found[name] = (min(low, default * setting.low), max(high, default * setting.high))
        return found

    def _gene(self, shape: str) -> Gene:
        names = self._keywords()
        context = {
            **self.binding.measures,
            **self.asked,
            "shape": shape,
            "key": self.key,
            "sign": "-" if self._sign() < 0 else "",
            "toward": self._toward(),
        }
        settings = {"w": self.template.weight, **self.template.settings}
        values = {names[slot]: evaluate(setting.default, context) for slot, setting in settings.items()}
        return gene(render(self.template, {**context, **names}), values, self.known)

    def _keywords(self) -> dict[str, str]:
        """Slot → keyword: "w" → the key itself, "margin" → "reach_margin"; no observable's name."""
        names = {"w": self.key} | {slot: f"{self.key}_{slot}" for slot in self.template.settings}
        suffix = {"w": "_weight"}
        return {
            slot: name + suffix.get(slot, "_value") if name in self.known else name
            for slot, name in names.items()
        }

    def _setting(self, keyword: str) -> Setting:
        slot = next(slot for slot, name in self._keywords().items() if name == keyword)
        return self.template.weight if slot == "w" else self.template.settings[slot]

    def _sign(self) -> int:
        directed = next((role.slot for role in self.template.roles if role.direction), None)
        sign = self.binding.way[1] * self.binding.trigger.sign
        if directed is not None:
            return sign * (-1 if self.binding.measures[directed].flipped else 1)
        if self.template.last_resort:
            measured = next(iter(self.binding.measures.values()))
            return -1 if measured.words & _WORSE_WHEN_MORE else 1
        return sign

    def _toward(self) -> str:
        turning = any(role.direction in ("turn", "flip") for role in self.template.roles)
        return (_TURNS if turning else _WAYS).get(self.binding.way, "")


@dataclass(frozen=True)
class Pool:
    """All terms of a task, the most wished for first.

    Attributes:
        endable: the env can end an episode before its time.
    """

    terms: tuple[Term, ...]
    endable: bool

    @cached_property
    def goals(self) -> tuple[Term, ...]:
        """What the task is about: one binding a template, strongest first; never empty if any goal binds."""
        goals = [term for term in self.terms if term.purpose == "goal"]
        strongest = max((term.wish for term in goals), default=0.0)
        asked = [term for term in goals if term.wish >= max(_ASKED_FOR, _BEHIND * strongest)]
        asked = asked or [term for term in goals if 0 < term.wish == strongest]
        return _first_of_each(asked or self._guessed(goals))

    @property
    def extras(self) -> tuple[Term, ...]:
        """Shaping and costs, one binding a template; and goals that the text only hints at."""
        goals = {term.template.name for term in self.goals}
        apart = [term for term in self.terms if term.template.name not in goals]
        return _first_of_each(term for term in apart if term.purpose != "goal" or term.wish > 0)

    def recognise(self, each: Gene) -> tuple[Term, str] | None:
        """The term and shape a gene was rendered from; None for another author's."""
        return self._forms.get(each.form)

    def others(self, term: Term) -> tuple[Term, ...]:
        """The same template with other measures in its slots."""
        return tuple(each for each in self.terms if each.template is term.template and each is not term)

    @cached_property
    def _forms(self) -> dict[str, tuple[Term, str]]:
        return {each.form: (term, shape) for term in self.terms for shape, each in term.genes.items()}

    def _guessed(self, goals: list[Term]) -> list[Term]:
        """The text asks for nothing known: go by what the fitness is made of, then by what is usual."""
        hinted = [term for term in goals if term.template.from_fitness and term.wish < 0]
        usual = [term for name in _USUAL for term in goals if term.template.name == name]
        return hinted[:2] or usual[:1] or goals[:1]


def pool(task: Task, vocabulary: Vocabulary) -> Pool:
    """Every template bound in every sensible way. Reads the task's text, and its fitness's signature."""
    intent = Intent(task.text)
    scene = Scene(vocabulary, intent, fitness_names(task.fitness))
    visible = vocabulary.names()
    known = frozenset([*visible, *(prefix + name for prefix in PREFIXES for name in visible)])
    endable = _can_end(vocabulary)
    templates = [template for template in library() if endable or not template.needs_end]
    bindings = [binding for template in templates for binding in scene.bind(template)]
    asked = {"asked": intent.asked, "slowly": intent.slowly, "active": _is_active(bindings)}
    terms = [_term(binding, _key(binding.template, known), known, asked, scene.hints) for binding in bindings]
    terms.sort(key=lambda term: -term.wish)
    return Pool(tuple(terms), endable)


def _can_end(vocabulary: Vocabulary) -> bool:
    """Whether an episode can end before its time, as the survey saw it or the texts say it."""
    told = [vocabulary.documentation, *(each.description for each in vocabulary if not each.hidden)]
    ended = [each.high for each in vocabulary if each.name == "terminated" and each.high]
    return any(high[0] > 0 for high in ended) or any(_ENDS.search(text) for text in told)


def _is_active(bindings: Iterable[Binding]) -> bool:
    """Whether the text asks for something to be done, not for a state to be kept.

    Then staying alive is paid little: paid like the goal, it teaches to stand still, within short budgets at
    least (Hopper, PPO, 40k steps: fitness 0.006 at 1 : 1, 0.138 at 1 : 0.2).
    """
    asked = [each for each in bindings if each.trigger.strength >= _ASKED_FOR]
    kept = any(each.template.may_be_goal and each.trigger.named for each in asked)
    return not kept or any(each.template.purpose == "goal" for each in asked)


def _term(
    binding: Binding, key: str, known: frozenset[str], asked: Mapping[str, Any], hints: frozenset[str]
) -> Term:
    template, wish = binding.template, binding.trigger.strength
    hinted = template.from_fitness and all(m.parameter in hints for m in binding.measures.values())
    if template.last_resort:
        wish = -0.5 if hinted else -1.0
    elif wish == 0.0 and hinted:
        wish = -0.1 - 0.01 * len(binding.measures)
    promoted = template.may_be_goal and binding.trigger.named
    return Term(binding, key, "goal" if promoted else template.purpose, wish, template.prior, known, asked)


def _key(template: TermTemplate, known: frozenset[str]) -> str:
    """The template's key, or one like it where an observable has that name; its bindings share it."""
    return next(key for key in (template.key, f"{template.key}_term", template.name) if key not in known)


def _first_of_each(terms: Iterable[Term]) -> tuple[Term, ...]:
    kept: dict[str, Term] = {}
    for term in terms:
        kept.setdefault(term.template.name, term)
    return tuple(kept.values())
