"""Screening: a verdict on a reward from recorded episodes of known rank, before it is trained with.

A reward is backwards only where two intervals of Kendall's tau with their ranks are below 0: of the episodes'
discounted value, and of their mean reward per step. The first alone would condemn any reward with a bonus for
staying up while policies that stay up don't move yet; the second alone, any that pays for arriving.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from eureka_loop.judge.statistics import ROUNDING, Interval, percentile_interval
from eureka_loop.records import Array
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms

Verdict = Literal["backwards", "forwards", "unsure", "abstained"]

RANDOM = "random"  # the policy that acts at random; no candidate has that id
LEAST_POLICIES = 6  # random actions among them; with fewer a bootstrap over policies means nothing
LEAST_BETTER = 3  # policies better than any random episode; with fewer there is no example of a good one
DOMINATES = 0.99  # share of the reward from which the other terms hardly count
REPEATS = 1_000


@dataclass(frozen=True, slots=True)
class TermOnBank:
    """One term over all rows."""

    tau: float | None  # of its mean over an episode with their ranks; None where that is always the same
    share: float  # of the reward, as `TermStats.share`
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Screened:
    """The screening of one program."""

    verdict: Verdict
    why: str = ""  # reason for abstaining
    episodes: int = 0  # number of them
    policies: int = 0
    value: Interval | None = None  # Kendall's tau of the episodes' mean discounted value with their ranks
    mean: Interval | None = None  # of their mean reward per step
    terms: Mapping[str, TermOnBank] = field(default_factory=dict)


class Ranking:
    """Episodes of known rank, and bootstrap draws of their policies, to compare other numbers with.

    Each policy counts once, however many episodes of it there are.

    Args:
        ranks: (E,), higher is better.
        policies: the policy of each episode.
    """

    def __init__(self, ranks: Array, policies: Sequence[str], *, rng: np.random.Generator) -> None:
        _, policy, sizes = np.unique(policies, return_inverse=True, return_counts=True)
        self.policies = count = len(sizes)
        self._weights = (policy == np.arange(count)[:, None]) / sizes[:, None]  # (P, E)
        drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=REPEATS)
        self._drawn = np.concatenate([np.ones((1, count)), drawn])  # first as they are: (1 + B, P)
        self._signs = _signs(ranks)
        self._spread = self._over_pairs(self._signs**2)

    def tau(self, values: Array) -> Interval | None:
        """Kendall's tau-b of values (E,) with the ranks over pairs of episodes: 1 in one order, -1 reversed.

        With a percentile bootstrap over policies. None where all values, or all ranks, are equal.
        """
        signs = _signs(values)
        if not (signs.any() and self._signs.any()):
            return None
        scale = np.sqrt(self._over_pairs(signs**2) * self._spread)  # 0 where a draw leaves nothing to compare
        taus = self._over_pairs(signs * self._signs) / np.where(scale > 0.0, scale, np.inf)
        return percentile_interval(taus)

    def _over_pairs(self, signs: Array) -> Array:
        """(1 + B,) sums of (E, E), every policy counted as often as it was drawn; summed by policy first."""
        by_policy = self._weights @ signs @ self._weights.T
        return np.asarray(((self._drawn @ by_policy) * self._drawn).sum(axis=1))


def _signs(values: Array) -> Array:
    """(E, E): sign of the difference of two; 0 where they differ by rounding alone."""
    gaps, size = values[:, None] - values, np.abs(values)
    return np.asarray(np.sign(gaps) * (np.abs(gaps) > ROUNDING * np.maximum(size[:, None], size)))


def discounted_value(rewards: Array, discount: float) -> float:
    """Mean over an episode's steps of the discounted return from each on: (T,) in order of time → number.

    The return from the start alone sees little beyond the first 1 / (1 - discount) steps.
    """
    # A reward counts, discounted, once for every step from which it lies ahead, its own among them.
    counts = np.cumsum(discount ** np.arange(len(rewards)))
    return float(rewards @ counts) / len(rewards)


def one_sided(ranks: Array, policies: Sequence[str]) -> str:
    """Reason why such episodes can't tell a good reward from a bad one; "" where they can."""
    if len(set(policies)) < LEAST_POLICIES:
        return f"episodes of too few policies ({len(set(policies))} of {LEAST_POLICIES})"
    random = np.array([policy == RANDOM for policy in policies])
    if not random.any():
        return "no episodes of random actions"
    better = {each for each, good in zip(policies, ranks > ranks[random].max(), strict=True) if good}
    if len(better) < LEAST_BETTER:
        return f"too few policies did better than random actions ({len(better)} of {LEAST_BETTER})"
    return ""


def screen(terms: Terms, lengths: Sequence[int], ranking: Ranking, discount: float) -> Screened:
    """A verdict on a reward from its terms of whole episodes, one after the other, that aren't one-sided."""
    cuts = np.cumsum(lengths)[:-1]
    rewards = np.split(terms.total, cuts)
    value = ranking.tau(np.array([discounted_value(each, discount) for each in rewards]))
    mean = ranking.tau(np.array([each.mean() for each in rewards]))
    verdict, why = decided(value, mean)
    sizes = np.abs(terms.values).sum(axis=1)
    total = sum(size for name, size in zip(terms.names, sizes, strict=True) if not is_diagnostic(name))
    by_term = {}
    for name, size, column in zip(terms.names, sizes, terms.values, strict=True):
        tau = ranking.tau(np.array([each.mean() for each in np.split(column, cuts)]))
        share = float(size / total) if total and not is_diagnostic(name) else 0.0
        low, high = float(column.min()), float(column.max())
        by_term[name] = TermOnBank(tau.value if tau else None, share, low, high)
    return Screened(verdict, why, len(lengths), ranking.policies, value, mean, by_term)


def decided(value: Interval | None, mean: Interval | None) -> tuple[Verdict, str]:
    """The verdict from both numbers, and the reason where there is none."""
    if value is None or mean is None:
        return "abstained", "it is the same in every episode"
    if max(value.high, mean.high) < 0.0:
        return "backwards", ""
    return ("forwards" if min(value.low, mean.low) > 0.0 else "unsure"), ""


def reason(found: Screened) -> str:
    """Reason why a program that ranks backwards wasn't trained, for the designer of a better one."""
    assert found.value is not None
    text = (
        f"it pays more where the task is done worse: over {found.episodes} recorded episodes of "
        f"{found.policies} policies, Kendall's tau of its return with their ranks is "
        f"{found.value.value:+.2f} (95% interval {found.value.low:+.2f} to {found.value.high:+.2f})"
    )
    terms = found.terms.items()
    ranked = sorted((term.tau, name) for name, term in terms if term.tau is not None)
    taus = ", ".join(f"'{name}' {tau:+.2f}" for tau, name in ranked)
    text += f"; by term: {taus}" if taus else ""
    constant = ", ".join(repr(name) for name, term in terms if term.low == term.high)
    text += f"; always the same: {constant}" if constant else ""
    large = [name for name, term in terms if term.share > DOMINATES]
    several = sum(not is_diagnostic(name) for name in found.terms) > 1
    return text + (f"; '{large[0]}' is over 99 % of it" if large and several else "")
