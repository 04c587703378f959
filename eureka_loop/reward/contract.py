"""A reward program: source text, its observables, its weights.

    def compute_reward(forward_velocity, action, *, speed=1.0, effort=1e-3):
        return {"speed": speed * forward_velocity, "effort": -effort * np.square(action).sum(axis=1)}

Every array is float64 with a leading batch axis N, read-only; rows are independent. The program returns a
dict of terms, each (N,) and finite; the reward is the sum of the terms without a leading `_`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["reward", "fitness", "success", "progress"]  # all but reward: one number a whole episode
ENTRY_POINTS = {"reward": "compute_reward", **{kind: kind for kind in ("fitness", "success", "progress")}}

TERM_LIMIT = 1e6  # |term| above it is a failure: returns would swamp the value function
MAX_TERMS = 32
TERM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")  # no sentences: names go into prompts


@dataclass(frozen=True, slots=True)
class Program:
    """A program that passed the gate.

    Attributes:
        kind: "reward" returns a dict of terms, (N,) each; the others one number an episode.
        parameters: positional parameters as written, e.g. ("forward_velocity", "prev_qpos", "action").
        weights: keyword-only parameters with their defaults.
    """

    kind: Kind
    source: str
    parameters: tuple[str, ...]
    weights: Mapping[str, float]


def is_diagnostic(term: str) -> bool:
    """Whether a term is logged and not summed: its key begins with `_`."""
    return term.startswith("_")
