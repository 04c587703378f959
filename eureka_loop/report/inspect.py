"""`eureka inspect RUN`: ranking, early stops, failures, lineage, report and cost of a run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from eureka_loop import numbers
from eureka_loop.report import layout, sections, text
from eureka_loop.report.comparison import compared
from eureka_loop.report.run_data import RunData
from eureka_loop.results import Evaluated
from eureka_loop.store import Run


def run_page(run: Run) -> RenderableType:
    """A run; it may be going on, or have been killed.

    Raises:
        RunError: a file of the run is damaged.
    """
    data = RunData.read(run)
    return Group(Text(run.folder.name, style="bold"), overview(data), *_sections(data))


def _sections(data: RunData) -> Iterator[RenderableType]:
    grids = (
        ("Ranking", sections.ranking(data), "by mean fitness of the final policy"),
        ("Stopped early", sections.stopped(data), "others had a better fitness after as many steps"),
        ("Not finished", sections.unfinished(data), ""),
        (
            "Skipped",
            sections.failures(data.having("skipped")),
            "not trained: they rank the episodes of earlier policies backwards",
        ),
        ("Failed", sections.failures(data.having("failed")), ""),
    )
    for title, grid, remark in grids:
        if grid.rows:
            yield layout.section(title, grid.table(), remark)
    if data.search:
        yield layout.section("Lineage", lineage(data))
    if any(each.results for each in data.reports):
        yield layout.section("Report", report(data), "trained again on seeds that the search never saw")


def overview(data: RunData) -> RenderableType:
    """Task, search, trainer, state and cost."""
    config, task, state = data.config, data.task, data.state
    model, steady = f" ({config.model})" if config.model else "", " (steady)" if config.steady else ""
    search = (
        f"{state.designer or config.designer}{model}, "
        f"{numbers.plural(config.generations, 'generation')} × {config.samples} candidates{steady}, "
        f"{config.algo} {config.steps:,} steps × {numbers.plural(config.seeds, 'seed')}, seed {config.seed}"
    )
    facts = layout.facts(
        [
            ("task", f"{task.name} on {task.env_id}" if task else ""),
            ("", task.text if task else ""),
            ("search", search),
            ("trainer", sections.trained_by(data)),
            ("state", status(data)),
            ("cost", sections.cost(data)),
        ]
    )
    if data.active or state.ended == "finished":
        return facts
    return Group(facts, layout.unbroken("go on with", f"eureka resume {shlex.quote(str(data.run.folder))}"))


def status(data: RunData) -> str:
    """ "finished; winner g0-00", "going on: 9 of 26 trainings done, last event 2 s ago"."""
    state = data.state
    if state.ended == "finished":
        return f"finished; winner {state.winner}"
    ago = f", last event {numbers.duration(time.time() - state.last)} ago" if state.last else ""
    return f"{'going on' if data.active else state.ended or 'killed'}: {sections.progress(state)}{ago}"


def report(data: RunData) -> Group:
    """The winner beside the references, and the verdicts."""
    comparison = compared(data)
    lines = (Text(sentence, style=style) for sentence, style in sections.sentences(comparison))
    return Group(sections.comparison_grid(comparison).table(), Text(), *lines)


def lineage(data: RunData) -> Group:
    """Each candidate under its first parent; other parents are named."""
    shown = numbers.column(each.fitness for each in data.ranking)
    fitness = {each.candidate.id: value for each, value in zip(data.ranking, shown, strict=True)}
    nodes: dict[str, Tree] = {}
    roots: list[Tree] = []
    for each in sorted(data.search, key=lambda each: each.candidate.generation):
        id = each.candidate.id
        parent = next((one for one in each.candidate.parents if one in nodes), None)
        outcome, style = _outcome(each, fitness.get(id))
        others = [text.one_line(one) for one in each.candidate.parents if one != parent]
        label = Text.assemble(
            id,
            (f"  {outcome}", style),
            (f"  with {', '.join(others)}" if others else "", "dim"),
            (f"  {text.one_line(each.candidate.note, 120)}", "dim"),
        )
        tree = Tree(layout.cut(label), guide_style="dim")
        nodes[id] = tree
        (nodes[parent].children if parent else roots).append(tree)
    return Group(*roots)


def _outcome(each: Evaluated, fitness: str | None) -> tuple[str, str]:
    """Failure, early stop or fitness of a candidate, with a style."""
    if each.failures:
        failure = each.failures[0]
        return text.outcome(failure.kind), "yellow" if failure.skipped else "red"
    if each.halted is not None:
        return f"{numbers.number(each.halted.fitness)} after {numbers.count(each.halted.steps)} steps", "dim"
    return ("not finished", "dim") if fitness is None else (fitness, "green")
