"""What stands on the screen before a bench starts, after each search, and at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop.report import layout, text
from eureka_loop.report.bench import markdown, words
from eureka_loop.report.bench.estimate import Estimate
from eureka_loop.report.bench.facts import BenchFacts, Searched
from eureka_loop.report.bench.plan import Bench
from eureka_loop.report.bench.scores import Scores
from eureka_loop.report.terminal import show, terminal

MOST = 6  # tasks whose time is told one by one


def print_plan(
    bench: Bench,
    folder: Path,
    searches: int,
    estimates: Mapping[str, Estimate],
    whole: Estimate,
    workers: int,
) -> None:
    """What would be done, how long it would take, what it would cost.

    Args:
        searches: how many are left to do.
        estimates: task → one search.
        whole: of all that are left.
    """
    tasks, left = text.plural(len(estimates), "task"), text.plural(searches, "search")
    pairs = [
        ("bench", f"{bench.suite}: {tasks}, {left} to do"),
        ("each", f"{bench.config.designer}, {words.budget(bench)}"),
        ("in all", f"{text.plural(whole.trainings, 'training')}, {whole.steps:,} steps"),
        ("time", _time(whole, workers)),
        ("a search", _searches(estimates)),
        ("cost", asked(whole)),
        ("folder", str(folder)),
    ]
    show(layout.facts(pairs))


def _searches(estimates: Mapping[str, Estimate]) -> str:
    """How long one of each task takes; of many tasks the shortest and the longest."""
    if len(estimates) <= MOST:
        return ", ".join(f"{name} {text.duration(each.seconds)}" for name, each in estimates.items())
    first, *_, last = sorted(estimates.items(), key=lambda pair: pair[1].seconds)
    return " to ".join(f"{text.duration(each.seconds)} ({name})" for name, each in (first, last))


def asked(whole: Estimate) -> str:
    """Tokens and money that are expected."""
    if not whole.tokens:
        return "no model is asked: no tokens, $0"
    price = "its price is unknown" if whole.usd is None else text.money(whole.usd)
    return f"about {text.count(whole.tokens)} tokens, {price}; a model that thinks aloud takes more"


def print_line(said: str, console: Console | None = None) -> None:
    """One line, of whatever length."""
    (console or terminal()).print(Text(text.one_line(said)), soft_wrap=True)


def of_search(each: Searched) -> str:
    """How a search ended."""
    name = f"{each.search.task}, seed {each.search.seed}"
    if each.winner is None:
        return f"{name}: {each.failure or each.state}"
    found = (each.winner, each.reported("human", "native"), each.reported("sparse"))
    ours, human, sparse = text.numbers(one.fitness if one else None for one in found)
    beside = f"hand-written {human}, sparse {sparse}"
    return f"{name}: winner {each.winner.candidate.id} {ours}; {beside}; {text.duration(each.cost.seconds)}"


def print_summary(
    facts: BenchFacts, found: Scores, paths: Sequence[Path], console: Console | None = None
) -> None:
    """The table, what it says, where the reports are."""
    console = console or terminal()
    show(summary(facts, found), console)
    console.print(Text("\n" + "\n".join(f"Report: {path}" for path in paths)), soft_wrap=True)


def print_stopped(facts: BenchFacts, reason: str, command: str, console: Console | None = None) -> None:
    """Why it stopped, how far it is, how to go on."""
    done = facts.unfinished or "all searches"
    lines = [f"Stopped: {text.one_line(reason)}", f"{done} done", f"Go on with: {command}"]
    (console or terminal()).print(Text("\n".join(lines)), soft_wrap=True)


def summary(facts: BenchFacts, found: Scores) -> RenderableType:
    """As `report.md`, as far as it fits a screen."""
    lines = [words.headline(found), words.at_or_above(found), *words.notes(facts, found)]
    said = [Text(text.one_line(line)) for line in lines if line]
    title = f"Bench {facts.bench.suite}, {facts.bench.config.designer}"
    body = Group(layout.FirstThatFits((_table(found, wide=True), _table(found, wide=False))), Text(), *said)
    return Group(
        layout.section(title, body, words.budget(facts.bench)),
        layout.section("Cost", Text(words.cost_line(found.cost))),
    )


WIDE = (0, 1, 2, 4, 5, 6, 7, 8, 9)  # columns of `words.HEADS`
NARROW = (0, 2, 4)


def _table(found: Scores, *, wide: bool) -> Table:
    chosen = WIDE if wide else NARROW
    table = layout.columns(*((words.HEADS[index], "left") for index in chosen))
    for cells in [*map(words.row, found.tasks), markdown.total(found)]:
        layout.row(table, [cells[index] for index in chosen])
    return table


def _time(whole: Estimate, workers: int) -> str:
    """Rough, and said so."""
    on = text.plural(workers, "worker")
    model = "; the time that a model takes to answer comes on top" if whole.tokens else ""
    return (
        f"roughly {text.duration(whole.seconds)} on {on}, told from a short training in each environment; "
        f"what else the machine does can halve or double it{model}"
    )
