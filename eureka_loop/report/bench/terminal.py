"""The screen before a bench starts, between its searches, and at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop.numbers import column, count, duration, money, plural
from eureka_loop.report import layout, text
from eureka_loop.report.bench import view
from eureka_loop.report.bench.estimate import Cost
from eureka_loop.report.bench.results import BenchResults, SearchResult
from eureka_loop.report.bench.setup import Bench, Search
from eureka_loop.report.terminal import print_lines, show

WIDE, NARROW = (0, 1, 2, 4, 5, 6, 7, 8, 9), (0, 2, 4)  # columns of `view.HEADS`


def print_plan(bench: Bench, folder: Path, left: Sequence[Search], expected: Mapping[str, Cost]) -> None:
    """Print the searches that are left, how long they will take, and what they will cost.

    Args:
        expected: task → cost of one search.
    """
    whole = sum((expected[search.task] for search in left), Cost())
    model = "; the time that a model takes to answer comes on top" if whole.tokens else ""
    pairs = [
        ("bench", f"{bench.suite}: {plural(len(expected), 'task')}, {plural(len(left), 'search')} to do"),
        ("each", f"{bench.config.designer}, {view.budget(bench)}"),
        ("in all", f"{plural(whole.trainings, 'training')}, {whole.steps:,} steps"),
        ("time", f"roughly {duration(whole.seconds)}, by a small run in each environment; other load of the "
                 f"machine can halve or double it{model}"),
        ("cost", model_cost(whole)),
        ("folder", str(folder)),
    ]  # fmt: skip
    show(layout.facts(pairs))


def model_cost(whole: Cost) -> str:
    """Expected tokens and money."""
    if not whole.tokens:
        return "no model is asked: no tokens, $0"
    price = "its price is unknown" if whole.usd is None else money(whole.usd)
    return f"about {count(whole.tokens)} tokens, {price}; a model that thinks aloud takes more"


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


def print_progress(search: Search, wanted: Sequence[Search], left: float) -> None:
    """Print "search 3 of 12: hopper-hop, seed 1 · about 9 min left in all"."""
    number = wanted.index(search) + 1
    print_lines(f"search {number} of {len(wanted)}: {search} · about {duration(left)} left in all")


def outcome(each: SearchResult) -> str:
    """The result of a search in one line."""
    if each.state != "done":
        return f"{each.search}: {each.failure or each.state}"
    ours, human, sparse = column(each.fitness)
    references = f"hand-written {human}, sparse {sparse}"
    id = each.rewards["winner"].id
    return f"{each.search}: winner {id} {ours}; {references}; {duration(each.cost.seconds)}"


def print_summary(found: BenchResults, paths: Sequence[Path], console: Console | None = None) -> None:
    """Print the table, the sentences, and the paths of the reports."""
    show(summary(found), console)
    print_lines("", *(f"Report: {path}" for path in paths), console=console)


def print_stopped(found: BenchResults, reason: str, path: Path, console: Console | None = None) -> None:
    """Print why it stopped, how far it is, how to go on, and the path of the report so far."""
    progress, command = f"{found.unfinished or 'all searches'} done", f"Go on with: {found.bench.command}"
    print_lines(f"Stopped: {reason}", progress, command, f"Report so far: {path}", console=console)


def summary(found: BenchResults) -> RenderableType:
    """As much of the report as fits a screen."""
    sentences = [f"Each search: {view.budget(found.bench)}.", view.headline(found)]
    sentences += [view.at_or_above(found), *view.notes(found)]
    lines = [Text(text.one_line(line)) for line in sentences if line]
    title = f"Bench {found.bench.suite}, {found.bench.config.designer}"
    body = Group(layout.FirstThatFits((_table(found, WIDE), _table(found, NARROW))), Text(), *lines)
    return Group(
        layout.section(title, body),
        layout.section("Cost", Text(str(found.cost))),
    )


def _table(found: BenchResults, columns: Sequence[int]) -> Table:
    heads = [view.HEADS[index] for index in columns]
    return layout.table(heads, [[cells[index] for index in columns] for cells in view.rows(found)])
