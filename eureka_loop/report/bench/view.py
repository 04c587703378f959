"""A bench as text: report.html, report.md and the screen show the same table and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import numbers, text
from eureka_loop.config import USUAL
from eureka_loop.numbers import UNKNOWN, column, count, duration, money, percent, plural
from eureka_loop.report import layout, sections
from eureka_loop.report.bench.results import REWARDS, BenchResults, SearchResult, TaskResult
from eureka_loop.report.bench.setup import Bench, Search
from eureka_loop.report.compare.view import number, share
from eureka_loop.report.figures import SERIES, drawing, label_rows
from eureka_loop.report.pages import render
from eureka_loop.report.run_data import Cost
from eureka_loop.search.planning import in_words

UNDEFINED = "undefined"
FEW = 10  # searches below which an interval is too narrow by more than a little
HEADS = (
    "task",
    "searches",
    "human-normalised [95%]",
    "at or above hand-written",
    "success [95%]",
    "winner's fitness [95%]",
    "hand-written",
    "sparse",
    "steps",
    "time",
    "tokens",
    "cost",
)
WIDE, NARROW = (0, 1, 2, 4, 5, 6, 7, 8, 9), (0, 2, 4)  # columns on the screen
SEARCH_HEADS = ("task", "seed", "state", "winner", "winner's fitness", "hand-written", "sparse", "run")

WIDTH, ROW = 8.0, 0.4  # inches
LANE = 0.2  # rows between the lanes of a task's rewards


# before the start and between searches


def plan(bench: Bench, folder: Path, left: Sequence[Search], expected: Mapping[str, Cost]) -> RenderableType:
    """The searches that are left, how long they will take, and what they will cost.

    Args:
        expected: task → cost of one search.
    """
    whole = sum((expected[search.task] for search in left), Cost())
    model = "; the model's answers take time, too; long reasoning costs more" if whole.tokens else ""
    return layout.facts(
        [
            ("bench", f"{bench.suite}: {plural(len(expected), 'task')}, {plural(len(left), 'search')} to do"),
            ("each", f"{bench.config.designer}, {budget(bench)}"),
            ("in all", f"{plural(whole.trainings, 'training')}, {whole.steps:,} steps"),
            ("time", f"roughly {duration(whole.seconds)}; other load of the machine can halve or double it"),
            ("cost", f"{count(whole.tokens)} tokens, {whole.price}{model}"),
            ("folder", str(folder)),
        ]
    )


def outcome(each: SearchResult) -> str:
    """The result of a search in one line."""
    if each.state != "done":
        return f"{each.search}: {each.failure or each.state}"
    ours, human, sparse = column(each.fitness)
    references = f"hand-written {human}, sparse {sparse}"
    id = each.rewards["winner"].id
    return f"{each.search}: winner {id} {ours}; {references}; {duration(each.cost.seconds)}"


# the reports


def documents(found: BenchResults) -> dict[str, str]:
    """Name → content: figure.svg where a search is done, then report.html and report.md."""
    drawn = {"figure.svg": svg} if (svg := figure(found)) else {}
    values: dict[str, Any] = {
        "found": found,
        "bench": found.bench,
        "headlines": headlines(found),
        "heads": HEADS,
        "rows": rows(found),
        "notes": list(notes(found)),
        "figures": drawn,
        "search_heads": SEARCH_HEADS,
        "searches": [search_row(found, each) for each in found.searches],
        "budget": budget,
    }
    return {**drawn, **render("bench/", **values)}


def summary(found: BenchResults) -> RenderableType:
    """As much of the report as fits a screen."""
    sentences = [f"Each search: {budget(found.bench)}.", *headlines(found), *notes(found)]
    lines = [Text(text.one_line(line)) for line in sentences]
    table = [HEADS, *rows(found)]
    wide, narrow = ([[row[n] for n in shown] for row in table] for shown in (WIDE, NARROW))
    tables = layout.FirstThatFits((layout.table(wide[0], wide[1:]), layout.table(narrow[0], narrow[1:])))
    title = f"Bench {found.bench.suite}, {found.bench.config.designer}"
    return Group(
        layout.section(title, Group(tables, Text(), *lines)),
        layout.section("Cost", Text(str(found.cost))),
    )


# the table


def rows(found: BenchResults) -> list[list[str]]:
    """The table under `HEADS`: a line for each task, and one for all."""
    done = f"{sum(len(each.done) for each in found.tasks)} of {len(found.searches)}"
    share = percent(found.share.value) if found.share else UNKNOWN
    total = ["all", done, _score(found), share, "", "", "", "", *_cost(found.cost)]
    return [*map(row, found.tasks), total]


def row(task: TaskResult) -> list[str]:
    """One line of the table."""
    known = [each for each in (task.human, task.sparse) if each is not None]
    ends = [task.fitness.value, task.fitness.low, task.fitness.high] if task.fitness else []
    success, fitness = share(task.success), number(task.fitness, like=known)
    if not task.several:
        success, fitness = success.split(" [")[0], fitness.split(" [")[0]
    return [
        task.name,
        f"{len(task.done)} of {len(task.searches)}",
        _score(task) if task.done else UNKNOWN,
        {None: UNKNOWN, True: "yes", False: "no"}[task.reached],
        success,
        fitness,
        *column([task.human, task.sparse], like=ends),
        *_cost(task.cost),
    ]


def _cost(found: Cost) -> list[str]:
    """Steps, time, tokens, money."""
    usd = UNKNOWN if found.usd is None else money(found.usd)
    return [count(found.steps), duration(found.seconds), count(found.tokens), usd]


def search_row(found: BenchResults, each: SearchResult) -> list[str]:
    """One search, under `SEARCH_HEADS`: its winner and references on fresh seeds, and its folder."""
    run = each.run.folder.relative_to(found.folder) if each.run else ""
    id = each.rewards["winner"].id if each.rewards else UNKNOWN
    return [each.search.task, str(each.search.seed), each.state, id, *column(each.fitness), str(run)]


def _score(found: TaskResult | BenchResults) -> str:
    """A human-normalised score, with its interval where there are several searches."""
    value = found.normalised
    if value is None:
        return UNDEFINED
    return f"{value.value:.2f}" + f" [{value.low:.2f}, {value.high:.2f}]" * found.several


# sentences


def headlines(found: BenchResults) -> list[str]:
    """The score over all tasks; the share of tasks that reach the hand-written reward, where there is one."""
    lines = [f"No human-normalised score: {UNDEFINED} for every task."]
    if found.normalised is not None:
        defined = sum(each.normalised is not None for each in found.tasks)
        over = f"interquartile mean over {defined} of {plural(len(found.tasks), 'task')}"
        lines = [f"Human-normalised score {_score(found)}: {over}; 0 is sparse, 1 hand-written."]
    if warning := sections.origin(*map(sum, zip(*(each.elsewhere for each in found.searches), strict=True))):
        lines[0] += f" {warning}"
    if found.share is not None:
        reached = [each.reached for each in found.tasks if each.reached is not None]
        ends = f" (95% interval {percent(found.share.low)} to {percent(found.share.high)})" * found.several
        number = f"{sum(reached)} of {plural(len(reached), 'task')}{ends}"
        lines.append(f"At or above the hand-written reward: {number}.")
    return lines


def budget(bench: Bench) -> str:
    """The budget of every search."""
    config = vars(bench.config)
    found = {**config, **{name: config[name] or usual for name, usual in USUAL.items()}}
    seeds = plural(found["report_seeds"], "fresh seed")
    return f"{in_words(found)}; then its winner and each reference on {seeds}"


def notes(found: BenchResults) -> Iterator[str]:
    """Cautions about the table."""
    if found.unfinished:
        yield f"Not finished: {found.unfinished} done. The missing ones may change the numbers."
    for each in found.tasks:
        if isinstance(each.scale, str) and each.done:
            yield f"{each.name}: human-normalised score undefined: {each.scale}."
        elif not isinstance(each.scale, str) and each.scale.human < each.scale.sparse:
            yield f"{each.name}: {each.scale.explanation}"
    for result in found.searches:
        if result.failure:
            yield f"{result.search}: counts for nothing, and not as zero: {result.failure}."
    fewest = min((len(each.done) for each in found.tasks if each.done), default=0)
    if fewest == 1:
        yield "A task with one search has no interval: nothing tells luck from skill."
    elif 1 < fewest < FEW:
        few = plural(fewest, "search")
        yield f"Intervals rest on as few as {few} a task: they are too narrow, if anything."


def figure(found: BenchResults) -> str:
    """A row for each task, on its own scale, with a dot for each search; "" where no search is done."""
    tasks = [each for each in found.tasks if each.done]
    if not tasks:
        return ""
    title = f"Fitness of {', '.join(REWARDS)} in every search of {', '.join(each.name for each in tasks)}"
    with drawing(WIDTH, 0.6 + 1.3 * ROW * len(tasks), title) as drawn:
        axes = drawn.axes[0]
        for row, each in enumerate(tasks):
            _searches(axes, each, row)
        label_rows(axes, [each.name for each in tasks])
        axes.set_xlim(-0.12, 1.12)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.legend(REWARDS, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(REWARDS))
    return drawn.svg


def _searches(axes: Any, task: TaskResult, row: int) -> None:
    """A task's searches in three lanes, between its least and its greatest fitness."""
    values = np.array(
        [each.fitness for each in task.done], dtype=np.float64
    )  # (searches, rewards), NaN: none
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    places = (values - low) / (high - low) if high > low else np.where(np.isnan(values), values, 0.5)
    for lane, x in enumerate(places.T):
        y = np.full(len(x), row + LANE * (lane - 1))
        axes.scatter(x, y, s=36, color=SERIES[lane], alpha=0.4, linewidths=0)
    axes.text(-0.02, row, numbers.number(low), ha="right", va="center")
    axes.text(1.02, row, numbers.number(high), ha="left", va="center")
