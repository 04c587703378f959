"""`eureka tasks`: what can be asked for by name, and all about one task."""

from __future__ import annotations

import json
import tempfile
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from eureka_loop import files
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.extras import installed
from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.execute.survey import survey
from eureka_loop.numbers import compact
from eureka_loop.records import Task
from eureka_loop.report import layout, text, written
from eureka_loop.report.terminal import can_redraw, show, waiting
from eureka_loop.reward.vocabulary import Observable, Vocabulary

ROOMY = 100  # columns that leave some for the text of a task
LEAST = 12  # characters of a text that are worth a line
LOOKING = "looking at the environment"
MORE = "`eureka tasks NAME` shows all about one; `eureka run NAME` begins."
WIDE = 120  # columns that every fact of an observable needs on one line
MIXED = "…"  # a vector whose parts differ
NO_HUMAN = (
    "none: nobody has written one; to compare with one of your own: `eureka compare RUN --with mine.py`"
)


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
    with waiting(LOOKING), tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary = survey(Path(folder))
        native = Path(folder) / "native.py"
        own = native.read_text(encoding="utf-8") if native.exists() else ""
    show(task_page(task, find_domain(task.env_id), vocabulary, own), console)


def catalogue(known: Mapping[str, Sequence[Task]]) -> RenderableType:
    """A line a task, by suite, and which extra a suite needs that isn't there."""
    suites = (layout.section(suite, Listing(members), remark(members)) for suite, members in known.items())
    return Group(*suites, Text(), Text(MORE, style="dim"))


@dataclass(frozen=True, slots=True)
class Listing:
    """One line a task: name, environment where there is room, and as much of the text; all of it in a pipe.

    What all texts of a suite begin with is said once.
    """

    members: Sequence[Task]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width if can_redraw(console) else layout.WIDEST
        names = _aligned(task.name for task in self.members)
        environments = _aligned(str(task.env_kwargs.get("env_name", task.env_id)) for task in self.members)
        shared = beginning([task.text for task in self.members])
        if shared:
            yield Text(f"{shared}…", style="dim")
        for name, environment, task in zip(names, environments, self.members, strict=True):
            head = f"{name}  {environment}  " if width >= ROOMY else f"{name}  "
            said = text.one_line(task.text.removeprefix(shared))
            said = textwrap.shorten(said, max(LEAST, width - len(head)), placeholder=" …")
            yield written.unbroken(Text(head + said))


def beginning(texts: Sequence[str]) -> str:
    """The words that several texts all begin with, where that is more than an article."""
    words = takewhile(lambda each: len(set(each)) == 1, zip(*(each.split() for each in texts), strict=False))
    shared = "".join(f"{each[0]} " for each in words)
    return shared if len(texts) > 1 and len(shared) >= LEAST else ""


def _aligned(cells: Iterable[str]) -> list[str]:
    known = list(cells)
    return [cell.ljust(max(map(len, known))) for cell in known]


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
    if task.human is None and not native:
        parts.append(layout.section("Hand-written reward", Text(NO_HUMAN)))
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
    return compact(values[0]) if max(values) - min(values) < 1e-9 else MIXED


def span(observable: Observable) -> str:
    """From the lowest to the highest value seen under random actions, over all components."""
    if not observable.low or not observable.high:
        return ""
    return f"{compact(min(observable.low))} … {compact(max(observable.high))}"


def constants(vocabulary: Vocabulary) -> list[RenderableType]:
    """Facts of the model."""
    if not vocabulary.constants:
        return []
    return [layout.section("Constants", layout.facts(vocabulary.constants.items()), "of the model")]
