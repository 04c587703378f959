"""`eureka inspect RUN`, and the last lines of `eureka run`: ranking, failures, lineage, report, cost."""

from __future__ import annotations

import contextlib
import fcntl
import shlex
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from eureka_loop import files, numbers, text
from eureka_loop.errors import RunError
from eureka_loop.report import layout, log, sections
from eureka_loop.report.layout import print_lines, show
from eureka_loop.report.run_data import RunData
from eureka_loop.report.run_report import write_report
from eureka_loop.results import Evaluated
from eureka_loop.search import lessons
from eureka_loop.search.feedback import on_floors
from eureka_loop.search.planning import in_words
from eureka_loop.store import Run

BACKWARDS = "not trained: they rank the episodes of earlier policies backwards"


def run_page(run: Run) -> RenderableType:
    """A run; it may be going on, or have been killed.

    Raises:
        RunError: run.toml or a file of the task is damaged.
    """
    data = RunData(run)
    return Group(Text(run.folder.name, style="bold"), _overview(data), *_sections(data))


def print_summary(run: Run, console: Console | None = None, *, pictures: bool = True) -> int:
    """Write the report and show the winner; the exit code: 0, or 1 where nothing could be trained.

    Raises:
        RunError: the report can't be written.
    """
    with layout.waiting("drawing"):
        paths = write_report(run, pictures=pictures)
    data = RunData(run)
    show(summary(data), console)
    best = data.best
    lines = [f"Reward: {run.candidate_folder(best.id) / 'reward.py'}"] if best else []
    print_lines("", *lines, *(f"Report: {path}" for path in paths), console=console)
    return 0 if best else 1


def print_stopped(run: Run, reason: str, console: Console | None = None, *, command: str = "resume") -> None:
    """Print why a run stopped, how far it is and how to resume it; write a report if anything was trained."""
    data = RunData(run)
    best = next(iter(data.ranking), None)
    found = f"best so far {best.candidate.id}, {text.reached(best.score)}" if best else ""
    lines = [
        f"Stopped: {reason}",
        *map(log.prompt, data.state.prompts.values()),
        f"{log.progress(data.state)} done; {found or 'nothing trained yet'}",
        f"Go on with: eureka {command} {shlex.quote(str(run.folder))}",
    ]
    if best is not None:
        with contextlib.suppress(RunError):  # a full disk may be why it stopped
            lines.append(f"Report so far: {write_report(run, pictures=False)[0]}")
    print_lines(*lines, console=console)


def summary(data: RunData) -> RenderableType:
    """The winner's code, its fitness beside the references, the cost."""
    best = data.best
    if best is None:
        head = Text("\nNo candidate could be trained.", style="bold red")
        return Group(head, layout.table(*sections.failures(data.having("failed"))))
    value = text.reached(data.ranking[0].score) if data.ranking else numbers.UNKNOWN
    cost = "\n".join(filter(None, [str(data.cost), sections.origin(*data.elsewhere)]))
    kept = data.task is not None and best.source == data.task.original
    why = "" if kept else "; no report was asked for"
    fitness: RenderableType = Text(f"{value} on the search's seeds{why}")
    remark = ""
    if any(each.results for each in data.reports):
        fitness, remark = _report(data), f"on fresh seeds, {data.config.steps:,} steps each"
    return Group(
        layout.section(
            f"Winner: {best.id}", layout.code(best.source, numbered=False), text.one_line(best.note, 60)
        ),
        layout.section("Fitness", fitness, remark),
        *_tuned(data),
        layout.section("Cost", Text(cost)),
    )


def _sections(data: RunData) -> Iterator[RenderableType]:
    without_learning = f"; {on_floors(data.floors)}" if data.floors else ""
    grids = (
        ("Ranking", sections.ranking(data), f"{sections.ranked_how(data.ranking)}{without_learning}"),
        ("Skipped", sections.failures(data.having("skipped")), BACKWARDS),
        ("Failed", sections.failures(data.having("failed"), data.failed_floors), ""),
        ("Damaged", sections.damaged(data), "left out of all else"),
    )
    for title, grid, remark in grids:
        if grid[1]:
            yield layout.section(title, layout.table(*grid), remark)
    if data.search:
        yield layout.section("Lineage", _lineage(data))
    if any(each.results for each in data.reports):
        yield layout.section("Report", _report(data), "trained again on seeds that the search never saw")
    yield from _tuned(data)


def _overview(data: RunData) -> RenderableType:
    """Task, search, trainer, state and cost."""
    config, task, state = data.config, data.task, data.state
    model = f" ({config.model})" if config.model else ""
    search = f"{state.designer or config.designer}{model}, {in_words(vars(config))}, seed {config.seed}"
    active, given = is_active(data.run), lessons.read(data.run.folder)
    ago = f", last event {numbers.duration(time.time() - state.last)} ago" if state.last else ""
    going = f"{'going on' if active else state.ended or 'killed'}: {log.progress(state)} done{ago}"
    if state.ended == "finished" and data.best:
        going = f"finished; winner {data.best.id}"
    facts = layout.facts(
        [
            ("task", f"{task.name} on {task.env_id}" if task else ""),
            ("", task.text if task else ""),
            ("measure", sections.UNCONFIRMED if data.unconfirmed else ""),
            ("search", search),
            ("trainer", sections.trainer(data)),
            ("lessons", f"{len(given)} of earlier runs in its prompts" if given else ""),
            ("state", going),
            ("origin", sections.origin(*data.elsewhere)),
            ("cost", str(data.cost)),
        ]
    )
    if active or state.ended == "finished":
        return facts
    return Group(facts, layout.unbroken("go on with", f"eureka resume {shlex.quote(str(data.run.folder))}"))


def _tuned(data: RunData) -> Iterator[RenderableType]:
    found, grid = sections.tuned(data)
    if found:
        yield layout.section("Weights", layout.table(*grid) if grid[1] else Text(), found)


def is_active(run: Run) -> bool:
    """Whether a process holds the run's lock."""
    try:
        with files.opened(run.folder / ".lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def _report(data: RunData) -> Group:
    """The winner beside the references, and the verdicts."""
    comparison = data.comparison
    lines = (Text(sentence, style=style) for sentence, style in sections.sentences(comparison))
    return Group(layout.table(*sections.report(comparison)), Text(), *lines)


def _lineage(data: RunData) -> Tree:
    """Each candidate under its first parent; other parents are named."""
    root = Tree("", guide_style="dim", hide_root=True)
    nodes: dict[str, Tree] = {}
    for each in sorted(data.search, key=lambda each: each.candidate.generation):
        candidate = each.candidate
        parent = next((one for one in candidate.parents if one in nodes), None)
        others = [text.one_line(one) for one in candidate.parents if one != parent]
        label = Text.assemble(
            candidate.id,
            "  ",
            _outcome(data, each),
            f"  {text.one_line(candidate.operator, 40)}" if candidate.operator else "",
            (f"  with {', '.join(others)}" if others else "", "dim"),
            (f"  {text.one_line(candidate.note, 120)}", "dim"),
        )
        nodes[candidate.id] = (nodes[parent] if parent else root).add(layout.cut(label))
    return root


def _outcome(data: RunData, each: Evaluated) -> tuple[str, str]:
    """Failure or fitness of a candidate, with a style."""
    if each.failures:
        failure = each.failures[0]
        return text.outcome(failure.kind), "yellow" if failure.skipped else "red"
    if len(each.trained) < (seeds := data.config.seeds):
        return f"{len(each.trained)} of {numbers.plural(seeds, 'training')} finished", "dim"
    return sections.fitness(data, each), "green"
