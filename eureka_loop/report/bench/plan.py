"""A bench: several searches of each of a suite's tasks, in one folder.

DIR/bench.json              what is to be done, and how fast it was found to go
DIR/<time>-<task>/          a run's folder for each search (see `eureka_loop.store`)
DIR/report.html, report.md, figure.svg

Searches of a task differ by the run's seed, from which every random choice follows: what is written, how
policies train, in which episodes they are judged, in the search and in the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import RunConfig, amend
from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.execute.budget import time_worked
from eureka_loop.propose.llm.designer import spent_before
from eureka_loop.records import Task, Usage
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.bench.suites import members
from eureka_loop.results import Failed, Trained, stands
from eureka_loop.store import NOTHING_TRAINED, Run

SETUP = "bench.json"
MOST_SEEDS = 1000  # a run's seed is below

LIMITS = ("max_usd", "max_tokens", "max_hours")
FREE = ("task", "seed", "out", "jobs", "allow_reduced_sandbox", "max_completion_tokens", *LIMITS)
"""What may differ between two calls that are about the same bench; the seed is in `Bench.seed`."""


@dataclass(frozen=True, slots=True)
class Search:
    """One of them."""

    task: str
    seed: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What is to be done, as bench.json holds it.

    Attributes:
        tasks: names, in the suite's order.
        searches: of each task.
        seed: the first search's; the others follow it.
        config: of every search, but for its task, seed, folder and limits.
        command: that asks for the same again.
        made_by: versions, commit and hardware that began it.
        paces: environment id → how fast it trains here, as measured before the start.
    """

    suite: str
    tasks: tuple[str, ...]
    searches: int
    seed: int
    config: RunConfig
    command: str
    made_by: Mapping[str, Any] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[Search, ...]:
        """A search of every task, then a second one of each: stopped early, there is something of all."""
        seeds = range(self.seed, self.seed + self.searches)
        return tuple(Search(task, seed) for seed in seeds for task in self.tasks)

    def chosen(self) -> dict[str, Task]:
        """The tasks by name."""
        return {task.name: task for task in members(self.suite) if task.name in self.tasks}

    def config_of(self, search: Search, folder: Path) -> RunConfig:
        """Of one search, whose run goes into `folder`."""
        return replace(self.config, task=search.task, seed=search.seed, out=folder)


def default_folder(bench: Bench) -> Path:
    """The same for the same question, whichever tasks it is about, so that asking again goes on.

    Settings that are nobody's default decide: one that a later version adds changes no folder's name.
    """
    usual, names = RunConfig(), (each.name for each in fields(RunConfig) if each.name not in FREE)
    told = {name: getattr(bench.config, name) for name in names}
    chosen = {name: value for name, value in told.items() if value != getattr(usual, name)}
    named = sha256(json.dumps([bench.seed, chosen], sort_keys=True, default=str).encode()).hexdigest()[:6]
    return Path("runs") / f"bench-{bench.suite}-{bench.config.designer}-{named}"


def joined(bench: Bench, folder: Path) -> Bench:
    """The bench, with what the folder knows of it from before: tasks, searches and paces are kept.

    Raises:
        BadInput: it holds another one.
    """
    path = folder / SETUP
    if not path.exists():
        return bench
    before = files.read_json(path, Bench)
    _require_same(before, bench, folder)
    tasks = {*before.tasks, *bench.tasks}
    return replace(
        bench,
        tasks=tuple(task.name for task in members(bench.suite) if task.name in tasks),
        searches=max(before.searches, bench.searches),
        made_by=before.made_by,
        paces={**before.paces, **bench.paces},
    )


def runs(folder: Path) -> dict[Search, Run]:
    """The searches that have been begun in a bench's folder."""
    found = [Run.open(path.parent) for path in sorted(folder.glob("*/run.toml"))]
    configs = [(run.config, run) for run in found]
    return {Search(config.task, config.seed): run for config, run in configs}


def ended(run: Run) -> bool:
    """Whether nothing is left to do in a search: it has its report, or nothing of it could be trained."""
    last = [event for event in run.events() if event["event"] in ("finished", "stopped", "resumed")][-1:]
    return any(event["event"] == "finished" or event.get("reason") == NOTHING_TRAINED for event in last)


def settled(run: Run) -> bool:
    """Whether another call leaves a search as it is: it has ended, and nothing crashed that is tried again.

    That is a training of the report, or, where nothing could be trained, any.
    """
    return ended(run) and all(map(stands, _last_results(run)))


def _last_results(run: Run) -> Iterator[Trained | Failed | None]:
    """Of the report's trainings; where there is no report, of all."""
    told = [event for event in run.events() if event["event"] == "reporting"][-1:]
    for event in told:
        for id in (event["winner"], *event["references"]):
            yield from (run.result(id, seed) for seed in event["seeds"])
    if not told:
        for id in run.candidate_ids():
            yield from run.evaluated(id).results


@dataclass(frozen=True, slots=True)
class Spent:
    """By some searches together; `usd` is None where a part has no known price."""

    hours: float
    tokens: int
    usd: float | None


def spent(searches: Iterable[Run]) -> Spent:
    """From what their events say."""
    hours, usage = 0.0, Usage(usd=0.0)
    for run in searches:
        own = spent_before(run)
        hours += time_worked(run.events()) / 3600
        usd = None if usage.usd is None or own.usd is None else usage.usd + own.usd
        usage = Usage(
            usage.prompt_tokens + own.prompt_tokens, usage.completion_tokens + own.completion_tokens, usd
        )
    return Spent(hours, usage.prompt_tokens + usage.completion_tokens, usage.usd)


def left(config: RunConfig, others: Spent) -> dict[str, float | int | None]:
    """What a search may take of the bench's limits, where the others took `others`; None: no limit.

    Raises:
        BudgetSpent: nothing.
        BadInput: a limit on money, where somebody's price isn't known.
    """
    if config.max_usd is not None and others.usd is None:
        raise BadInput("--max-usd can't be kept: searches were made at an unknown price; give --max-tokens")
    taken = {"max_usd": others.usd or 0.0, "max_tokens": others.tokens, "max_hours": others.hours}
    found: dict[str, float | int | None] = {}
    for name in LIMITS:
        limit = getattr(config, name)
        found[name] = None if limit is None else limit - taken[name]
        if limit is not None and limit <= taken[name]:
            raise BudgetSpent(f"--{name.replace('_', '-')} {limit:g} is reached")
    return found


def grant(run: Run, config: RunConfig, limits: Mapping[str, float | int | None]) -> None:
    """Give a search that was begun before the limits of now."""
    amend(run.folder / "run.toml", {**limits, "max_completion_tokens": config.max_completion_tokens})


def _require_same(before: Bench, now: Bench, folder: Path) -> None:
    pairs = {"suite": (before.suite, now.suite), "seed": (before.seed, now.seed)}
    for each in fields(RunConfig):
        if each.name not in FREE:
            pairs[each.name] = (getattr(before.config, each.name), getattr(now.config, each.name))
    for name, (old, new) in pairs.items():
        if old != new:
            told = name.replace("_", " ")
            raise BadInput(f"{folder} holds a bench with {told} {old}, not {new}; choose another --out")
