"""Conversations in which a model drafts a measure: first draft, attack, a person's words, repairs."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.prompts import Turn, render, turn
from eureka_loop.propose.llm.table import vocabulary_text
from eureka_loop.records import Reply
from eureka_loop.reward.episode import EPISODE
from eureka_loop.reward.functions import SHAPING
from eureka_loop.reward.vocabulary import Vocabulary

ENTRY = "fitness"


def opening(text: str, vocabulary: Vocabulary) -> list[Turn]:
    """The conversation that asks for a draft.

    Args:
        text: the task in plain words.
    """
    functions = list(prompts.functions(EPISODE | SHAPING))
    system = render("measure_system.j2", example=example(), functions=functions)
    first = render(
        "measure_first.j2",
        task=text,
        vocabulary=vocabulary,
        table=vocabulary_text(vocabulary),
        documentation=prompts.documentation(vocabulary.documentation),
    )
    return [turn("system", system), turn("user", first)]


def example() -> str:
    """The measure that the system prompt shows."""
    return render("measure.py.j2")


def attack(before: Sequence[Turn], source: str, **shown: object) -> list[Turn]:
    """The same, with a draft as the model's own, and a request to attack and mend it.

    Args:
        shown: `scores` and, of another draft, `rival`, `rival_scores` and `tau`, as text.
    """
    asked = render("measure_attack.j2", **{"rival": "", "rival_scores": "", "tau": "", **shown})
    return [*before, turn("assistant", prompts.fenced(source)), turn("user", asked)]


def words(before: Sequence[Turn], source: str, said: str, scores: str) -> list[Turn]:
    """The same, with what a person says is wrong with a measure."""
    asked = render("measure_words.j2", words=said, scores=scores)
    return [*before, turn("assistant", prompts.fenced(source)), turn("user", asked)]


def repair(messages: Sequence[Turn], reply: Reply, problems: str) -> list[Turn]:
    """The exchange, with a request to mend what was refused."""
    return prompts.repaired(messages, str(reply.exchange.get("reply") or ""), reply.source, problems)
