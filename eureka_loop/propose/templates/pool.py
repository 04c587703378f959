"""All terms that could serve a task in an env, and how strongly the task asks for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from eureka_loop.propose.templates.library import TermTemplate, evaluate, library
from eureka_loop.propose.templates.matching import Binding, Matcher, fitness_names
from eureka_loop.propose.templates.program import Gene, Genome, compatible, gene
from eureka_loop.propose.templates.text import TaskText, stems
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

_USUAL = ("progress", "gap", "carry", "reach", "height")
_ASKED_FOR = 0.8  # strength from which a text asks for a term
_BEHIND = 0.45  # of the strongest goal's strength: a weaker goal is left out
_ENDS = re.compile(r"terminates (?:when|if)|episode ends at")
_WORSE_WHEN_MORE = stems(["distance", "dist", "error", "cost", "drift", "loss"])
_ORDER = ("goal", "shaping", "cost")


@dataclass(frozen=True, eq=False)
class Term:
    """A template with measures in its slots: what a program can hold.

    Attributes:
        key: its key in the dict of terms; bindings of a template share it: a program holds one.
        purpose: the template's, but "goal" for a shaping term that the text asks for.
        wish: how strongly the text asks for it, 0 to 2.5; below 0: the fitness names it, the text doesn't.
        known: names a program can ask for.
        asked: from the text, for the settings' defaults: `asked` (its numbers), `slowly`, and `active` (the
            text asks for something to be done).
    """

    binding: Binding
    key: str
    purpose: Literal["goal", "shaping", "cost"]
    wish: float
    known: frozenset[str]
    asked: Mapping[str, Any]

    @property
    def template(self) -> TermTemplate:
        return self.binding.template

    @cached_property
    def genes(self) -> dict[str, Gene]:
        """Shape → gene with its default weights: `<key>` itself, and `<key>_<setting>`."""
        axis, sign = self.binding.way[0], self._sign
        settings = {slot: f"{self.key}_{slot}" for slot in self.template.settings}
        found = {}
        for shape in self.template.shapes:
            context = {
                **self.binding.measures,
                **self.asked,
                "shape": shape,
                "key": self.key,
                "sign": "-" if sign < 0 else "",
                "toward": f"{'-' if self.binding.way[1] < 0 else '+'}{axis}",
            }
            numbers = {self.key: evaluate(self.template.weight.default, context)}
            for slot, name in settings.items():
                numbers[name] = evaluate(self.template.settings[slot].default, context)
            text = self.template.render({**context, "w": self.key, **settings})
            found[shape] = gene(text, numbers, self.known)
        return found

    def range(self, shape: str, weight: str) -> tuple[float, float]:
        """Least and greatest value that a mutation may give a weight."""
        slot = weight.removeprefix(f"{self.key}_")
        low, high = self.template.settings.get(slot, self.template.weight).range
        default = self.genes[shape].weights[weight]
        return low * default, high * default

    @property
    def _sign(self) -> int:
        measures = self.binding.measures
        if self.template.last_resort:
            return -1 if next(iter(measures.values())).words & _WORSE_WHEN_MORE else 1
        directed = measures.get(self.template.directed[0])
        sign = self.binding.way[1] * self.binding.trigger.sign
        return -sign if directed is not None and directed.flipped else sign


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
        """The task's goals: one binding of each template, strongest first; never empty if any goal binds."""
        goals = [term for term in self.terms if term.purpose == "goal"]
        strongest = max((term.wish for term in goals), default=0.0)
        asked = [term for term in goals if term.wish >= max(_ASKED_FOR, _BEHIND * strongest)]
        asked = asked or [term for term in goals if 0 < term.wish == strongest]
        if not asked:  # the text asks for nothing known: what the fitness names, then what is usual
            hinted = [term for term in goals if term.template.from_fitness and term.wish < 0]
            usual = [term for name in _USUAL for term in goals if term.template.name == name]
            asked = hinted[:2] or usual[:1] or goals[:1]
        return _first_of_each(asked)

    @cached_property
    def extras(self) -> tuple[Term, ...]:
        """Shaping and costs, one binding of each template; and goals that the text only hints at."""
        goals = {term.template.name for term in self.goals}
        others = [term for term in self.terms if term.template.name not in goals]
        return _first_of_each(term for term in others if term.purpose != "goal" or term.wish > 0)

    def others(self, term: Term) -> tuple[Term, ...]:
        """The same template with other measures in its slots."""
        return tuple(each for each in self.terms if each.template is term.template and each is not term)

    def usual(self, term: Term) -> Gene:
        """In its first shape; where an episode can end early, in the first that never pays below zero."""
        positive = term.template.positive if self.endable else ()
        return term.genes[(*positive, *term.template.shapes)[0]]

    def recognise(self, each: Gene) -> tuple[Term, str] | None:
        """The term and shape that a gene was rendered from; None for another author's."""
        return self._forms.get(each.form)

    def restore(self, each: Gene) -> Gene:
        """A gene with the comments of its template."""
        found = self.recognise(each)
        return each if found is None else found[0].genes[found[1]].weighted(each.weights)

    def is_goal(self, each: Gene) -> bool:
        """Another author's term counts as a goal: it is not dropped lightly."""
        found = self.recognise(each)
        return found is None or found[0].purpose == "goal"

    def join(self, genes: Iterable[Gene]) -> Genome:
        """Those that fit together, the first ones kept: goals, then shaping (or foreign), then costs."""
        chosen: list[Gene] = []
        for each in genes:
            if all(compatible(each, other) for other in chosen):
                chosen.append(each)
        found = {each.key: self.recognise(each) for each in chosen}
        purposes = {key: each[0].purpose if each else "shaping" for key, each in found.items()}
        return tuple(sorted(chosen, key=lambda each: _ORDER.index(purposes[each.key])))

    @cached_property
    def _forms(self) -> dict[str, tuple[Term, str]]:
        return {each.form: (term, shape) for term in self.terms for shape, each in term.genes.items()}


def pool(task: Task, vocabulary: Vocabulary) -> Pool:
    """Every template bound in every sensible way, from the task's text and its fitness's signature."""
    text = TaskText(task.text)
    matcher = Matcher(vocabulary, text, fitness_names(task.fitness))
    names = vocabulary.names()
    known = frozenset([*names, *(prefix + name for prefix in PREFIXES for name in names)])
    endable = _can_end(vocabulary)
    templates = [template for template in library() if endable or not template.needs_end]
    bindings = [binding for template in templates for binding in matcher.bind(template)]
    asked = {"asked": text.asked, "slowly": text.slowly, "active": _is_active(bindings)}
    terms = [_term(binding, known, asked, matcher.hints) for binding in bindings]
    return Pool(tuple(sorted(terms, key=lambda term: -term.wish)), endable)


def _term(binding: Binding, known: frozenset[str], asked: Mapping[str, Any], hints: frozenset[str]) -> Term:
    template, wish = binding.template, binding.trigger.strength
    hinted = template.from_fitness and all(m.parameter in hints for m in binding.measures.values())
    if template.last_resort:
        wish = -0.5 if hinted else -1.0
    elif wish == 0.0 and hinted:
        wish = -0.1 - 0.01 * len(binding.measures)
    promoted = template.may_be_goal and binding.trigger.named
    keys = (template.key, f"{template.key}_term", template.name)  # no weight may have an observable's name
    settings = ("", *(f"_{slot}" for slot in template.settings))
    key = next(key for key in keys if not known & {key + each for each in settings})
    return Term(binding, key, "goal" if promoted else template.purpose, wish, known, asked)


def _can_end(vocabulary: Vocabulary) -> bool:
    """Whether an episode can end before its time, by the survey or by the descriptions."""
    texts = [vocabulary.documentation, *(each.description for each in vocabulary if not each.hidden)]
    ended = [each.high for each in vocabulary if each.name == "terminated" and each.high]
    return any(high[0] > 0 for high in ended) or any(_ENDS.search(text) for text in texts)


def _is_active(bindings: Iterable[Binding]) -> bool:
    """Whether the text asks for something to be done, not for a state to be kept.

    Then staying alive is paid little: paid like the goal, it teaches to stand still, at least within short
    budgets (Hopper, PPO, 40k steps: fitness 0.006 at 1 : 1, 0.138 at 1 : 0.2).
    """
    asked = [each for each in bindings if each.trigger.strength >= _ASKED_FOR]
    kept = any(each.template.may_be_goal and each.trigger.named for each in asked)
    return not kept or any(each.template.purpose == "goal" for each in asked)


def _first_of_each(terms: Iterable[Term]) -> tuple[Term, ...]:
    kept: dict[str, Term] = {}
    for term in terms:
        kept.setdefault(term.template.name, term)
    return tuple(kept.values())
