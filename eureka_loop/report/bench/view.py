"""A bench as text: report.html, report.md and the screen show the same table and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files
from eureka_loop.numbers import UNKNOWN, column, duration, percent, plural
from eureka_loop.report import layout, text
from eureka_loop.report.bench import figures
from eureka_loop.report.bench.estimate import Cost
from eureka_loop.report.bench.results import BenchResults, SearchResult, TaskResult
from eureka_loop.report.bench.setup import Bench, Search
from eureka_loop.report.compare.view import machine, number, settings, share
from eureka_loop.report.comparison import Undefined
from eureka_loop.report.pages import render

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
CAPTIONS = {
    "figure.svg": "Human-normalised score of every task, with its 95% interval",
    "fitness.svg": "Fitness of winner, hand-written and sparse reward in every search",
}
SEARCH_HEADS = ("task", "seed", "state", "winner", "winner's fitness", "hand-written", "sparse", "run")


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
            ("cost", f"{whole.model}{model}"),
            ("folder", str(folder)),
        ]
    )


def seconds_left(
    wanted: Sequence[Search], took: Mapping[Search, float], expected: Mapping[str, Cost]
) -> float:
    """Expected time of the searches that are left, corrected by how long the others took.

    Args:
        took: seconds of each search that has ended.
        expected: task → cost of one search.
    """
    estimated = sum(expected[search.task].seconds for search in took)
    factor = sum(took.values()) / estimated if estimated else 1.0
    return factor * sum(expected[search.task].seconds for search in wanted if search not in took)


def outcome(each: SearchResult) -> str:
    """The result of a search in one line."""
    if each.state != "done":
        return f"{each.search}: {each.failure or each.state}"
    ours, human, sparse = column(each.fitness)
    references = f"hand-written {human}, sparse {sparse}"
    id = each.rewards["winner"].id
    return f"{each.search}: winner {id} {ours}; {references}; {duration(each.cost.seconds)}"


# the reports


def write(found: BenchResults) -> list[Path]:
    """Write the figures and both reports; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    written = documents(found)
    for name, content in written.items():
        files.write_text(found.folder / name, content)
    return [found.folder / name for name in written if name.startswith("report")]


def documents(found: BenchResults) -> dict[str, str]:
    """Name → content: figure.svg and fitness.svg, where there is one, then report.html and report.md."""
    drawn = {"figure.svg": figures.normalised(found), "fitness.svg": figures.fitness(found)}
    drawn = {name: svg for name, svg in drawn.items() if svg}
    values = {
        "found": found,
        "bench": found.bench,
        "headline": headline(found),
        "at_or_above": at_or_above(found),
        "protocol": protocol(found.bench),
        "heads": HEADS,
        "rows": rows(found),
        "notes": list(notes(found)),
        "figures": [(name, svg, CAPTIONS[name]) for name, svg in drawn.items()],
        "explanations": EXPLANATIONS,
        "search_heads": SEARCH_HEADS,
        "searches": [search_row(found, each) for each in found.searches],
        "provenance": list(provenance(found)),
    }
    reports = {name: render(__package__, f"{name}.j2", **values) for name in ("report.html", "report.md")}
    return {**drawn, **reports}


def summary(found: BenchResults) -> RenderableType:
    """As much of the report as fits a screen."""
    sentences = [f"Each search: {budget(found.bench)}.", headline(found), at_or_above(found), *notes(found)]
    lines = [Text(text.one_line(line)) for line in sentences if line]
    tables = tuple(
        layout.table([HEADS[n] for n in shown], [[cells[n] for n in shown] for cells in rows(found)])
        for shown in (WIDE, NARROW)
    )
    title = f"Bench {found.bench.suite}, {found.bench.config.designer}"
    return Group(
        layout.section(title, Group(layout.FirstThatFits(tables), Text(), *lines)),
        layout.section("Cost", Text(str(found.cost))),
    )


# the table


def rows(found: BenchResults) -> list[list[str]]:
    """The table under `HEADS`: a line for each task, and one for all."""
    done = f"{sum(len(each.done) for each in found.tasks)} of {len(found.searches)}"
    share = percent(found.share.value) if found.share else UNKNOWN
    total = ["all", done, _score(found), share, "", "", "", "", *found.cost.cells]
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
        UNKNOWN if task.reached is None else "yes" if task.reached else "no",
        success,
        fitness,
        *column([task.human, task.sparse], like=ends),
        *task.cost.cells,
    ]


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


def headline(found: BenchResults) -> str:
    """The score over all tasks."""
    if found.normalised is None:
        return f"No human-normalised score: {UNDEFINED} for every task."
    defined = sum(each.normalised is not None for each in found.tasks)
    over = f"interquartile mean over {defined} of {plural(len(found.tasks), 'task')}"
    return f"Human-normalised score {_score(found)}: {over}; 0 is sparse, 1 hand-written."


def at_or_above(found: BenchResults) -> str:
    """Share of tasks that reach the hand-written reward; "" where there is none to reach."""
    if found.share is None:
        return ""
    reached = [each.reached for each in found.tasks if each.reached is not None]
    interval = f" (95% interval {percent(found.share.low)} to {percent(found.share.high)})" * found.several
    return f"At or above the hand-written reward: {sum(reached)} of {plural(len(reached), 'task')}{interval}."


def budget(bench: Bench) -> str:
    """The budget of every search."""
    config = bench.config
    early = f", the best 1 in {config.halving} of them to the end" if config.halving > 1 else ""
    written = f"{plural(config.generations, 'generation')} × {plural(config.samples, 'reward')}{early}"
    training = f"{config.algo.upper()} for {config.steps:,} steps × {plural(config.seeds, 'seed')}"
    report = f"its winner and each reference on {plural(config.report_seeds, 'fresh seed')}"
    return f"{written}, {training}; then {report}"


def protocol(bench: Bench) -> str:
    """How it was measured."""
    config = bench.config
    designer = f"{config.designer} ({config.model})" if config.model else f"{config.designer}"
    searches = f"{plural(len(bench.tasks), 'task')} × {plural(bench.searches, 'search')}"
    return (
        f"{searches} by {designer}, each: {budget(bench)}. Every final policy is judged in "
        f"{plural(config.judge_episodes, 'episode')}. Numbers hold for this budget: with more steps both the "
        "winners and the hand-written rewards do better."
    )


def notes(found: BenchResults) -> Iterator[str]:
    """Cautions about the table."""
    if found.unfinished:
        yield f"Not finished: {found.unfinished} done. The missing ones may change the numbers."
    for each in found.tasks:
        if isinstance(each.scale, Undefined):
            if each.done:
                yield f"{each.name}: human-normalised score undefined: {each.scale.why}."
        elif each.scale.human < each.scale.sparse:
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


EXPLANATIONS = (
    "Human-normalised: (winner − sparse) / |hand-written − sparse|, raw; a task's is the interquartile "
    "mean over its searches (below 4: the mean), that of all tasks over all searches of all tasks.",
    "Undefined: a side of that scale is missing, or its two sides can't be told apart (the 95% interval "
    "of their difference holds 0): dividing by their gap would only enlarge noise.",
    "Intervals: 95% bootstrap, stratified by task. Resampled: searches, the unit of replication; in "
    "each its winner's trainings; and the trainings of the hand-written and of the sparse reward, from "
    "those of all searches together.",
    "Winner, hand-written, sparse: fitness on fresh seeds. Success: share of judged episodes, winners "
    "only; its interval is Wilson's, a search counting as one draw. Steps and time: of the searches and "
    "their reports together.",
)


def provenance(found: BenchResults) -> Iterator[tuple[str, str]]:
    """Everything needed to repeat it: names and values."""
    bench = found.bench
    yield "command", bench.command
    yield "seeds of the searches", f"{bench.seed} to {bench.seed + bench.searches - 1}"
    yield "hyperparameters", settings(bench.config.hyperparameters)
    yield from machine(bench.made_by)
    yield "cost", str(found.cost)
