"""All terms that could serve a task in an env, and how strongly the task asks for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from eureka_loop.propose.templates.library import TermTemplate, evaluate, library
from eureka_loop.propose.templates.matching import Binding, Matcher, fitness_names
from eureka_loop.propose.templates.text import TaskText, stems
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary

_USUAL = ("progress", "gap", "carry", "reach", "height")
_ASKED_FOR = 0.8  # strength from which a text asks for a term
_ENDS = re.compile(r"terminates (?:when|if)|episode ends at")
_WORSE_WHEN_MORE = stems(["distance", "dist", "error", "cost", "drift", "loss"])


@dataclass(frozen=True, eq=False)
class Term:
    """A template in one shape, with measures in its slots: what a program can hold.

    Attributes:
        key: of the dict of terms; a template's terms share it, so a program holds one of them.
        statements: lines before the returned dict.
        entry: its lines in the dict: `"speed": speed * forward_velocity,  # m/s`.
        weights: keyword-only parameters `<key>` and `<key>_<setting>`, with their defaults.
        parameters: observables it uses, as a program asks for them.
        purpose: the template's, but "goal" for a shaping term that the text asks for.
        relevance: how strongly the text asks for it, 0 to 2.5; below 0: only the fitness names it.
    """

    template: TermTemplate
    binding: Binding
    shape: str
    key: str
    statements: tuple[str, ...]
    entry: tuple[str, ...]
    weights: Mapping[str, float]
    parameters: tuple[str, ...]
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
        # or else, where the text asks for nothing known: what the fitness names, then what is usual
        named = [term for term in goals if term.template.from_fitness and term.relevance < 0]
        usual = [term for name in _USUAL for term in goals if term.template.name == name]
        return asked or named[:2] or usual[:1] or goals[:1]

    @cached_property
    def extras(self) -> list[Term]:
        """Shaping and costs, one term of each template; and goals that the text only hints at."""
        goals = {term.template.name for term in self.goals}
        others = [term for term in self.terms if term.template.name not in goals]
        return _first_of_each(term for term in others if term.purpose != "goal" or term.relevance > 0)

    def variants(self, term: Term) -> list[Term]:
        """The same template in other shapes and with other measures."""
        return [each for each in self.terms if each.template is term.template and each is not term]


def pool(task: Task, vocabulary: Vocabulary) -> Pool:
    """Every template bound in every sensible way, from the task's text and its fitness's signature."""
    text, hints = TaskText(task.text), fitness_names(task.fitness)
    matcher = Matcher(vocabulary, text, hints)
    endable = can_end(vocabulary)
    bindings = [
        (template, binding)
        for template in library()
        if endable or not template.needs_end
        for binding in matcher.bind(template)
    ]
    names = vocabulary.names()
    known = frozenset([*names, *(prefix + name for prefix in PREFIXES for name in names)])
    asked = {"requested": text.quantities, "slowly": text.slowly, "active": _is_active(bindings)}
    terms = [
        term
        for template, binding in bindings
        for term in _terms(template, binding, known, asked, hints, endable)
    ]
    return Pool(tuple(sorted(terms, key=lambda term: -term.relevance)))


def _terms(
    template: TermTemplate,
    binding: Binding,
    known: frozenset[str],
    asked: Mapping[str, Any],
    hints: frozenset[str],
    endable: bool,
) -> Iterator[Term]:
    """A term for each shape, the usual one first: where an episode can end early, one never below zero."""
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
        weights = {key: template.weight, **{settings[slot]: each for slot, each in template.settings.items()}}
        lines = template.render({**context, "w": key, **settings})
        code = " ".join(line.partition("  #")[0] for line in lines)
        used = list(dict.fromkeys(re.findall(r"[^\W\d]\w*", code)))
        first = next(at for at, line in enumerate(lines) if line.startswith('"'))
        named_goal = template.may_be_goal and binding.trigger.named
        yield Term(
            template,
            binding,
            shape,
            key,
            statements=tuple(lines[:first]),
            entry=tuple(lines[first:]),
            weights={name: evaluate(each, context) for name, each in weights.items() if name in used},
            parameters=tuple(name for name in used if name in known),
            purpose="goal" if named_goal else template.purpose,
            relevance=_relevance(template, binding, hints),
        )


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


def can_end(vocabulary: Vocabulary) -> bool:
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
