"""Operators: changes that a strategy requests by name. For a model each is a text, for templates a function.

The texts are in `reward_templates/prompts/feedback.j2`, the functions in `propose/templates/evolution.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eureka_loop.results import Evaluated


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of change.

    Attributes:
        about: the change in a few words.
        inherits: whether its programs are made of the parents; else parents only show what is known.
    """

    about: str
    inherits: bool = True


OPERATORS: Mapping[str, Operator] = {
    "refine": Operator("improve the parent, whatever it takes"),
    "structure": Operator("other terms, or other forms of them; same idea"),
    "weights": Operator("other numbers and nothing else"),
    "cross": Operator("combine two or three parents"),
    "fresh": Operator("start from nothing", inherits=False),
    "differ": Operator("a program unlike all so far", inherits=False),
    "path": Operator("continue what helped on the path from the root to the parent"),
}


def path_to(last: Evaluated, known: Iterable[Evaluated]) -> list[Evaluated]:
    """A candidate and its first parents, the root first; parents that aren't known end the path."""
    by_id, path = {each.candidate.id: each for each in known}, [last]
    while parent := next((by_id[id] for id in path[0].candidate.parents[:1] if id in by_id), None):
        if parent in path:  # files of somebody else
            break
        path.insert(0, parent)
    return path
