"""The figures of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop import numbers, text
from eureka_loop.judge.agreement import Agreement
from eureka_loop.judge.statistics import rate_interval
from eureka_loop.records import Array
from eureka_loop.report.compare.results import Part
from eureka_loop.report.comparison import RewardResult
from eureka_loop.report.figures import (
    HEIGHT,
    OTHER,
    SERIES,
    WIDTH,
    drawing,
    label_counts,
    label_rows,
    line,
    spread,
)
from eureka_loop.results import Evaluated

LEVELS = 121  # points of a performance profile
COLUMNS = 4  # terms side by side


def seeds(part: Part) -> str:
    """Each reward's seeds as dots, with interquartile mean and interval; "" where no training finished."""
    shown = [(SERIES[n % len(SERIES)], each, each.interval) for n, each in enumerate(part.results)]
    known = [(colour, each, interval) for colour, each, interval in shown if interval is not None]
    if not known:
        return ""
    values = "; ".join(f"{each.label} {interval}" for _, each, interval in known)
    title = f"Fitness with {part.name}, interquartile mean with 95% interval: {values}"
    with drawing(WIDTH, 0.8 + 0.5 * len(known), title) as found:
        axes = found.axes[0]
        for row, (colour, each, interval) in enumerate(known):
            spread(axes, row, each.fitness, interval, colour)
        label_rows(axes, [each.label for _, each, _ in known])
        axes.set_xlabel("fitness of the final policy")
    return found.svg


def profiles(part: Part) -> str:
    """Share of seeds that reach each fitness, with its 95% interval at each fitness on its own."""
    known = [float(value) for each in part.results for value in each.fitness]
    if not known:
        return ""
    margin = 0.05 * (max(known) - min(known)) or 1.0
    labels = ", ".join(each.label for each in part.results)
    levels = np.linspace(min(known) - margin, max(known) + margin, LEVELS)
    with drawing(WIDTH, HEIGHT, f"Performance profiles of {labels} with {part.name}") as found:
        axes = found.axes[0]
        for index, each in enumerate(part.results):
            if each.fitness.size:
                rates = [rate_interval((each.fitness >= level).astype(np.float64)) for level in levels]
                value, low, high = np.array([[rate.value, rate.low, rate.high] for rate in rates]).T
                line(axes, levels, (value, low, high), index)
        axes.set_xlabel("fitness")
        axes.set_ylabel("share of seeds that reach it")
        axes.yaxis.set_major_formatter(lambda value, _: numbers.percent(value))
    return found.svg


def shared(part: Part, agreement: Agreement, theirs: RewardResult) -> str:
    """Two rewards on the same transitions: a point for each, coloured by the policy it comes from."""
    ours, order = part.results[0], [each.label for each in part.results]
    sources = [name.removeprefix("policy of ") for name in agreement.sources]
    colours = [SERIES[order.index(name) % len(SERIES)] if name in order else OTHER for name in sources]
    points = np.random.default_rng(0).permutation(np.array(agreement.points))  # no policy's all on top
    title = f"{ours.label} against {theirs.label} on shared transitions, policies of {part.name}"
    with drawing(WIDTH, HEIGHT + 0.3, title) as found:
        axes = found.axes[0]
        shown = [colours[int(source)] for source in points[:, 2]]
        axes.scatter(points[:, 1], points[:, 0], s=7, c=shown, alpha=0.5, linewidths=0)
        axes.set_xlabel(text.one_line(theirs.label, 28))
        axes.set_ylabel(text.one_line(ours.label, 28))
    return found.svg


def terms(part: Part, series: int) -> str:
    """Every term of one reward over training: mean over seeds, range of the seeds; each on its own scale."""
    result = part.results[series]
    curves = _over_training(result.evaluated)
    if not curves:
        return ""
    rows = -(-len(curves) // COLUMNS)
    title = f"Terms of {result.label} over training with {part.name}: {', '.join(curves)}"
    with drawing(2 * WIDTH, 1.5 * rows, title, rows=rows, columns=COLUMNS) as found:
        for axes in found.axes[len(curves) :]:
            axes.set_visible(False)
        for axes, (name, curve) in zip(found.axes, curves.items(), strict=False):
            line(axes, curve[:, 0], (curve[:, 1], curve[:, 2], curve[:, 3]), series, linestyle="-")
            axes.set_title(text.one_line(name, 28), loc="left")
            axes.locator_params(nbins=3)
            label_counts(axes.xaxis)
    return found.svg


def _over_training(evaluated: Evaluated) -> dict[str, Array]:
    """Term → (checkpoints, 4): step, mean over seeds, and the lowest and highest of the seeds' means."""
    found: dict[str, list[Sequence[float]]] = {}
    for group in zip(*(each.checkpoints for each in evaluated.trained), strict=False):
        for name in dict.fromkeys(name for point in group for name in point.terms):
            means = [point.terms[name].mean for point in group if name in point.terms]
            found.setdefault(name, []).append((group[0].step, float(np.mean(means)), min(means), max(means)))
    return {name: np.array(rows) for name, rows in found.items()}
