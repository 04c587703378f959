"""`eureka tasks`: the catalogue, or one task with its vocabulary."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files, numbers
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain, find_task, installed, suites
from eureka_loop.execute.local import survey
from eureka_loop.numbers import compact
from eureka_loop.records import Task
from eureka_loop.report import layout, text
from eureka_loop.report.layout import waiting
from eureka_loop.reward.vocabulary import Observable, Vocabulary

MORE = "`eureka tasks NAME` shows all about one; `eureka run NAME` begins."
NO_HUMAN = "none; to compare with one of your own: `eureka compare RUN --with mine.py`"
NAMES = "what a reward may name; prev_ and init_ before a name: a step ago, at the episode's start"


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
    with waiting("looking at the environment"), tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary, native = survey(Path(folder)), Path(folder) / "native.py"
        source = native.read_text(encoding="utf-8") if native.exists() else ""
    return task_page(task, find_domain(task.env_id), vocabulary, source)


def catalogue(known: Mapping[str, Sequence[Task]]) -> RenderableType:
    """One line a task, by suite: name, text, environment, as much as fits."""
    parts = []
    for suite, members in known.items():
        width = max(len(task.name) for task in members)
        lines = []
        for task in members:
            env = task.env_kwargs.get("env_name", task.env_id)  # Meta-World's tasks share an id
            lines.append(layout.cut(Text(f"{task.name:{width}}  {text.one_line(task.text)} ({env})")))
        extra = find_domain(members[0].env_id).extra
        needed = "" if installed(extra) else f"; they need: pip install 'eureka-loop[{extra}]'"
        parts.append(layout.section(suite, Group(*lines), f"{numbers.plural(len(members), 'task')}{needed}"))
    return Group(*parts, Text(), Text(MORE, style="dim"))


def task_page(task: Task, domain: Domain, vocabulary: Vocabulary, native: str = "") -> RenderableType:
    """Text, fitness, references, hyperparameters, and every observable.

    Args:
        native: source of the env's own reward, where that is the reference.
    """
    horizon = f"{numbers.plural(vocabulary.horizon, 'step')} at most" if vocabulary.horizon else ""
    step = f"{compact(vocabulary.dt, 6)} s"
    steps = ", ".join(f"{algorithm} {amount:,}" for algorithm, amount in domain.steps.items()) or "100,000"
    about = [("environment", task.env_id), ("a step", step), ("an episode", horizon)]
    about.append(("a training", f"{steps} steps"))
    settings = layout.facts(
        (algorithm, ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in values.items()))
        for algorithm, values in {**domain.hyperparameters, **domain.tuned}.items()
    )
    zoo = domain.hyperparameters_source
    source = f"tuned, {domain.tuned_source}; --settings zoo: {zoo}" if domain.tuned else zoo
    constants = layout.facts(vocabulary.constants.items())
    return Group(
        Text(task.name, style="bold"),
        Text(task.text),
        layout.facts(about),
        *_programs(task, native),
        layout.section("Hyperparameters", settings, source),
        layout.section("Vocabulary", Group(*_vocabulary(vocabulary)), NAMES),
        *([layout.section("Constants", constants, "of the model")] if vocabulary.constants else []),
    )


def _programs(task: Task, native: str) -> Iterator[RenderableType]:
    for title, source, about in (
        ("Fitness", task.fitness, "of a whole episode; more is better"),
        ("Success", task.success, "of a whole episode"),
        ("Progress", task.progress, "of a whole episode; ranks policies that never succeed"),
        ("Sparse reward", task.sparse, "for comparison"),
        ("Hand-written reward", task.human, task.human_source),
        ("Hand-written reward", native, "the env's own, as its class computes it"),
    ):
        if source:
            yield layout.section(title, layout.code(source, numbered=False), about)
    if task.human is None and not native:
        yield layout.section("Hand-written reward", Text(NO_HUMAN))


def _vocabulary(vocabulary: Vocabulary) -> Iterator[RenderableType]:
    """Every observable, by group: shape, unit, start, range under random actions, meaning."""
    shown = [each for each in vocabulary if not each.hidden]
    for group, members in groupby(shown, key=lambda each: each.group):
        yield from (Text(), Text(text.one_line(group), style="italic"))
        rows = [[each.name, _values(each), each.description] for each in members]
        yield layout.table(["name", "shape, unit; start, range", "meaning"], rows)


def _values(observable: Observable) -> str:
    """Shape, unit and frame; value at an episode's start if all components agree; range over all of them."""
    low, high, start = observable.low, observable.high, observable.start
    frame = f" ({observable.frame})" if observable.frame else ""
    known = [compact(start[0])] if start and max(start) - min(start) < 1e-9 else []
    known += [f"{compact(min(low))} … {compact(max(high))}"] if low and high else []
    shape = f"{observable.shape_text} {observable.unit}{frame}".strip()
    return "; ".join(filter(None, [shape, ", ".join(known)]))
