"""`eureka inspect RUN`: who did how well, who comes from whom, what failed and why, what it cost."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator
from statistics import fmean

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from eureka_loop.execute.budget import time_worked
from eureka_loop.report import layout, standings, text, words, written
from eureka_loop.report.board import Board
from eureka_loop.report.board_view import cost
from eureka_loop.report.candidate import candidate_view
from eureka_loop.report.comparison import compared
from eureka_loop.report.facts import Facts, terms
from eureka_loop.report.terminal import show
from eureka_loop.results import Evaluated
from eureka_loop.store import Run

UNFINISHED = "not finished"


def print_run(run: Run, console: Console | None = None) -> None:
    """Show a run; it may still be going, or have been killed."""
    show(run_view(run), console)


def print_candidate(
    run: Run, id: str, *, diff: str | None = None, exchange: bool = False, console: Console | None = None
) -> None:
    """Show one candidate, or how it differs from another, or how it was asked for.

    Raises:
        UnknownName: the run has no such candidate.
    """
    show(candidate_view(run, id, diff=diff, exchange=exchange), console)


def run_view(run: Run) -> RenderableType:
    """Everything about a run that fits a page."""
    found = Facts.of(run)
    parts: list[RenderableType] = [Text(run.folder.name, style="bold"), overview(found)]
    if found.ranking:
        parts.append(layout.section("Ranking", ranking_table(found), "by mean fitness of the final policy"))
    if found.stopped:
        remark = "others had a better fitness after as many steps"
        parts.append(layout.section("Stopped early", stopped_table(found), remark))
    if found.unfinished:
        parts.append(layout.section("Not finished", unfinished_table(found)))
    if found.skipped:
        remark = "not trained: earlier policies' episodes say that it would be in vain"
        parts.append(layout.section("Skipped", failures_table(found.skipped), remark))
    if found.failed:
        parts.append(layout.section("Failed", failures_table(found.failed)))
    if found.search:
        parts.append(layout.section("Lineage", lineage(found)))
    if any(each.results for each in found.reports):
        comparison = compared(found)
        body = Group(standings.standings_table(comparison), Text(), *standings.lines(comparison))
        parts.append(layout.section("Report", body, "trained again on seeds that the search never saw"))
    return Group(*parts)


def overview(found: Facts) -> RenderableType:
    """What the run is about, how far it is, what it cost."""
    config, task = found.config, found.task
    designer = found.board.designer or str(config.designer)
    search = (
        f"{designer}{f' ({config.model})' if config.model else ''}, "
        f"{text.plural(config.generations, 'generation')} × {config.samples} candidates"
        f"{' (steady)' if config.steady else ''}, "
        f"{config.algo} {config.steps:,} steps × {text.plural(config.seeds, 'seed')}, seed {config.seed}"
    )
    return layout.facts(
        [
            ("task", f"{task.name} on {task.env_id}" if task else ""),
            ("", task.text if task else ""),
            ("search", search),
            ("trainer", trained_by(found)),
            ("state", state(found)),
            ("go on with", written.unbroken(Text(resume(found)))),
            ("cost", spent(found)),
        ]
    )


def trained_by(found: Facts) -> str:
    """Who trains, and why it isn't the population trainer: "sb3 (SAC is trained by Stable-Baselines3)"."""
    training = found.training
    if training is None:
        return ""
    asked = "--trainer" if found.config.trainer else training.why
    return f"{training.trainer}{f' ({asked})' if asked else ''}"


def state(found: Facts) -> str:
    """How far the run is, in words."""
    board = found.board
    if board.ended == "finished":
        return f"finished; winner {board.winner}"
    ago = f", last event {text.duration(time.time() - board.last)} ago" if board.last else ""
    if found.being_written:
        return f"going on: {progress(board)}{ago}"
    return f"{board.ended or 'killed'}: {progress(board)}{ago}"


def resume(found: Facts) -> str:
    """The command that goes on with a run; "" where there is nothing to go on with."""
    ended = found.board.ended == "finished" or found.being_written
    return "" if ended else f"eureka resume {shlex.quote(str(found.run.folder))}"


def progress(board: Board) -> str:
    """ "9 of 26 trainings done"."""
    return f"{board.trainings_done} of {text.plural(board.trainings_wanted, 'training')} done"


def spent(found: Facts) -> str:
    """Time, steps, tokens and money so far."""
    done = found.trainings
    parts = [text.duration(time_worked(found.run.events())), text.plural(len(done), "finished training")]
    parts.append(f"{text.count(sum(each.steps for each in done))} steps")
    if found.board.tokens:
        parts.append(cost(found.board))
    return ", ".join(parts)


def ranking_table(found: Facts) -> Table:
    """The finished candidates, best first."""
    ranking, several = found.ranking, found.config.seeds > 1
    judged = any(result.success is not None for each in ranking for result in each.trained)
    heads = [("#", "right"), ("id", "left"), ("fitness", "right")]
    heads += [("each seed", "left")] if several else []
    heads += [("success", "right")] if judged else []
    table = layout.columns(*heads, ("terms, by share of the reward", "rest"), ("from", "left"))
    for place, (each, value) in enumerate(
        zip(ranking, text.numbers(each.fitness for each in ranking), strict=True), start=1
    ):
        cells = [str(place), each.candidate.id, value]
        cells += [", ".join(text.numbers(result.fitness for result in each.trained))] if several else []
        cells += [text.percent(_success(each))] if judged else []
        best = "bold" if place == 1 else ""
        layout.row(table, [*cells, term_shares(each), ", ".join(each.candidate.parents)], style=best)
    return table


def term_shares(evaluated: Evaluated) -> str:
    """ "speed 81 %, effort 19 %"; diagnostics by name alone."""
    shares = terms(evaluated.trained)
    return ", ".join(
        name if name.startswith("_") else f"{name} {text.percent(share)}" for name, share in shares.items()
    )


def stopped_table(found: Facts) -> Table:
    """Candidates whose training ended early: when, their fitness then, and what going on took."""
    table = layout.columns(
        ("id", "left"), ("after", "right"), ("fitness", "right"), ("needed", "right"),
        ("terms, by share of the reward", "rest"), ("from", "left"),
    )  # fmt: skip
    for cells in stopped_cells(found):
        layout.row(table, cells)
    return table


def stopped_cells(found: Facts) -> Iterator[list[str]]:
    """Id, steps, fitness, fitness needed, terms, parents."""
    for each in found.stopped:
        if (halted := each.halted) is not None:
            fitness = text.numbers([halted.fitness, halted.needed])
            yield [
                each.candidate.id,
                f"{text.count(halted.steps)} steps",
                *fitness,
                term_shares(each),
                ", ".join(each.candidate.parents),
            ]


def unfinished_table(found: Facts) -> Table:
    """Candidates that wait, or are in training, or were when the run ended."""
    table = layout.columns(("id", "left"), ("trainings", "right"), ("note", "rest"))
    for each in found.unfinished:
        done = f"{len(each.trained)} of {found.config.seeds}"
        layout.row(table, [each.candidate.id, done, each.candidate.note])
    return table


def failures_table(failed: Iterable[Evaluated]) -> Table:
    """Every failure: whose, at which seed, of what kind, and the message."""
    table = layout.columns(("id", "left"), ("when", "left"), ("failure", "left"), ("message", "rest"))
    for each in failed:
        for failure in each.failures:
            when = "before training" if failure.seed is None else f"seed {failure.seed}"
            message = text.one_line(failure.message, 300)
            layout.row(table, [each.candidate.id, when, words.failure(failure.kind), message])
    return table


def lineage(found: Facts) -> Group:
    """Who was made from whom: each candidate under its first parent, with its other parents named."""
    shown = text.numbers(each.fitness for each in found.ranking)
    fitness = {each.candidate.id: value for each, value in zip(found.ranking, shown, strict=True)}
    nodes: dict[str, Tree] = {}
    roots = []
    for each in sorted(found.search, key=lambda each: (each.candidate.generation, each.candidate.id)):
        parent = next((id for id in each.candidate.parents if id in nodes), None)
        label = _lineage_label(each, parent, fitness.get(each.candidate.id, UNFINISHED))
        if parent is None:
            nodes[each.candidate.id] = Tree(label, guide_style="dim")
            roots.append(nodes[each.candidate.id])
        else:
            nodes[each.candidate.id] = nodes[parent].add(label)
    return Group(*roots)


def _lineage_label(each: Evaluated, parent: str | None, fitness: str) -> Text:
    others = [id for id in each.candidate.parents if id != parent]
    label = Text(each.candidate.id, no_wrap=True, overflow="ellipsis")
    if each.failures:
        failure = each.failures[0]
        label.append(f"  {words.outcome(failure.kind)}", style="yellow" if failure.skipped else "red")
    elif each.halted is not None:
        reached = f"{text.number(each.halted.fitness)} after {text.count(each.halted.steps)} steps"
        label.append(f"  {reached}", style="dim")
    else:
        label.append(f"  {fitness}", style="dim" if fitness == UNFINISHED else "green")
    if others:
        label.append(f"  with {', '.join(text.one_line(id) for id in others)}", style="dim")
    return label.append(f"  {text.one_line(each.candidate.note, 120)}", style="dim")


def _success(evaluated: Evaluated) -> float | None:
    rates = [result.success for result in evaluated.trained if result.success is not None]
    return fmean(rates) if rates else None
