"""Advice worked out from the numbers of a training, in plain sentences.

The checks are those of Ma et al. 2023, "Eureka", appendix A ("code feedback"): success near zero, terms that
hardly change, terms that dwarf the others; and four more that the numbers show as plainly. Where the paper
has a reward of no success rewritten whole, this advice comes only if neither fitness nor progress rose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from types import MappingProxyType

import numpy as np

from eureka_loop.judge.statistics import probability_of_improvement
from eureka_loop.numbers import compact
from eureka_loop.results import Checkpoint, TermStats, Trained, mean_known
from eureka_loop.reward.contract import is_diagnostic

NEVER = 0.05  # success rates up to this count as never
CONSTANT = 0.02  # change of a term's mean over training, relative to the range it was seen in
STEADY = 0.1  # the same, relative to the mean itself: a rare penalty that gets rarer does change
SATISFIED = 0.05  # distance of a mean from the highest value, relative to that range
DOMINATES, NEGLIGIBLE = 0.8, 0.01  # shares of the reward
AGAINST, WITH = -0.5, 0.5  # correlation with fitness
FALLEN = 0.7  # final fitness, as a part of the rise to its best point in training
REWRITE = "rewrite the whole reward rather than adjusting it"
LEADS = "the reward leads the right way, not far enough; keep what works"
WINDOW = 3  # points of training, of six or more, that are taken together: single ones are noisy


def advice(trained: Sequence[Trained], floors: Mapping[str, Trained] = MappingProxyType({})) -> list[str]:
    """Sentences on what stands out; none where nothing does, or nothing was kept of the training.

    Args:
        floors: policies that learn nothing, by name.
    """
    terms: dict[str, list[TermStats]] = {}
    for point in (point for each in trained for point in each.checkpoints):
        for term, stats in point.terms.items():
            terms.setdefault(term, []).append(stats)
    alone = sum(not is_diagnostic(term) for term in terms) < 2
    lines = [_on_outcome(trained, floors.values())]
    for term, seen in terms.items():
        correlation = mean_known(each.correlations.get(term) for each in trained)
        lines += _on_term(term, seen, correlation, alone=alone)
    return [line for line in lines if line]


def _on_outcome(trained: Sequence[Trained], floors: Iterable[Trained]) -> str:
    rates = [each.success for each in trained if each.success is not None]
    never = bool(rates) and max(rates) <= NEVER
    moved = _moved(trained, floors) if never else ""
    steps, fitness = _curve(trained, lambda point: point.fitness)
    if len(fitness) < 3:
        return moved or (f"It (almost) never succeeded: {REWRITE}." if never else "")
    smooth, noise = _smooth(fitness), 0.0
    if len(fitness) >= 2 * WINDOW:  # a point's standard deviation, from the line through its neighbours
        noise = median(np.abs(np.diff(fitness, 2))) / 1.65  # 1.65 = 0.6745 √6
    best, start, end = int(np.argmax(smooth)), fitness[0], smooth[-1]
    peak, step = smooth[best], steps[best + (len(fitness) - len(smooth)) // 2]
    if peak <= start + noise:
        if moved:
            return moved
        never_so = f", and it (almost) never succeeded: {REWRITE}"
        why = never_so if never else ": the reward doesn't lead to the task"
        return f"Fitness didn't rise in training ({compact(start)} at first, {compact(end)} at the end){why}."
    if end < start + FALLEN * (peak - start):
        rose = f"Fitness rose from {compact(start)} to {compact(peak)} at step {step:,}"
        return f"{rose} and fell to {compact(end)}{_meanwhile(trained, best)}."
    if not never:
        return ""
    rose = f"fitness rose from {compact(start)} to {compact(end)}"
    return f"It (almost) never succeeded yet, but {rose}: {LEADS}."


def _moved(trained: Sequence[Trained], floors: Iterable[Trained]) -> str:
    """A sentence where progress is more than the best without learning, by more than chance; else ""."""
    found = [
        [each.progress for result in results for each in result.episodes if each.progress is not None]
        for results in (trained, *([floor] for floor in floors))
    ]
    ours, *others = (np.array(each) for each in found)
    best = max(filter(len, others), key=np.mean, default=None)
    if best is None or not len(ours) or probability_of_improvement(ours, best).low <= 0.5:
        return ""
    progress = f"progress is {compact(ours.mean())}, and {compact(best.mean())} without learning"
    return f"It (almost) never succeeded yet, but {progress}: {LEADS}."


def _meanwhile(trained: Sequence[Trained], best: int) -> str:
    """Course of an episode's reward while fitness fell; "" where that isn't known."""

    def paid(point: Checkpoint) -> float | None:
        means = [stats.mean for term, stats in point.terms.items() if not is_diagnostic(term)]
        return point.episode_length * sum(means) if point.episode_length and means else None

    after = _smooth(_curve(trained, paid)[1])[best:]
    if len(after) < 2:
        return ""
    if after[-1] >= after[0]:
        return ", while its reward rose: it pays for something else, too"
    return ", and its reward with it: what was learnt was lost again, which needn't be the reward's fault"


def _on_term(
    term: str, stats: Sequence[TermStats], correlation: float | None, *, alone: bool
) -> Iterator[str]:
    low, high = min(each.low for each in stats), max(each.high for each in stats)
    means, share = [each.mean for each in stats], fmean(each.share for each in stats)
    mean, change, size = fmean(means), max(means) - min(means), max(map(abs, means))
    if low == high:
        yield f"'{term}' was {compact(high)} throughout: it teaches nothing; rewrite or drop it."
        return
    if is_diagnostic(term):
        return
    if share >= DOMINATES and not alone:
        helps = correlation is not None and correlation >= WITH
        what = "it goes with fitness, but the others have no say; scale them up" if helps else "scale it down"
        yield f"'{term}' makes up {share:.0%} of the reward and hides the others: {what}."
    elif share <= NEGLIGIBLE:
        little = f"{share:.1%}" if share >= 0.0005 else "under 0.1%"
        yield f"'{term}' makes up {little} of the reward: it has no say; scale it up or drop it."
    if len(means) >= 3 and change <= CONSTANT * (high - low) and change <= STEADY * size:
        if min(means) >= high - SATISFIED * (high - low):
            yield f"'{term}' was near its highest value all along: it guides nothing; raise it, or drop it."
        else:
            yield (
                f"The mean of '{term}' hardly changed in training (about {compact(mean)}): it isn't being "
                "optimised as it is written; change its scale or temperature, rewrite or drop it."
            )
    if correlation is not None and correlation <= AGAINST and mean > 0:
        yield f"'{term}' pays, yet goes against fitness (correlation {correlation:+.2f})."


def _curve(
    trained: Sequence[Trained], value: Callable[[Checkpoint], float | None]
) -> tuple[list[int], list[float]]:
    """Steps, and means of a value over seeds, of every checkpoint that has it."""
    found: dict[int, float] = {}
    for group in zip(*(each.checkpoints for each in trained), strict=False):
        if (mean := mean_known(map(value, group))) is not None:
            found[group[0].step] = mean
    return [*found], [*found.values()]


def _smooth(values: Sequence[float]) -> list[float]:
    """Means of `WINDOW` neighbours, where there are enough points."""
    width = WINDOW if len(values) >= 2 * WINDOW else 1
    return np.convolve(values, np.full(width, 1 / width), "valid").tolist() if values else []
