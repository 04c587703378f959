"""Screening: what recorded episodes of known fitness tell of a reward before anything is trained with it.

A reward is called backwards only where two things are sure: the discounted value of the worse episodes is
higher, and so is their mean reward per step. The first alone would condemn any reward with a bonus for
staying up while the policies that stay up don't move yet; the second alone, any that pays for arriving. Sure
means by an interval of Kendall's tau with fitness, from a bootstrap over policies: episodes of one policy are
alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from eureka_loop.judge.statistics import Interval, percentile_interval
from eureka_loop.records import Array
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms

Verdict = Literal["backwards", "forwards", "unsure", "abstained"]

RANDOM = "random"  # the policy that acts at random; no candidate has that id
LEAST_POLICIES = 6  # random actions among them; with fewer a bootstrap over policies means nothing
LEAST_BETTER = 3  # policies better than any random episode; with fewer there is no example of a good one
DOMINATES = 0.99  # share of the reward from which the other terms hardly count
REPEATS = 1_000
ROUNDING = 1e-12  # relative: means of equal rewards differ by less, with their number


@dataclass(frozen=True, slots=True)
class TermOnBank:
    """One term over all rows.

    Attributes:
        tau: of its mean over an episode with fitness; None where that is the same in every episode.
        share: of the reward, as `TermStats.share`.
    """

    tau: float | None
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Screened:
    """The screening of one program.

    Attributes:
        why: reason for abstaining.
        episodes, policies: number of them.
        value: Kendall's tau of the episodes' mean discounted value with fitness.
        mean: of their mean reward per step.
    """

    verdict: Verdict
    why: str = ""
    episodes: int = 0
    policies: int = 0
    value: Interval | None = None
    mean: Interval | None = None
    terms: Mapping[str, TermOnBank] = field(default_factory=dict)

    @property
    def dead(self) -> list[str]:
        """Terms that are the same at every step of every episode."""
        return [name for name, term in self.terms.items() if term.low == term.high]

    @property
    def dominating(self) -> str | None:
        """The term beside which the others hardly count."""
        large = [name for name, term in self.terms.items() if term.share > DOMINATES]
        return large[0] if large and sum(not is_diagnostic(name) for name in self.terms) > 1 else None


class Ranking:
    """Episodes of known fitness, and bootstrap draws of their policies, to compare other numbers with.

    Each policy counts once, however many episodes of it there are.

    Args:
        fitness: (E,).
        policies: the policy of each episode.
        level: of intervals.

    Attributes:
        policies: number of policies.
    """

    def __init__(
        self, fitness: Array, policies: Sequence[str], *, rng: np.random.Generator, level: float = 0.95
    ) -> None:
        _, policy, sizes = np.unique(policies, return_inverse=True, return_counts=True)
        self.policies, self._level = len(sizes), level
        self._weights = (policy == np.arange(len(sizes))[:, None]) / sizes[:, None]  # (P, E)
        drawn = rng.multinomial(len(sizes), np.full(len(sizes), 1.0 / len(sizes)), size=REPEATS)
        self._drawn = np.concatenate([np.ones((1, len(sizes))), drawn])  # first as they are: (1 + B, P)
        self._signs = _signs(fitness)
        self._spread = self._over_pairs(self._signs**2, self._drawn)

    def tau(self, values: Array) -> float | None:
        """Kendall's tau-b of values (E,) with fitness over pairs of episodes: 1 in one order, -1 reversed.

        None where all values, or all of fitness, are equal.
        """
        found = self._taus(values, self._drawn[:1])
        return None if found is None else float(found[0])

    def interval(self, values: Array) -> Interval | None:
        """The same with a percentile bootstrap over policies."""
        found = self._taus(values, self._drawn)
        return None if found is None else percentile_interval(float(found[0]), found[1:], self._level)

    def _taus(self, values: Array, drawn: Array) -> Array | None:
        """Of each draw (D, P); 0 where it leaves nothing to compare."""
        signs = _signs(values)
        if not (signs.any() and self._signs.any()):
            return None
        scale = np.sqrt(self._over_pairs(signs**2, drawn) * self._spread[: len(drawn)])
        return np.asarray(self._over_pairs(signs * self._signs, drawn) / np.where(scale > 0.0, scale, np.inf))

    def _over_pairs(self, signs: Array, drawn: Array) -> Array:
        """Sums of (E, E), every policy counted as often as it was drawn; summed by policy first."""
        by_policy = self._weights @ signs @ self._weights.T
        return np.asarray(((drawn @ by_policy) * drawn).sum(axis=1))


def _signs(values: Array) -> Array:
    """(E, E): sign of the difference of two; 0 where they differ by rounding alone."""
    gaps, size = values[:, None] - values, np.abs(values)
    return np.asarray(np.sign(gaps) * (np.abs(gaps) > ROUNDING * np.maximum(size[:, None], size)))


def discounted_value(rewards: Array, discount: float) -> float:
    """Mean over an episode's steps of the discounted return from each on: (T,) in order of time → number.

    A policy's value function, on average over the states it visits. The return from the start alone sees
    little beyond the first 1 / (1 - discount) steps.
    """
    # A reward counts, discounted, once for every step from which it lies ahead, its own among them.
    counts = np.cumsum(discount ** np.arange(len(rewards)))
    return float(rewards @ counts) / len(rewards)


def one_sided(fitness: Array, policies: Sequence[str]) -> str:
    """Reason why such episodes can't tell a good reward from a bad one; "" where they can."""
    if len(set(policies)) < LEAST_POLICIES:
        return f"episodes of too few policies ({len(set(policies))} of {LEAST_POLICIES})"
    random = np.array([policy == RANDOM for policy in policies])
    if not random.any():
        return "no episodes of random actions"
    better = {each for each, good in zip(policies, fitness > fitness[random].max(), strict=True) if good}
    if len(better) < LEAST_BETTER:
        return f"too few policies did better than random actions ({len(better)} of {LEAST_BETTER})"
    return ""


def screen(terms: Terms, lengths: Sequence[int], ranking: Ranking, discount: float) -> Screened:
    """A verdict on a reward from its terms on whole episodes, one after the other, that aren't one-sided.

    Args:
        terms: of all rows.
        lengths: of the episodes.
        ranking: of the episodes.
        discount: as in training.
    """
    cuts = np.cumsum(lengths)[:-1]
    rewards = np.split(terms.total, cuts)
    value = ranking.interval(np.array([discounted_value(each, discount) for each in rewards]))
    mean = ranking.interval(np.array([each.mean() for each in rewards]))
    verdict, why = decided(value, mean)
    by_term = _by_term(terms, cuts, ranking)
    return Screened(verdict, why, len(lengths), ranking.policies, value, mean, by_term)


def decided(value: Interval | None, mean: Interval | None) -> tuple[Verdict, str]:
    """The verdict from both numbers, and the reason where there is none."""
    if value is None or mean is None:
        return "abstained", "it is the same in every episode"
    if max(value.high, mean.high) < 0.0:
        return "backwards", ""
    return ("forwards" if min(value.low, mean.low) > 0.0 else "unsure"), ""


def _by_term(terms: Terms, cuts: Array, ranking: Ranking) -> dict[str, TermOnBank]:
    summed = [not is_diagnostic(name) for name in terms.names]
    total = float(np.abs(terms.values[summed]).sum())
    found = {}
    for name, values in terms.named().items():
        means = np.array([each.mean() for each in np.split(values, cuts)])
        share = float(np.abs(values).sum()) / total if total and not is_diagnostic(name) else 0.0
        found[name] = TermOnBank(ranking.tau(means), share, float(values.min()), float(values.max()))
    return found


def reason(found: Screened) -> str:
    """Reason why a program that ranks backwards wasn't trained, for the designer of a better one."""
    assert found.value is not None
    text = (
        f"it pays more where the task is done worse: over {found.episodes} recorded episodes of "
        f"{found.policies} policies, Kendall's tau of its return with fitness is {found.value.value:+.2f} "
        f"({found.value.level:.0%} interval {found.value.low:+.2f} to {found.value.high:+.2f})"
    )
    ranked = {name: term.tau for name, term in found.terms.items() if term.tau is not None}
    taus = ", ".join(f"'{name}' {tau:+.2f}" for name, tau in sorted(ranked.items(), key=lambda each: each[1]))
    text += f"; by term: {taus}" if taus else ""
    text += f"; always the same: {', '.join(map(repr, found.dead))}" if found.dead else ""
    return text + (f"; '{found.dominating}' is over 99 % of it" if found.dominating else "")
