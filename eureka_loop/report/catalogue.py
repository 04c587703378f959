"""`eureka tasks`: the catalogue, or one task with its vocabulary."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop import files, numbers
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain, find_task, installed, suites
from eureka_loop.execute.requests import survey
from eureka_loop.numbers import compact
from eureka_loop.records import Task
from eureka_loop.report import layout, text
from eureka_loop.report.terminal import waiting
from eureka_loop.reward.vocabulary import Observable, Vocabulary

LOOKING = "looking at the environment"
MORE = "`eureka tasks NAME` shows all about one; `eureka run NAME` begins."
MIXED = "…"  # a vector with different components
NO_HUMAN = "none; to compare with one of your own: `eureka compare RUN --with mine.py`"


def page(name: str | None) -> RenderableType:
    """The catalogue, a suite of it, or one task, whose environment is surveyed for that.

    Raises:
        UnknownName: not in the catalogue.
        BadInput: the environment can't be used here.
    """
    known = suites()
    if name is None or name in known:
        return catalogue(known if name is None else {name: known[name]})
    task = find_task(name)
    with waiting(LOOKING), tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary = survey(Path(folder))
        native = Path(folder) / "native.py"
        source = native.read_text(encoding="utf-8") if native.exists() else ""
    return task_page(task, find_domain(task.env_id), vocabulary, source)


def catalogue(known: Mapping[str, Sequence[Task]]) -> RenderableType:
    """One line a task, by suite: name, text, environment, as much as fits."""
    parts = []
    for suite, members in known.items():
        width = max(len(task.name) for task in members)
        lines = (f"{task.name:{width}}  {text.one_line(task.text)} ({_env(task)})" for task in members)
        parts.append(
            layout.section(suite, Group(*(layout.cut(Text(line)) for line in lines)), remark(members))
        )
    return Group(*parts, Text(), Text(MORE, style="dim"))


def _env(task: Task) -> str:
    return str(task.env_kwargs.get("env_name", task.env_id))


def remark(members: Sequence[Task]) -> str:
    """Number of tasks, and the extra that they need if it isn't installed."""
    extra = find_domain(members[0].env_id).extra
    counted = numbers.plural(len(members), "task")
    return counted if installed(extra) else f"{counted}; they need: pip install 'eureka-loop[{extra}]'"


def task_page(task: Task, domain: Domain, vocabulary: Vocabulary, native: str = "") -> RenderableType:
    """Text, fitness, references, hyperparameters, and every observable.

    Args:
        native: source of the env's own reward, where that is the reference.
    """
    horizon = f"{numbers.plural(vocabulary.horizon, 'step')} at most" if vocabulary.horizon else ""
    about = [
        ("environment", task.env_id),
        ("a step", f"{compact(vocabulary.dt, 6)} s"),
        ("an episode", horizon),
    ]
    return Group(
        Text(task.name, style="bold"),
        Text(task.text),
        layout.facts(about),
        *_programs(task, native),
        layout.section("Hyperparameters", hyperparameters(domain), domain.hyperparameters_source),
        vocabulary_section(vocabulary),
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


def vocabulary_section(vocabulary: Vocabulary) -> RenderableType:
    """Every observable, by group: shape, unit, start, range under random actions, meaning."""
    shown = [each for each in vocabulary if not each.hidden]
    parts: list[RenderableType] = []
    for group, members in groupby(shown, key=lambda each: each.group):
        parts += [Text(), Text(text.one_line(group), style="italic"), observables(members)]
    about = "what a reward may name; prev_ and init_ before a name: a step ago, at the episode's start"
    return layout.section("Vocabulary", Group(*parts), about)


def observables(members: Iterable[Observable]) -> Table:
    """Name; shape, unit, start and range; meaning."""
    rows = []
    for each in members:
        numbers = [part for part in (start(each), span(each)) if part and part != MIXED]
        facts = [f"{each.shape_text} {unit(each)}".strip(), ", ".join(numbers)]
        rows.append([each.name, "; ".join(filter(None, facts)), each.description])
    return layout.table(["name", "shape, unit; start, range", "meaning"], rows)


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
