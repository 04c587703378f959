"""Agreement of two rewards: their values on the same transitions, and which terms pair up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.statistics import pearson
from eureka_loop.records import Array
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms

POINTS = 900  # shown; numbers come from all rows
ALIKE = 0.8  # |correlation| from which terms of different names count as the same idea


@dataclass(frozen=True, slots=True)
class Match:
    """A term and its counterpart, either of which may be None, and their correlation over the rows."""

    ours: str | None
    theirs: str | None
    correlation: float | None = None  # None where one is constant


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two rewards on the same transitions."""

    theirs: str  # id
    sources: tuple[str, ...]  # origins of the transitions ("random actions", "policy of winner")
    rows: int  # number of transitions
    pearson: float | None  # correlation of the rewards; None where one is constant
    spearman: float | None  # of their ranks: 1 where they order all transitions alike
    points: tuple[tuple[float, float, int], ...]  # our reward, their reward, source; some, evenly chosen
    terms: tuple[Match, ...]


def agreement(id: str, ours: Terms, theirs: Terms, source: Array, sources: Sequence[str]) -> Agreement:
    """The agreement with the reward `id` on the same (N,) rows; `source` (N,) indexes `sources`."""
    x, y = ours.total, theirs.total
    shown = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    points = tuple((float(x[i]), float(y[i]), int(source[i])) for i in shown)
    value, by_rank, terms = pearson(x, y), pearson(ranks(x), ranks(y)), tuple(matches(ours, theirs))
    return Agreement(id, tuple(sources), len(x), value, by_rank, points, terms)


def matches(ours: Terms, theirs: Terms) -> list[Match]:
    """Terms of the same name first, then those that correlate, then the rest of each side."""
    mine, yours = ours.named(), theirs.named()
    found = [Match(name, name, pearson(mine[name], yours[name])) for name in mine if name in yours]
    free = [name for name in mine if name not in yours and not is_diagnostic(name)]
    others = [name for name in yours if name not in mine and not is_diagnostic(name)]
    pairs = [(pearson(mine[a], yours[b]) or 0.0, a, b) for a in free for b in others]
    for value, a, b in sorted(pairs, key=lambda pair: -abs(pair[0])):
        if abs(value) >= ALIKE and a in free and b in others:
            found.append(Match(a, b, value))
            free.remove(a)
            others.remove(b)
    return [*found, *(Match(name, None) for name in free), *(Match(None, name) for name in others)]


def ranks(values: Array) -> Array:
    """(N,) ranks from 0; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[inverse])
