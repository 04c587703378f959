"""The figures of a bench: human-normalised scores of each task and of all; fitness in every search."""

from __future__ import annotations

from typing import Any

from eureka_loop.judge.statistics import Interval
from eureka_loop.numbers import number
from eureka_loop.report import text
from eureka_loop.report.bench.results import REWARDS, BenchResults, TaskResult
from eureka_loop.report.figures import INK, SERIES, SOFT, drawing

WIDTH, ROW = 8.0, 0.4  # inches
LANE = 0.2  # rows between the lanes of a task's rewards
FAR = 3.0  # scores beyond are drawn at the edge: one task must not press the others together


def normalised(found: BenchResults) -> str:
    """A row for each task, the last one for all; "" where no task has a score."""
    if found.normalised is None:
        return ""
    scores = [f"{each.name} {each.normalised}" for each in found.tasks if each.normalised]
    title = f"Human-normalised scores with 95% intervals: {'; '.join(scores)}; all tasks {found.normalised}"
    names = [*(each.name for each in found.tasks), "all tasks"]
    with drawing(WIDTH, 0.7 + ROW * len(names), title) as drawn:
        axes = drawn.axes[0]
        axes.axvline(0, color=SOFT, linestyle=":", linewidth=1)
        axes.axvline(1, color=SOFT, linestyle=":", linewidth=1)
        for row, each in enumerate(found.tasks):
            _score(axes, each, row)
        _marked(axes, found.normalised, len(found.tasks), SERIES[1], several=found.several)
        _rows(axes, names)
        axes.set_xlabel("human-normalised score: 0 sparse, 1 hand-written")
    return drawn.svg


def fitness(found: BenchResults) -> str:
    """A row for each task, on its own scale, with a dot for each search; "" where no search is done."""
    tasks = [each for each in found.tasks if each.done]
    if not tasks:
        return ""
    title = f"Fitness of {', '.join(REWARDS)} in every search of {', '.join(each.name for each in tasks)}"
    with drawing(WIDTH, 0.6 + 1.3 * ROW * len(tasks), title) as drawn:
        axes = drawn.axes[0]
        for row, each in enumerate(tasks):
            _searches(axes, each, row, labelled=row == 0)
        _rows(axes, [each.name for each in tasks])
        axes.set_xlim(-0.12, 1.12)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(REWARDS))
    return drawn.svg


def _searches(axes: Any, task: TaskResult, row: int, *, labelled: bool) -> None:
    """A task's searches in three lanes, between its least and its greatest fitness."""
    columns = list(zip(*(each.fitness for each in task.done), strict=True))
    known = [value for column in columns for value in column if value is not None]
    low, high = min(known), max(known)
    for lane, (name, column) in enumerate(zip(REWARDS, columns, strict=True)):
        values = [value for value in column if value is not None]
        x = [(value - low) / (high - low) if high > low else 0.5 for value in values]
        y = [row + LANE * (lane - 1)] * len(x)
        label = {"label": name} if labelled else {}
        axes.scatter(x, y, s=36, color=SERIES[lane], alpha=0.4, linewidths=0, **label)
    axes.text(-0.02, row, number(low), ha="right", va="center")
    axes.text(1.02, row, number(high), ha="left", va="center")


def _score(axes: Any, task: TaskResult, row: int) -> None:
    if task.normalised is None:
        axes.text(0.02, row, "undefined" if task.done else "not done", va="center")
        return
    searches = [_within(each) for each in task.each]
    axes.scatter(searches, [row] * len(searches), s=24, color=SERIES[0], alpha=0.4, linewidths=0)
    _marked(axes, task.normalised, row, SERIES[0], several=task.several)


def _marked(axes: Any, found: Interval, row: int, colour: str, *, several: bool) -> None:
    """A value with its interval."""
    if several:
        ends = [_within(found.low), _within(found.high)]
        axes.plot(ends, [row, row], color=colour, linewidth=3, alpha=0.75)
    axes.plot(_within(found.value), row, "o", markersize=8, color=colour)


def _rows(axes: Any, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [text.one_line(name, 34) for name in names])
    axes.tick_params(axis="y", labelcolor=INK, length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _within(value: float) -> float:
    return min(FAR, max(-FAR, value))
