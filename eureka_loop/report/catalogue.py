"""`eureka tasks`: what can be asked for by name, and all about one task."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from eureka_loop import files
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.extras import installed
from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.execute.survey import survey
from eureka_loop.program.vocabulary import Observable, Vocabulary
from eureka_loop.records import Task
from eureka_loop.report import layout, text, written
from eureka_loop.report.terminal import show

ROOMY = 100  # columns that leave some for the text of a task
WIDE = 120  # columns that every fact of an observable needs on one line
MIXED = "…"  # a vector whose parts differ


def show_catalogue(console: Console | None = None) -> None:
    """List every task, suite by suite."""
    show(catalogue(suites()), console)


def show_task(name: str, console: Console | None = None) -> None:
    """Show one task, or a suite's; a task's environment is surveyed for that, which takes some seconds.

    Raises:
        UnknownName: not in the catalogue.
        BadInput: its environment can't be used here.
    """
    if name in suites():
        show(catalogue({name: suites()[name]}), console)
        return
    task = find_task(name)
    with tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary = survey(Path(folder))
        native = Path(folder) / "native.py"
        own = native.read_text(encoding="utf-8") if native.exists() else ""
    show(task_page(task, find_domain(task.env_id), vocabulary, own), console)


def catalogue(known: Mapping[str, Sequence[Task]]) -> RenderableType:
    """Name, environment and text of each task, by suite, and which extra a suite needs that isn't there."""
    return Group(
        *(layout.section(suite, Listing(members), remark(members)) for suite, members in known.items())
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """One line a task, where the screen is wide enough; on a narrow one the environment follows the text."""

    members: Sequence[Task]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= ROOMY
        environment = (("environment", "left"),) if wide else ()
        table = layout.columns(("task", "left"), *environment, ("", "rest"))
        for task in self.members:
            env = str(task.env_kwargs.get("env_name", task.env_id))
            layout.row(table, [task.name, env, task.text] if wide else [task.name, f"{task.text} {env}"])
        yield table


def remark(members: Sequence[Task]) -> str:
    """How many tasks a suite has, and what to install for them."""
    extra = find_domain(members[0].env_id).extra
    counted = text.plural(len(members), "task")
    return counted if installed(extra) else f"{counted}; they need: pip install 'eureka-loop[{extra}]'"


def task_page(task: Task, domain: Domain, vocabulary: Vocabulary, native: str = "") -> RenderableType:
    """Text, fitness, rewards to compare with, hyperparameters, and every word a reward may use.

    Args:
        native: source of the env's own reward, where that stands in for a hand-written one.
    """
    parts: list[RenderableType] = [Text(task.name, style="bold"), Text(task.text)]
    parts.append(
        layout.facts(
            [
                ("environment", task.env_id),
                ("a step", f"{vocabulary.dt:g} s"),
                (
                    "an episode",
                    f"{text.plural(vocabulary.horizon, 'step')} at most" if vocabulary.horizon else "",
                ),
            ]
        )
    )
    programs = [
        ("Fitness", task.fitness, "of a whole episode; more is better"),
        ("Success", task.success, "of a whole episode"),
        ("Sparse reward", task.sparse, "for comparison"),
        ("Hand-written reward", task.human, task.human_source),
        ("Hand-written reward", native or None, "the env's own, as its class computes it"),
    ]
    for title, source, remark in programs:
        if source is not None:
            parts.append(layout.section(title, written.code(source, numbered=False), remark))
    parts.append(layout.section("Hyperparameters", hyperparameters(domain), domain.hyperparameters_source))
    parts += [vocabulary_section(vocabulary), *constants(vocabulary)]
    return Group(*parts)


def hyperparameters(domain: Domain) -> RenderableType:
    """One line an algorithm."""
    return layout.facts(
        (algorithm, ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in values.items()))
        for algorithm, values in domain.hyperparameters.items()
    )


def vocabulary_section(vocabulary: Vocabulary) -> RenderableType:
    """Every observable, by group."""
    shown = [each for each in vocabulary if not each.hidden]
    parts: list[RenderableType] = []
    for group, members in groupby(shown, key=lambda each: each.group):
        parts += [Text(), Text(text.one_line(group), style="italic"), Observables(members)]
    remark = "what a reward may name; prev_ and init_ before a name: a step ago, at the episode's start"
    return layout.section("Vocabulary", Group(*parts), remark)


class Observables:
    """Name, shape, unit, start, range under random actions, meaning; piled up where the screen is narrow."""

    def __init__(self, members: Iterable[Observable]) -> None:
        self._members = tuple(members)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._wide() if options.max_width >= WIDE else self._narrow()

    def _wide(self) -> Table:
        table = layout.columns(
            ("name", "left"),
            ("shape", "left"),
            ("unit", "left"),
            ("start", "right"),
            ("range", "left"),
            ("meaning", "rest"),
        )
        for each in self._members:
            cells = [each.name, each.shape_text, unit(each), start(each), span(each), each.description]
            layout.row(table, cells)
        return table

    def _narrow(self) -> Table:
        table = layout.columns(("name", "left"), ("shape, unit; start, range", "left"), ("meaning", "rest"))
        for each in self._members:
            kind = text.one_line(f"{each.shape_text} {unit(each)}")
            numbers = ", ".join(part for part in (start(each), span(each)) if part and part != MIXED)
            layout.row(table, [each.name, Text(f"{kind}\n{numbers}" if numbers else kind), each.description])
        return table


def unit(observable: Observable) -> str:
    """ "m/s (world)"."""
    return f"{observable.unit} ({observable.frame})".strip() if observable.frame else observable.unit


def start(observable: Observable) -> str:
    """The value at an episode's start; of a vector, where all its parts agree."""
    values = observable.start
    if not values:
        return ""
    return f"{values[0]:.3g}" if max(values) - min(values) < 1e-9 else MIXED


def span(observable: Observable) -> str:
    """From the lowest to the highest value seen under random actions, over all components."""
    if not observable.low or not observable.high:
        return ""
    return f"{min(observable.low):.3g} … {max(observable.high):.3g}"


def constants(vocabulary: Vocabulary) -> list[RenderableType]:
    """Facts of the model."""
    if not vocabulary.constants:
        return []
    return [layout.section("Constants", layout.facts(vocabulary.constants.items()), "of the model")]
