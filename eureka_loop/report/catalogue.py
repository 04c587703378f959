"""`eureka tasks` and `look`: the catalogue, one task, or an environment, with the vocabulary."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files, numbers, text
from eureka_loop.config import RunConfig
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain, find_task, full_id, given_id, installed, suites, tasks
from eureka_loop.errors import BadInput
from eureka_loop.execute.local import survey
from eureka_loop.numbers import compact
from eureka_loop.records import Task
from eureka_loop.report import layout
from eureka_loop.report.layout import waiting
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search.describe import task_of

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
    if members := [task for task in tasks().values() if task.env_id == full_id(name)]:
        return Group(catalogue({name: members}), Text(f"`eureka look --env {name}` shows its vocabulary."))
    task = find_task(name)
    return task_page(task, find_domain(task.env_id), *_surveyed(task))


def environment(env_id: str, arguments: Mapping[str, Any], word: str = "") -> RenderableType:
    """The vocabulary of any environment.

    Args:
        word: shows only names that have it in them, in their meaning or in their group's name.

    Raises:
        BadInput: the environment can't be used here, or nothing has the word in it.
    """
    task = task_of(RunConfig(task="look", env=env_id, fitness="0", env_kwargs=arguments))
    vocabulary, _ = _surveyed(task)
    shown = [each for each in vocabulary if not each.hidden]
    texts = {each.name: f"{each.name} {each.description} {each.group}".lower() for each in shown}
    found = tuple(each for each in shown if word.lower() in texts[each.name])
    if not found:
        raise BadInput(f"--find {word!r}: no name and no meaning has it; without --find all are shown")
    constants = {name: each for name, each in vocabulary.constants.items() if word.lower() in name.lower()}
    about = [("a step", f"{compact(vocabulary.dt, 6)} s"), ("an episode", _horizon(vocabulary))]
    return Group(
        Text(given_id(task), style="bold"),
        layout.facts(about),
        *([layout.section("To know", Text("\n".join(vocabulary.notes)))] if vocabulary.notes else []),
        *_names(replace(vocabulary, observables=found, constants=constants)),
    )


def _surveyed(task: Task) -> tuple[Vocabulary, str]:
    """The vocabulary of a task's environment, and where it is the reference, the source of its own reward."""
    with waiting("looking at the environment"), tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        files.write_json(Path(folder) / "task.json", task)
        vocabulary, native = survey(Path(folder)), Path(folder) / "native.py"
        return vocabulary, native.read_text(encoding="utf-8") if native.exists() else ""


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
    step = f"{compact(vocabulary.dt, 6)} s"
    steps = ", ".join(f"{algorithm} {amount:,}" for algorithm, amount in domain.steps.items()) or "100,000"
    about = [("environment", task.env_id), ("a step", step), ("an episode", _horizon(vocabulary))]
    about.append(("a training", f"{steps} steps"))
    settings = layout.facts(
        (algorithm, ", ".join(f"{name} {json.dumps(value, default=str)}" for name, value in values.items()))
        for algorithm, values in {**domain.hyperparameters, **domain.tuned}.items()
    )
    zoo = domain.hyperparameters_source
    source = f"tuned, {domain.tuned_source}; --settings zoo: {zoo}" if domain.tuned else zoo
    return Group(
        Text(task.name, style="bold"),
        Text(task.text),
        layout.facts(about),
        *_programs(task, native),
        layout.section("Hyperparameters", settings, source),
        *_names(vocabulary),
    )


def _horizon(vocabulary: Vocabulary) -> str:
    return f"{numbers.plural(vocabulary.horizon, 'step')} at most" if vocabulary.horizon else ""


def _names(vocabulary: Vocabulary) -> Iterator[RenderableType]:
    yield layout.section("Vocabulary", Group(*_vocabulary(vocabulary)), NAMES)
    if vocabulary.constants:
        yield layout.section("Constants", layout.facts(vocabulary.constants.items()), "of the model")


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
