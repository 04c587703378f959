"""What stands on the screen when a comparison has ended, or was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from eureka_loop.report import layout, text
from eureka_loop.report.compare import measures, verdict
from eureka_loop.report.compare.contest import Contest
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.compare.repeat import cost
from eureka_loop.report.terminal import show, terminal
from eureka_loop.results import stands
from eureka_loop.store import Run

STYLES = {"better": "bold green", "worse": "bold red"}


def print_summary(folder: Path, paths: Sequence[Path], console: Console | None = None) -> None:
    """The verdict, the numbers behind it, and where the reports are."""
    console = console or terminal()
    show(summary(Facts.of(folder)), console)
    console.print(Text("\n" + "\n".join(f"Report: {path}" for path in paths)), soft_wrap=True)


def print_stopped(folder: Path, contest: Contest, console: Console | None = None) -> None:
    """How far it is, and how to go on."""
    runs = [Run(folder / algorithm) for algorithm in contest.algorithms]
    pairs = [(each.id, seed) for each in contest.contenders for seed in contest.training_seeds]
    done = sum(stands(run.result(*pair)) for run in runs for pair in pairs)
    wanted = text.plural(contest.trainings * len(runs), "training")
    lines = ["Stopped: interrupted", f"{done} of {wanted} done", f"Go on with: {contest.command}"]
    (console or terminal()).print(Text("\n".join(lines)), soft_wrap=True)


def summary(facts: Facts) -> RenderableType:
    """The verdict first."""
    caution = verdict.looks(facts)
    told = "\n".join(text.one_line(each) for each in verdict.lines(facts))
    head = Text(told, style=STYLES.get(verdict.headline(facts), "bold yellow"))
    parts: list[RenderableType] = [Text(), head, *([Text(caution, style="dim")] if caution else [])]
    for part in facts.parts:
        parts.append(layout.section(_title(facts, part), Group(*_part(part))))
    parts.append(layout.section("Cost", Text(cost(facts))))
    return Group(*parts)


def _named(found: measures.Measures) -> str:
    """The reward, and how many of its trainings failed, if any."""
    failed = len(found.standing.evaluated.failures)
    return found.standing.label + (f" ({text.plural(failed, 'training')} failed)" if failed else "")


def _title(facts: Facts, part: Part) -> str:
    seeds = text.plural(facts.contest.seeds, "fresh seed")
    return f"{facts.task.name}, {part.algorithm.upper()}, {facts.contest.steps:,} steps, {seeds}"


def _part(part: Part) -> list[RenderableType]:
    shown = ("reward", "fitness, IQM [95%]", "success", "human-normalised")
    table = layout.columns((shown[0], "rest"), *((head, "left") for head in shown[1:]))
    for found in measures.measures(part):
        success = text.percent(found.success.value if found.success else None)
        normalised = measures.normalised(found.normalised)
        layout.row(table, [_named(found), measures.status(found), success, normalised])
    lines: list[RenderableType] = [table, Text()]
    for other in part.standings[1:]:
        if other is part.reference:
            continue  # that is the line above all this
        said, why = verdict.against(part, other)
        style = STYLES.get(said, "yellow").removeprefix("bold ")
        lines.append(Text(text.one_line(f"Against {other.label}: {said}: {why}"), style=style))
    labels = {each.id: each.label for each in part.standings}
    for each in part.agreements:
        if each.pearson is not None and each.theirs in labels:
            said = f"Correlation with {labels[each.theirs]} on shared transitions: {each.pearson:+.2f}"
            lines.append(Text(text.one_line(said)))
    if not part.films:
        lines.append(Text(text.one_line(f"No video: {part.why_no_films}"), style="dim"))
    return lines
