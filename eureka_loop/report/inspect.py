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

UNFINISHED = "not finished"


def run_page(run: Run) -> RenderableType:
    """A run; it may be going on, or have been killed.

    Raises:
        RunError: a file of the run is damaged.
    """
    data = RunData.read(run)
    return Group(Text(run.folder.name, style="bold"), overview(data), *_sections(data))


def _sections(data: RunData) -> Iterator[RenderableType]:
    if data.ranking:
        remark = "by mean fitness of the final policy"
        yield layout.section("Ranking", sections.ranking(data).table(), remark)
    if data.stopped:
        remark = "others had a better fitness after as many steps"
        yield layout.section("Stopped early", sections.stopped(data).table(), remark)
    if data.unfinished:
        yield layout.section("Not finished", sections.unfinished(data).table())
    if data.skipped:
        remark = "not trained: they rank the episodes of earlier policies backwards"
        yield layout.section("Skipped", sections.failures(data.skipped).table(), remark)
    if data.failed:
        yield layout.section("Failed", sections.failures(data.failed).table())
    if data.search:
        yield layout.section("Lineage", lineage(data))
    if any(each.results for each in data.reports):
        yield layout.section("Report", report(data), "trained again on seeds that the search never saw")


def overview(data: RunData) -> RenderableType:
    """Task, search, trainer, state and cost."""
    config, task = data.config, data.task
    search = (
        f"{data.state.designer or config.designer}{f' ({config.model})' if config.model else ''}, "
        f"{numbers.plural(config.generations, 'generation')} × {config.samples} candidates"
        f"{' (steady)' if config.steady else ''}, "
        f"{config.algo} {config.steps:,} steps × {numbers.plural(config.seeds, 'seed')}, seed {config.seed}"
    )
    ended = data.active or data.state.ended == "finished"
    resume = "" if ended else f"eureka resume {shlex.quote(str(data.run.folder))}"
    return layout.facts(
        [
            ("task", f"{task.name} on {task.env_id}" if task else ""),
            ("", task.text if task else ""),
            ("search", search),
            ("trainer", sections.trained_by(data)),
            ("state", status(data)),
            ("go on with", layout.unbroken(resume)),
            ("cost", sections.cost(data)),
        ]
    )


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
    roots = []
    for each in sorted(data.search, key=lambda each: each.candidate.generation):
        id = each.candidate.id
        parent = next((one for one in each.candidate.parents if one in nodes), None)
        label = _label(each, parent, fitness.get(id, UNFINISHED))
        nodes[id] = nodes[parent].add(label) if parent else Tree(label, guide_style="dim")
        roots += [] if parent else [nodes[id]]
    return Group(*roots)


def _label(each: Evaluated, parent: str | None, fitness: str) -> Text:
    """Id, outcome, further parents, note."""
    label = layout.cut(Text(each.candidate.id))
    if each.failures:
        failure = each.failures[0]
        label.append(f"  {text.outcome(failure.kind)}", style="yellow" if failure.skipped else "red")
    elif each.halted is not None:
        reached = f"{numbers.number(each.halted.fitness)} after {numbers.count(each.halted.steps)} steps"
        label.append(f"  {reached}", style="dim")
    else:
        label.append(f"  {fitness}", style="dim" if fitness == UNFINISHED else "green")
    others = [text.one_line(id) for id in each.candidate.parents if id != parent]
    if others:
        label.append(f"  with {', '.join(others)}", style="dim")
    return label.append(f"  {text.one_line(each.candidate.note, 120)}", style="dim")
