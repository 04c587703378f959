"""All terms that could serve a task in an env, and how strongly the task asks for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
_ENDS = re.compile(r"terminates (?:when|if)|episode ends at")
_WORSE_WHEN_MORE = stems(["distance", "dist", "error", "cost", "drift", "loss"])
_ORDER = ("goal", "shaping", "cost")


@dataclass(frozen=True, eq=False)
class Term:
    """A template in one shape, with measures in its slots: what a program can hold.

    Attributes:
        gene: with the default weights, `<key>` and `<key>_<setting>`; a template's terms share the key, so a
            program holds one of them.
        purpose: the template's, but "goal" for a shaping term that the text asks for.
        relevance: how strongly the text asks for it, 0 to 2.5; below 0: only the fitness names it.
    """

    template: TermTemplate
    binding: Binding
    shape: str
    gene: Gene
    purpose: Literal["goal", "shaping", "cost"]
    relevance: float


@dataclass(frozen=True)
class Pool:
    """All terms of a task: the most relevant first; of a template, the usual shape of the best measures."""

    terms: tuple[Term, ...]

    @cached_property
    def goals(self) -> list[Term]:
        """The task's goals: one term of each template, strongest first; never empty if there is any."""
        goals = _first_of_each(term for term in self.terms if term.purpose == "goal")
        asked = [term for term in goals if term.relevance >= _ASKED_FOR]
        strongest = max((term.relevance for term in goals), default=0.0)
        asked = asked or [term for term in goals if 0 < term.relevance == strongest]
        if asked:
            return asked
        # the text asks for nothing known: what the fitness names, then what is usual
        named = [term for term in goals if term.template.from_fitness and term.relevance < 0]
        usual = [term for name in _USUAL for term in goals if term.template.name == name]
        return named[:2] or usual[:1] or goals[:1]

    @cached_property
    def extras(self) -> list[Term]:
        """Shaping and costs, one term of each template; and goals that the text only hints at."""
        goals = {term.template.name for term in self.goals}
        others = [term for term in self.terms if term.template.name not in goals]
        return _first_of_each(term for term in others if term.purpose != "goal" or term.relevance > 0)

    def recognise(self, each: Gene) -> Term | None:
        """The term that a gene was rendered from; None for another author's."""
        return self._forms.get(each.form)

    def variants(self, term: Term) -> list[Term]:
        """The same template in other shapes and with other measures."""
        return [each for each in self.terms if each.template is term.template and each is not term]

    def restore(self, each: Gene) -> Gene:
        """A gene with the comments of its template."""
        term = self.recognise(each)
        return term.gene.weighted(each.weights) if term else each

    def is_goal(self, each: Gene) -> bool:
        """Another author's term counts as a goal: it is not dropped lightly."""
        term = self.recognise(each)
        return term is None or term.purpose == "goal"

    def join(self, genes: Iterable[Gene]) -> Genome:
        """Those that fit together, the first ones kept: goals, then shaping (or foreign), then costs."""
        chosen: list[tuple[int, Gene]] = []
        for each in genes:
            if all(compatible(each, other) for _, other in chosen):
                term = self.recognise(each)
                chosen.append((_ORDER.index(term.purpose if term else "shaping"), each))
        return tuple(each for _, each in sorted(chosen, key=lambda ordered: ordered[0]))

    @cached_property
    def _forms(self) -> dict[str, Term]:
        return {term.gene.form: term for term in self.terms}


def pool(task: Task, vocabulary: Vocabulary) -> Pool:
    """Every template bound in every sensible way, from the task's text and its fitness's signature."""
    text, hints = TaskText(task.text), fitness_names(task.fitness)
    matcher = Matcher(vocabulary, text, hints)
    endable = _can_end(vocabulary)
    bindings = [
        (template, binding)
        for template in library()
        if endable or not template.needs_end
        for binding in matcher.bind(template)
    ]
    names = vocabulary.names()
    known = frozenset([*names, *(prefix + name for prefix in PREFIXES for name in names)])
    asked = {"requested": text.quantities, "slowly": text.slowly, "active": _is_active(bindings)}
    terms = []
    for template, binding in bindings:
        named_goal = template.may_be_goal and binding.trigger.named
        purpose = "goal" if named_goal else template.purpose
        relevance = _relevance(template, binding, hints)
        for shape, rendered in _genes(template, binding, known, asked, endable):
            terms.append(Term(template, binding, shape, rendered, purpose, relevance))
    return Pool(tuple(sorted(terms, key=lambda term: -term.relevance)))


def _genes(
    template: TermTemplate, binding: Binding, known: frozenset[str], asked: Mapping[str, Any], endable: bool
) -> Iterator[tuple[str, Gene]]:
    """A gene for each shape, the usual one first: where an episode can end early, one never below zero."""
    keys = (template.key, f"{template.key}_term", template.name)  # no weight may have an observable's name
    slots = ("", *(f"_{slot}" for slot in template.settings))
    key = next(key for key in keys if not known & {key + slot for slot in slots})
    settings = {slot: f"{key}_{slot}" for slot in template.settings}
    axis, direction = binding.way
    for shape in dict.fromkeys([*(template.positive[:1] if endable else ()), *template.shapes]):
        context = {
            **binding.measures,
            **asked,
            "shape": shape,
            "key": key,
            "sign": "-" if _sign(template, binding) < 0 else "",
            "toward": f"{'-' if direction < 0 else '+'}{axis}",
        }
        weights = {key: evaluate(template.weight, context)}
        weights |= {name: evaluate(template.settings[slot], context) for slot, name in settings.items()}
        lines = template.render({**context, "w": key, **settings})
        first = next(at for at, line in enumerate(lines) if line.startswith('"'))
        yield shape, gene(key, lines[:first], "\n".join(lines[first:]), weights, known)


def _sign(template: TermTemplate, binding: Binding) -> int:
    if template.last_resort:
        return -1 if next(iter(binding.measures.values())).words & _WORSE_WHEN_MORE else 1
    directed = binding.measures.get(template.directed[0])
    sign = binding.way[1] * binding.trigger.sign
    return -sign if directed is not None and directed.flipped else sign


def _relevance(template: TermTemplate, binding: Binding, hints: frozenset[str]) -> float:
    hinted = template.from_fitness and all(each.parameter in hints for each in binding.measures.values())
    if template.last_resort:
        return -0.5 if hinted else -1.0
    if binding.trigger.strength == 0.0 and hinted:
        return -0.1 - 0.01 * len(binding.measures)
    return binding.trigger.strength


def _can_end(vocabulary: Vocabulary) -> bool:
    """Whether an episode can end before its time, by the survey or by the descriptions."""
    texts = [vocabulary.documentation, *(each.description for each in vocabulary if not each.hidden)]
    ended = [each.high for each in vocabulary if each.name == "terminated" and each.high]
    return any(high[0] > 0 for high in ended) or any(_ENDS.search(text) for text in texts)


def _is_active(bindings: Iterable[tuple[TermTemplate, Binding]]) -> bool:
    """Whether the text asks for something to be done, not for a state to be kept.

    Then staying alive is paid little: paid like the goal, it teaches to stand still, at least within short
    budgets (Hopper, PPO, 40k steps: fitness 0.006 at 1 : 1, 0.138 at 1 : 0.2).
    """
    asked = [each for each in bindings if each[1].trigger.strength >= _ASKED_FOR]
    kept = any(template.may_be_goal and binding.trigger.named for template, binding in asked)
    return not kept or any(template.purpose == "goal" for template, _ in asked)


def _first_of_each(terms: Iterable[Term]) -> list[Term]:
    kept: dict[str, Term] = {}
    for term in terms:
        kept.setdefault(term.template.name, term)
    return list(kept.values())
