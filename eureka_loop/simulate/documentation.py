"""An env's own documentation, without what reveals its hand-written reward."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable
from typing import Any

import gymnasium

USUAL = ("_get_rew", "compute_reward", "step")  # where the task doesn't name the method
# The arguments and the history of versions name the reward's weights and terms, one by one.
LEFT_OUT = re.compile(r"reward|argument|version history|credit|referen", re.IGNORECASE)


def documentation(env: gymnasium.Env[Any, Any]) -> str:
    """The env class's docstring: description, spaces, start, episode end."""
    return trimmed(inspect.cleandoc(type(env.unwrapped).__doc__ or ""))


def reward_source(env: gymnasium.Env[Any, Any], methods: Iterable[str]) -> str:
    """The env's own reward, for people to read: those of the methods that its class has, as source.

    Where none are named, the first of the usual ones.
    """
    kind = type(env.unwrapped)
    named = tuple(methods) or [name for name in USUAL if hasattr(kind, name)][:1]
    known = [getattr(kind, name) for name in named if hasattr(kind, name)]
    return "\n\n".join(textwrap.dedent(inspect.getsource(inspect.unwrap(each))) for each in known)


def trimmed(text: str) -> str:
    """The text without sections (and their subsections) on rewards, and without other sentences on them."""
    kept: list[str] = []
    skip_below = 0  # level of the heading of the section being left out; 0 for none
    for line in text.splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        if heading and (not skip_below or len(heading[1]) <= skip_below):
            skip_below = len(heading[1]) if LEFT_OUT.search(heading[2]) else 0
        if not skip_below:
            kept.append(_without_rewards(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _without_rewards(line: str) -> str:
    if "reward" not in line.lower():
        return line
    sentences = re.split(r"(?<=[.!?])\s+", line)
    return " ".join(sentence for sentence in sentences if "reward" not in sentence.lower())
