"""What episodes of known fitness say of a reward before anything is trained with it.

A reward is called backwards only where both of two things are sure: the discounted value of the worse
episodes is higher, and so is their mean reward per step. The first alone would condemn any reward with a
bonus for staying up while those who stay up don't move yet; the second alone, any that pays for arriving.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from eureka_loop.judge.ranking import Ranking, discounted_value
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.sandbox.process import Terms

Verdict = Literal["backwards", "forwards", "unsure", "abstained"]

RANDOM = "random"  # the policy that acts at random; no candidate has that id
LEAST_POLICIES = 6  # random actions among them; with fewer a bootstrap over policies means nothing
LEAST_BETTER = 3  # policies that did better than any random episode: else nobody knows what good looks like
DOMINATES = 0.99  # share of the reward from which a term leaves the others no say


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
    """What the bank said of one program.

    Attributes:
        why: what kept it from a verdict, where it abstained.
        episodes, policies: how many it was asked about.
        value: Kendall's tau of the episodes' mean discounted value with fitness.
        mean: of their mean reward per step.
        scale: standard deviation of the reward over all steps.
    """

    verdict: Verdict
    why: str = ""
    episodes: int = 0
    policies: int = 0
    value: Interval | None = None
    mean: Interval | None = None
    terms: Mapping[str, TermOnBank] = field(default_factory=dict)
    scale: float = 0.0

    @property
    def dead(self) -> list[str]:
        """Terms that are the same at every step of every episode."""
        return [name for name, term in self.terms.items() if term.low == term.high]

    @property
    def dominating(self) -> str | None:
        """The term beside which the others have no say."""
        large = [name for name, term in self.terms.items() if term.share > DOMINATES]
        return large[0] if large and sum(not is_diagnostic(name) for name in self.terms) > 1 else None


def one_sided(fitness: Array, policies: Sequence[str]) -> str:
    """Why such episodes can't tell a good reward from a bad one; "" where they can."""
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
    values = np.array([discounted_value(each, discount) for each in rewards])
    means = np.array([each.mean() for each in rewards])
    value, mean = ranking.interval(values), ranking.interval(means)
    told = _terms(terms, cuts, ranking)
    scale = float(terms.total.std())
    verdict, why = decided(value, mean)
    return Screened(verdict, why, len(lengths), ranking.policies, value, mean, told, scale)


def decided(value: Interval | None, mean: Interval | None) -> tuple[Verdict, str]:
    """The verdict from both numbers, and why there is none."""
    if value is None or mean is None:
        return "abstained", "it is the same in every episode"
    if max(value.high, mean.high) < 0.0:
        return "backwards", ""
    return ("forwards" if min(value.low, mean.low) > 0.0 else "unsure"), ""


def _terms(terms: Terms, cuts: Array, ranking: Ranking) -> dict[str, TermOnBank]:
    summed = [not is_diagnostic(name) for name in terms.names]
    total = float(np.abs(terms.values[summed]).sum())
    told = {}
    for name, values in terms.named().items():
        means = np.array([each.mean() for each in np.split(values, cuts)])
        share = float(np.abs(values).sum()) / total if total and not is_diagnostic(name) else 0.0
        told[name] = TermOnBank(ranking.tau(means), share, float(values.min()), float(values.max()))
    return told


def reason(found: Screened) -> str:
    """Why a program that ranks backwards wasn't trained, for whoever is to write a better one."""
    assert found.value is not None
    said = (
        f"it pays more where the task is done worse: over {found.episodes} recorded episodes of "
        f"{found.policies} policies, Kendall's tau of its return with fitness is {found.value.value:+.2f} "
        f"({found.value.level:.0%} interval {found.value.low:+.2f} to {found.value.high:+.2f})"
    )
    ranked = {name: term.tau for name, term in found.terms.items() if term.tau is not None}
    taus = ", ".join(f"'{name}' {tau:+.2f}" for name, tau in sorted(ranked.items(), key=lambda each: each[1]))
    said += f"; by term: {taus}" if taus else ""
    said += f"; always the same: {', '.join(map(repr, found.dead))}" if found.dead else ""
    return said + (f"; '{found.dominating}' is over 99 % of it" if found.dominating else "")
