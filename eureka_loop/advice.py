"""What the numbers of a training say about the reward, in plain sentences.

The checks are those of Ma et al. 2023, "Eureka", appendix A ("code feedback"): success near zero, terms that
hardly change, terms that dwarf the others; and four more that the numbers show as plainly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from eureka_loop.program.contract import is_diagnostic
from eureka_loop.results import Checkpoint, TermStats, Trained

NEVER = 0.05  # success rates up to this count as never
CONSTANT = 0.02  # change of a term's mean over training, relative to the range it was seen in
SATISFIED = 0.05  # distance of a mean from the highest value, relative to that range
DOMINATES, NEGLIGIBLE = 0.8, 0.01  # shares of the reward
AGAINST = -0.5  # correlation with fitness
FALLEN = 0.7  # final fitness, as a part of the rise to its best point in training


def advice(trained: Sequence[Trained]) -> list[str]:
    """Sentences on what stands out; none where nothing does, or nothing was kept of the training."""
    points = [point for each in trained for point in each.checkpoints]
    seen = {term: [point.terms[term] for point in points if term in point.terms] for term in _terms(points)}
    alone = sum(not is_diagnostic(term) for term in seen) < 2
    lines = [*_on_success(trained), *_on_fitness(trained)]
    for term, stats in seen.items():
        lines.extend(_on_term(term, stats, _correlation(term, trained), alone=alone))
    return lines


def _on_success(trained: Sequence[Trained]) -> Iterator[str]:
    rates = [each.success for each in trained if each.success is not None]
    if rates and max(rates) <= NEVER:
        yield "It (almost) never succeeded: rewrite the whole reward rather than adjusting it."


def _on_fitness(trained: Sequence[Trained]) -> Iterator[str]:
    curve = list(_curve(trained))
    if len(curve) < 3:
        return
    start, end = curve[0][1], curve[-1][1]
    step, peak = max(curve, key=lambda each: each[1])
    if end <= start:
        yield (
            f"Fitness didn't rise in training ({number(start)} at first, {number(end)} at the end): "
            "the reward doesn't lead to the task."
        )
    elif end < start + FALLEN * (peak - start):
        yield (
            f"Fitness peaked at step {step:,} ({number(peak)}) and fell to {number(end)}: "
            "the policy found something else that pays."
        )


def _on_term(
    term: str, stats: Sequence[TermStats], correlation: float | None, *, alone: bool
) -> Iterator[str]:
    low, high = min(each.low for each in stats), max(each.high for each in stats)
    means = [each.mean for each in stats]
    if low == high:
        yield f"'{term}' was {number(high)} throughout: it teaches nothing; rewrite or drop it."
    elif not is_diagnostic(term):
        yield from _on_share(term, _mean([each.share for each in stats]), alone=alone)
        yield from _on_change(term, means, low, high)
        if correlation is not None and correlation <= AGAINST and _mean(means) > 0:
            yield f"'{term}' pays, yet goes against fitness (correlation {correlation:+.2f})."


def _on_change(term: str, means: Sequence[float], low: float, high: float) -> Iterator[str]:
    if len(means) < 3 or max(means) - min(means) > CONSTANT * (high - low):
        return
    if min(means) >= high - SATISFIED * (high - low):
        yield f"'{term}' was near its highest value all along: it guides nothing; ask for more, or drop it."
    else:
        yield (
            f"The mean of '{term}' hardly changed in training (about {number(_mean(means))}): it isn't being "
            "optimised as it is written; change its scale or temperature, rewrite or drop it."
        )


def _on_share(term: str, share: float, *, alone: bool) -> Iterator[str]:
    if share >= DOMINATES and not alone:
        yield f"'{term}' makes up {share:.0%} of the reward and hides the others: scale it down."
    elif share <= NEGLIGIBLE:
        yield f"'{term}' makes up {share:.1%} of the reward: it has no say; scale it up or drop it."


def _terms(points: Sequence[Checkpoint]) -> list[str]:
    return list(dict.fromkeys(term for point in points for term in point.terms))


def _correlation(term: str, trained: Sequence[Trained]) -> float | None:
    known = [value for each in trained if (value := each.correlations.get(term)) is not None]
    return _mean(known) if known else None


def _curve(trained: Sequence[Trained]) -> Iterator[tuple[int, float]]:
    """(step, mean fitness over seeds) of every point at which an episode finished."""
    for group in zip(*(each.checkpoints for each in trained), strict=False):
        known = [point.fitness for point in group if point.fitness is not None]
        if known:
            yield group[0].step, _mean(known)


def number(value: float) -> str:
    """Three digits, without an exponent where that is readable: 0.00123, 12.3, 1234; no minus before 0."""
    value += 0.0  # -0.0 + 0.0 is 0.0
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
