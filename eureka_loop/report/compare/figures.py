"""The figures of a comparison; each is "" where there is nothing to draw."""

from __future__ import annotations

import numpy as np

from eureka_loop import numbers
from eureka_loop.judge.agreement import Agreement
from eureka_loop.report import text
from eureka_loop.report.compare.results import Part, profile_band, terms_over_training
from eureka_loop.report.comparison import RewardResult
from eureka_loop.report.figures import OTHER, SERIES, drawing, label_counts, line

WIDTH, HEIGHT = 4.8, 2.8  # inches
LEVELS = 121  # points of a performance profile
COLUMNS = 4  # terms side by side


def drawn(part: Part) -> dict[str, str]:
    """Name of each figure → SVG."""
    return {
        "seeds": seeds(part),
        "learning": learning(part),
        "profiles": profiles(part),
        **{f"shared-{each.id}": shared(part, found, each) for found, each in part.agreements},
        **{f"terms-{each.id}": terms(part, series) for series, each in enumerate(part.results)},
    }


def seeds(part: Part) -> str:
    """Each reward's seeds as dots, with interquartile mean and interval."""
    shown = [(index, each) for index, each in enumerate(part.results) if each.interval is not None]
    if not shown:
        return ""
    values = "; ".join(f"{each.label} {each.interval}" for _, each in shown)
    title = f"Fitness with {part.name}, interquartile mean with 95% interval: {values}"
    with drawing(WIDTH, 0.8 + 0.5 * len(shown), title) as found:
        axes = found.axes[0]
        for row, (index, each) in enumerate(shown):
            interval, colour = each.interval, SERIES[index % len(SERIES)]
            assert interval is not None
            axes.scatter(each.fitness, [row] * each.fitness.size, s=26, color=colour, alpha=0.4, linewidths=0)
            axes.plot([interval.low, interval.high], [row, row], color=colour, linewidth=3, alpha=0.75)
            axes.plot(interval.value, row, "o", markersize=8, color=colour)
        axes.set_yticks(range(len(shown)), [_short(each) for _, each in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlabel("fitness of the final policy")
    return found.svg


def learning(part: Part) -> str:
    """Fitness of training episodes over training: interquartile mean over seeds, with its interval."""
    if not part.steps.size:
        return ""
    with drawing(WIDTH, HEIGHT, f"Learning curves of {_labels(part)} with {part.name}") as found:
        axes = found.axes[0]
        for index, band in enumerate(part.bands):
            if band is not None:
                line(axes, part.steps, band, index)
        label_counts(axes.xaxis)
        axes.set_xlabel("environment steps")
        axes.set_ylabel("fitness while learning")
    return found.svg


def profiles(part: Part) -> str:
    """Share of seeds that reach each fitness, with its interval."""
    known = [float(value) for each in part.results for value in each.fitness]
    if not known:
        return ""
    margin = 0.05 * (max(known) - min(known)) or 1.0
    levels = np.linspace(min(known) - margin, max(known) + margin, LEVELS)
    with drawing(WIDTH, HEIGHT, f"Performance profiles of {_labels(part)} with {part.name}") as found:
        axes = found.axes[0]
        for index, each in enumerate(part.results):
            if each.fitness.size:
                line(axes, levels, profile_band(each, levels), index)
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
        axes.set_xlabel(_short(theirs))
        axes.set_ylabel(_short(ours))
    return found.svg


def terms(part: Part, series: int) -> str:
    """Every term of one reward over training: mean over seeds, range of the seeds; each on its own scale."""
    result = part.results[series]
    curves = terms_over_training(result.evaluated)
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


def _labels(part: Part) -> str:
    return ", ".join(each.label for each in part.results)


def _short(result: RewardResult) -> str:
    return text.one_line(result.label, 28)
