"""A bench as text: report.html, report.md and the screen show the same table and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from eureka_loop import files
from eureka_loop.judge.statistics import Interval
from eureka_loop.numbers import UNKNOWN, column, percent, plural
from eureka_loop.report.bench import figures
from eureka_loop.report.bench.results import BenchResults, SearchResult, TaskResult
from eureka_loop.report.bench.setup import Bench
from eureka_loop.report.compare.view import machine, number, settings, share
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
SEARCH_HEADS = ("task", "seed", "state", "winner", "winner's fitness", "hand-written", "sparse", "run")
FIGURES = {  # file → function that draws it, and its caption
    "figure.svg": (figures.normalised, "Human-normalised score of every task, with its 95% interval"),
    "fitness.svg": (figures.fitness, "Fitness of winner, hand-written and sparse reward in every search"),
}


def write(found: BenchResults) -> list[Path]:
    """Write the figures and both reports; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    drawn = {name: draw(found) for name, (draw, _) in FIGURES.items()}
    for name, svg in drawn.items():
        if svg:
            files.write_text(found.folder / name, svg)
    paths = [found.folder / "report.html", found.folder / "report.md"]
    for path in paths:
        files.write_text(path, document(found, path.name, drawn))
    return paths


def document(found: BenchResults, name: str, drawn: Mapping[str, str]) -> str:
    """One of the reports, by the name of its file.

    Args:
        drawn: file → figure as SVG; "" where there is none.
    """
    return render(
        __package__,
        f"{name}.j2",
        found=found,
        bench=found.bench,
        headline=headline(found),
        at_or_above=at_or_above(found),
        protocol=protocol(found.bench),
        heads=HEADS,
        rows=rows(found),
        notes=list(notes(found)),
        figures=[(name, svg, FIGURES[name][1]) for name, svg in drawn.items() if svg],
        explanations=EXPLANATIONS,
        search_heads=SEARCH_HEADS,
        searches=[search_row(found, each) for each in found.searches],
        provenance=list(provenance(found)),
    )


# the table


def rows(found: BenchResults) -> list[list[str]]:
    """The table under `HEADS`: a line for each task, and one for all."""
    return [*map(row, found.tasks), _total(found)]


def row(task: TaskResult) -> list[str]:
    """One line of the table."""
    known = [each for each in (task.human, task.sparse) if each is not None]
    if task.fitness is not None and not task.several:
        fitness = column([task.fitness.value], like=known)[0]
    else:
        fitness = number(task.fitness, like=known)
    ends = [] if task.fitness is None else [task.fitness.value, task.fitness.low, task.fitness.high]
    human, sparse = column([task.human, task.sparse], like=ends)
    success = share(task.success)
    return [
        task.name,
        f"{len(task.done)} of {len(task.searches)}",
        _normalised(task),
        UNKNOWN if task.reached is None else "yes" if task.reached else "no",
        success if task.several or task.success is None else percent(task.success.value),
        fitness,
        human,
        sparse,
        *task.cost.cells,
    ]


def _normalised(task: TaskResult) -> str:
    if not task.done:
        return UNKNOWN
    return UNDEFINED if task.normalised is None else score(task.normalised, several=task.several)


def _total(found: BenchResults) -> list[str]:
    done = f"{sum(len(each.done) for each in found.tasks)} of {len(found.searches)}"
    overall = score(found.normalised, several=found.several) if found.normalised else UNDEFINED
    reached = UNKNOWN if found.share is None else percent(found.share.value)
    return ["all", done, overall, reached, "", "", "", "", *found.cost.cells]


def search_row(found: BenchResults, each: SearchResult) -> list[str]:
    """One search, under `SEARCH_HEADS`: its winner and references on fresh seeds, and its folder."""
    run = each.run.folder.relative_to(found.folder) if each.run else ""
    id = each.rewards["winner"].id if each.rewards else UNKNOWN
    return [each.search.task, str(each.search.seed), each.state, id, *column(each.fitness), str(run)]


def score(found: Interval, *, several: bool) -> str:
    """A human-normalised score, with its interval where there are several searches."""
    interval = f" [{found.low:.2f}, {found.high:.2f}]" if several else ""
    return f"{found.value:.2f}{interval}"


# sentences


def headline(found: BenchResults) -> str:
    """The score over all tasks."""
    if found.normalised is None:
        return f"No human-normalised score: {UNDEFINED} for every task."
    value = score(found.normalised, several=found.several)
    tasks = f"{found.defined} of {plural(len(found.tasks), 'task')}"
    return f"Human-normalised score {value}: interquartile mean over {tasks}; 0 is sparse, 1 hand-written."


def at_or_above(found: BenchResults) -> str:
    """Share of tasks that reach the hand-written reward; "" where there is none to reach."""
    if found.share is None:
        return ""
    reached = sum(bool(each.reached) for each in found.tasks)
    interval = f" (95% interval {percent(found.share.low)} to {percent(found.share.high)})"
    tasks = plural(found.referred, "task")
    return f"At or above the hand-written reward: {reached} of {tasks}{interval if found.several else ''}."


def budget(bench: Bench) -> str:
    """The budget of every search."""
    config = bench.config
    early = f", the best 1 in {config.halving} of them to the end" if config.halving > 1 else ""
    seeds = f" × {plural(config.seeds, 'seed')}" if config.seeds > 1 else ""
    written = f"{plural(config.generations, 'generation')} × {plural(config.samples, 'reward')}{early}"
    return (
        f"{written}, {config.algo.upper()} for {config.steps:,} steps{seeds}; then its winner and each "
        f"reference on {plural(config.report_seeds, 'fresh seed')}"
    )


def protocol(bench: Bench) -> str:
    """How it was measured."""
    config = bench.config
    designer = f"{config.designer} ({config.model})" if config.model else f"{config.designer}"
    settings = ", hyperparameters as below" if config.hyperparameters else ""
    searches = f"{plural(len(bench.tasks), 'task')} × {plural(bench.searches, 'search')}"
    return (
        f"{searches} by {designer}, each: {budget(bench)}{settings}. Every final policy is judged in "
        f"{plural(config.judge_episodes, 'episode')}. Numbers hold for this budget: with more steps both the "
        "winners and the hand-written rewards do better."
    )


def notes(found: BenchResults) -> Iterator[str]:
    """Cautions about the table."""
    if found.unfinished:
        yield f"Not finished: {found.unfinished} done. What is missing may turn the numbers round."
    for each in found.tasks:
        if each.done and each.undefined:
            yield f"{each.name}: human-normalised score undefined: {each.undefined}."
        if each.inverted:
            yield (
                f"{each.name}: the hand-written reward did worse than the sparse one: the score counts the "
                "gap between the two upward from sparse, and the hand-written reward's score is -1."
            )
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
