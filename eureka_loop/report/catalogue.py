"""`eureka tasks`: the catalogue, or one task with its vocabulary."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop import files
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.extras import installed
from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.execute.survey import survey
from eureka_loop.numbers import compact
from eureka_loop.records import Task
from eureka_loop.report import layout, text
from eureka_loop.report.terminal import page_width, show, terminal, waiting
from eureka_loop.reward.vocabulary import Observable, Vocabulary

LOOKING = "looking at the environment"
MORE = "`eureka tasks NAME` shows all about one; `eureka run NAME` begins."
ROOMY = 100  # columns from which a listing shows environments
WIDE = 120  # columns from which every fact of an observable is on one line
MIXED = "…"  # a vector with different components
NO_HUMAN = (
    "none: nobody has written one; to compare with one of your own: `eureka compare RUN --with mine.py`"
)


def show_catalogue(console: Console | None = None) -> None:
    """List every task, suite by suite."""
    _show_suites(suites(), console)


def show_task(name: str, console: Console | None = None) -> None:
    """Show one task, or a suite; a task's environment is surveyed for that, which takes some seconds.

    Raises:
        UnknownName: not in the catalogue.
        BadInput: its environment can't be used here.
    """
    if name in suites():
        _show_suites({name: suites()[name]}, console)
        return
    task, console = find_task(name), console or terminal()
    with waiting(LOOKING), tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary = survey(Path(folder))
        native = Path(folder) / "native.py"
        source = native.read_text(encoding="utf-8") if native.exists() else ""
    wide = page_width(console) >= WIDE
    show(task_page(task, find_domain(task.env_id), vocabulary, source, wide=wide), console)


def _show_suites(known: Mapping[str, Sequence[Task]], console: Console | None) -> None:
    console = console or terminal()
    show(catalogue(known, environments=page_width(console) >= ROOMY), console)


def catalogue(known: Mapping[str, Sequence[Task]], *, environments: bool = True) -> RenderableType:
    """One line a task, by suite, with as much of the text as fits."""
    parts = (
        layout.section(suite, listing(members, environments=environments), remark(members))
        for suite, members in known.items()
    )
    return Group(*parts, Text(), Text(MORE, style="dim"))


def listing(members: Sequence[Task], *, environments: bool) -> RenderableType:
    """Name, environment, text."""
    rows = [(task.name, str(task.env_kwargs.get("env_name", task.env_id)), task.text) for task in members]
    name_width, env_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = []
    for name, env, said in rows:
        between = f"{env:{env_width}}  " if environments else ""
        lines.append(layout.cut(Text(f"{name:{name_width}}  {between}{text.one_line(said)}")))
    return Group(*lines)


def remark(members: Sequence[Task]) -> str:
    """Number of tasks, and the extra that they need if it isn't installed."""
    extra = find_domain(members[0].env_id).extra
    counted = text.plural(len(members), "task")
    return counted if installed(extra) else f"{counted}; they need: pip install 'eureka-loop[{extra}]'"


def task_page(
    task: Task, domain: Domain, vocabulary: Vocabulary, native: str = "", *, wide: bool = True
) -> RenderableType:
    """Text, fitness, references, hyperparameters, and every observable.

    Args:
        native: source of the env's own reward, where that is the reference.
    """
    horizon = f"{text.plural(vocabulary.horizon, 'step')} at most" if vocabulary.horizon else ""
    about = [("environment", task.env_id), ("a step", f"{vocabulary.dt:g} s"), ("an episode", horizon)]
    return Group(
        Text(task.name, style="bold"),
        Text(task.text),
        layout.facts(about),
        *_programs(task, native),
        layout.section("Hyperparameters", hyperparameters(domain), domain.hyperparameters_source),
        vocabulary_section(vocabulary, wide=wide),
        *_constants(vocabulary),
    )


def _programs(task: Task, native: str) -> Iterator[RenderableType]:
    for title, source, about in (
        ("Fitness", task.fitness, "of a whole episode; more is better"),
        ("Success", task.success, "of a whole episode"),
        ("Sparse reward", task.sparse, "for comparison"),
        ("Hand-written reward", task.human, task.human_source),
        ("Hand-written reward", native or None, "the env's own, as its class computes it"),
    ):
        if source is not None:
            yield layout.section(title, layout.code(source, numbered=False), about)
    if task.human is None and not native:
        yield layout.section("Hand-written reward", Text(NO_HUMAN))


def hyperparameters(domain: Domain) -> RenderableType:
    """One line an algorithm."""
    return layout.facts(
        (algorithm, ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in values.items()))
        for algorithm, values in domain.hyperparameters.items()
    )


def vocabulary_section(vocabulary: Vocabulary, *, wide: bool = True) -> RenderableType:
    """Every observable, by group: shape, unit, start, range under random actions, meaning."""
    shown = [each for each in vocabulary if not each.hidden]
    parts: list[RenderableType] = []
    for group, members in groupby(shown, key=lambda each: each.group):
        parts += [Text(), Text(text.one_line(group), style="italic"), observables(members, wide=wide)]
    about = "what a reward may name; prev_ and init_ before a name: a step ago, at the episode's start"
    return layout.section("Vocabulary", Group(*parts), about)


def observables(members: Iterable[Observable], *, wide: bool) -> Table:
    """One line each; on a narrow screen shape, unit, start and range are in one column."""
    shown = [(each, text.one_line(unit(each)), start(each), span(each)) for each in members]
    if wide:
        heads = [("name", "left"), ("shape", "left"), ("unit", "left"), ("start", "right"), ("range", "left")]
        rows = [[each.name, each.shape_text, *facts, each.description] for each, *facts in shown]
        return layout.table([*heads, ("meaning", "rest")], rows)
    piled = []
    for each, of, first, seen in shown:
        numbers = ", ".join(part for part in (first, seen) if part and part != MIXED)
        kind = Text(f"{each.shape_text} {of}" + (f"\n{numbers}" if numbers else ""))
        piled.append((each.name, kind, each.description))
    return layout.table([("name", "left"), ("shape, unit; start, range", "left"), ("meaning", "rest")], piled)


def unit(observable: Observable) -> str:
    """ "m/s (world)"."""
    return f"{observable.unit} ({observable.frame})".strip() if observable.frame else observable.unit


def start(observable: Observable) -> str:
    """Value at an episode's start; of a vector, if all components agree."""
    values = observable.start
    if not values:
        return ""
    return compact(values[0]) if max(values) - min(values) < 1e-9 else MIXED


def span(observable: Observable) -> str:
    """Lowest and highest value under random actions, over all components."""
    if not observable.low or not observable.high:
        return ""
    return f"{compact(min(observable.low))} … {compact(max(observable.high))}"


def _constants(vocabulary: Vocabulary) -> Iterator[RenderableType]:
    if vocabulary.constants:
        yield layout.section("Constants", layout.facts(vocabulary.constants.items()), "of the model")
