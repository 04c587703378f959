"""Sentences on what stands out in the numbers of a training.

After Ma et al. 2023, "Eureka", appendix A ("code feedback"), which has a reward of no success rewritten:
here only if neither fitness nor progress rose. Its rules on single terms are left out, as they are often
wrong: a term of small share may matter early, a constant one by the length of an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from types import MappingProxyType

import numpy as np

from eureka_loop.judge.statistics import probability_of_improvement
from eureka_loop.numbers import compact
from eureka_loop.results import Checkpoint, TermStats, Trained, mean_known
from eureka_loop.reward.contract import is_diagnostic

NEVER = 0.05  # success rates up to this count as never
FALLEN = 0.7  # final fitness, as a part of the rise to its best point in training
REWRITE = "rewrite the whole reward rather than adjusting it"
WINDOW = 3  # points of training, of six or more, that are taken together: single ones are noisy


def advice(trained: Sequence[Trained], floors: Mapping[str, Trained] = MappingProxyType({})) -> list[str]:
    """Sentences on what stands out; none where nothing does, or nothing was kept of the training.

    Args:
        floors: policies that learn nothing, by name.
    """
    points = [point.terms for each in trained for point in each.checkpoints]
    terms = dict.fromkeys(term for point in points for term in point)
    lines = [_on_outcome(trained, floors.values())]
    lines += [_on_term(term, [point[term] for point in points if term in point]) for term in terms]
    return [line for line in lines if line]


def _on_outcome(trained: Sequence[Trained], floors: Iterable[Trained]) -> str:
    rates = [each.success for each in trained if each.success is not None]
    never = bool(rates) and max(rates) <= NEVER
    moved = _moved(trained, floors) if never else ""
    steps, fitness = _curve(trained, lambda point: point.fitness)
    if len(fitness) < 3:
        return moved or (f"The final policy (almost) never succeeded: {REWRITE}." if never else "")
    smooth, noise = _smooth(fitness), 0.0
    if len(fitness) >= 2 * WINDOW:  # a point's standard deviation, from the line through its neighbours
        noise = median(np.abs(np.diff(fitness, 2))) / 1.65  # 1.65 = 0.6745 √6
    best, start, end = int(np.argmax(smooth)), fitness[0], smooth[-1]
    peak, step = smooth[best], steps[best + (len(fitness) - len(smooth)) // 2]
    if peak <= start + noise:
        if moved:
            return moved
        why = f", and the final policy (almost) never succeeded: {REWRITE}" if never else ""
        return f"Fitness didn't rise in training ({compact(start)} at first, {compact(end)} at the end){why}."
    if end < start + FALLEN * (peak - start):
        rose = f"Fitness rose from {compact(start)} to {compact(peak)} at step {step:,}"
        return f"{rose} and fell to {compact(end)}{_meanwhile(trained, best)}."
    return ""


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
    return f"The final policy (almost) never succeeded, but {progress}."


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


def _on_term(term: str, stats: Sequence[TermStats]) -> str:
    low, high = min(each.low for each in stats), max(each.high for each in stats)
    if low == high == 0.0:
        return f"'{term}' was exactly 0 throughout training: what it measures never happened."
    if low == high and not is_diagnostic(term):
        return f"'{term}' was {compact(high)} at every step: it pays for the length of an episode alone."
    return ""


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
