"""Advice worked out from the numbers of a training, in plain sentences.

The checks are those of Ma et al. 2023, "Eureka", appendix A ("code feedback"): success near zero, terms that
hardly change, terms that dwarf the others; and four more that the numbers show as plainly. Where the paper
has a reward of no success rewritten whole, this advice comes only if fitness didn't rise either.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from eureka_loop.numbers import compact
from eureka_loop.results import Checkpoint, TermStats, Trained
from eureka_loop.reward.contract import is_diagnostic

NEVER = 0.05  # success rates up to this count as never
CONSTANT = 0.02  # change of a term's mean over training, relative to the range it was seen in
STEADY = 0.1  # the same, relative to the mean itself: a rare penalty that gets rarer does change
SATISFIED = 0.05  # distance of a mean from the highest value, relative to that range
DOMINATES, NEGLIGIBLE = 0.8, 0.01  # shares of the reward
AGAINST, WITH = -0.5, 0.5  # correlation with fitness
FALLEN = 0.7  # final fitness, as a part of the rise to its best point in training
REWRITE = "rewrite the whole reward rather than adjusting it"
WINDOW = 3  # points of training, of six or more, that are taken together: single ones are noisy


def advice(trained: Sequence[Trained]) -> list[str]:
    """Sentences on what stands out; none where nothing does, or nothing was kept of the training."""
    points = [point for each in trained for point in each.checkpoints]
    terms = dict.fromkeys(term for point in points for term in point.terms)
    seen = {term: [point.terms[term] for point in points if term in point.terms] for term in terms}
    alone = sum(not is_diagnostic(term) for term in seen) < 2
    lines = list(_on_outcome(trained))
    for term, stats in seen.items():
        lines.extend(_on_term(term, stats, mean_correlation(term, trained), alone=alone))
    return lines


def _on_outcome(trained: Sequence[Trained]) -> Iterator[str]:
    rates = [each.success for each in trained if each.success is not None]
    never = bool(rates) and max(rates) <= NEVER
    curve = _curve(trained, lambda point: point.fitness)
    if len(curve) < 3:
        if never:
            yield f"It (almost) never succeeded: {REWRITE}."
        return
    smooth, start = _smooth(curve), curve[0][1]
    (step, peak), end = max(smooth, key=lambda each: each[1]), smooth[-1][1]
    if peak <= start + _noise(curve):
        why = (
            f", and it (almost) never succeeded: {REWRITE}"
            if never
            else ": the reward doesn't lead to the task"
        )
        yield f"Fitness didn't rise in training ({compact(start)} at first, {compact(end)} at the end){why}."
    elif end < start + FALLEN * (peak - start):
        rose = f"Fitness rose from {compact(start)} to {compact(peak)} at step {step:,}"
        yield f"{rose} and fell to {compact(end)}{_meanwhile(trained, step)}."
    elif never:
        yield (
            f"It (almost) never succeeded yet, but fitness rose from {compact(start)} to {compact(end)}: "
            "the reward leads the right way, not far enough; keep what works."
        )


def _meanwhile(trained: Sequence[Trained], step: int) -> str:
    """Course of an episode's reward while fitness fell; "" where that isn't known."""
    after = [value for at, value in _smooth(_curve(trained, _return)) if at >= step]
    if len(after) < 2:
        return ""
    if after[-1] >= after[0]:
        return ", while its reward rose: it pays for something else, too"
    return ", and its reward with it: what was learnt was lost again, which needn't be the reward's fault"


def _on_term(
    term: str, stats: Sequence[TermStats], correlation: float | None, *, alone: bool
) -> Iterator[str]:
    low, high = min(each.low for each in stats), max(each.high for each in stats)
    means = [each.mean for each in stats]
    if low == high:
        yield f"'{term}' was {compact(high)} throughout: it teaches nothing; rewrite or drop it."
    elif not is_diagnostic(term):
        yield from _on_share(term, statistics.fmean(each.share for each in stats), correlation, alone=alone)
        yield from _on_change(term, means, low, high)
        if correlation is not None and correlation <= AGAINST and statistics.fmean(means) > 0:
            yield f"'{term}' pays, yet goes against fitness (correlation {correlation:+.2f})."


def _on_change(term: str, means: Sequence[float], low: float, high: float) -> Iterator[str]:
    change, size = max(means) - min(means), max(map(abs, means))
    if len(means) < 3 or change > CONSTANT * (high - low) or change > STEADY * size:
        return
    if min(means) >= high - SATISFIED * (high - low):
        yield f"'{term}' was near its highest value all along: it guides nothing; ask for more, or drop it."
    else:
        yield (
            f"The mean of '{term}' hardly changed in training (about {compact(statistics.fmean(means))}): it "
            "isn't being optimised as it is written; change its scale or temperature, rewrite or drop it."
        )


def _on_share(term: str, share: float, correlation: float | None, *, alone: bool) -> Iterator[str]:
    if share >= DOMINATES and not alone:
        helps = correlation is not None and correlation >= WITH
        what = "it goes with fitness, but the others have no say; scale them up" if helps else "scale it down"
        yield f"'{term}' makes up {share:.0%} of the reward and hides the others: {what}."
    elif share <= NEGLIGIBLE:
        little = f"{share:.1%}" if share >= 0.0005 else "under 0.1%"
        yield f"'{term}' makes up {little} of the reward: it has no say; scale it up or drop it."


def mean_correlation(term: str, trained: Sequence[Trained]) -> float | None:
    """Mean over seeds of a term's correlation with fitness; None where it is undefined in all."""
    known = [value for each in trained if (value := each.correlations.get(term)) is not None]
    return statistics.fmean(known) if known else None


def _curve(
    trained: Sequence[Trained], value: Callable[[Checkpoint], float | None]
) -> list[tuple[int, float]]:
    """(step, mean of a value over seeds) of every checkpoint that has it."""
    found = []
    for group in zip(*(each.checkpoints for each in trained), strict=False):
        known = [each for point in group if (each := value(point)) is not None]
        if known:
            found.append((group[0].step, statistics.fmean(known)))
    return found


def _return(point: Checkpoint) -> float | None:
    if point.episode_length is None or not point.terms:
        return None
    paid = (stats.mean for term, stats in point.terms.items() if not is_diagnostic(term))
    return point.episode_length * sum(paid)


def _smooth(curve: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    width = WINDOW if len(curve) >= 2 * WINDOW else 1
    windows = [curve[n : n + width] for n in range(len(curve) - width + 1)]
    return [(each[width // 2][0], statistics.fmean(value for _, value in each)) for each in windows]


def _noise(curve: Sequence[tuple[int, float]]) -> float:
    """A point's standard deviation, from how far points are off the line through their neighbours."""
    values = [value for _, value in curve]
    off = [abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return statistics.median(off) / 1.65 if len(curve) >= 2 * WINDOW else 0.0  # 1.65 = 0.6745 √6
