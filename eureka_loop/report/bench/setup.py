"""A bench: several searches of each of a suite's tasks, in one folder.

DIR/bench.json              what is to be done, and the measured speeds
DIR/<time>-<task>/          a run's folder for each search (see `eureka_loop.store`)
DIR/report.html, report.md, figure.svg

Searches of a task differ by the run's seed, which determines all random choices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from eureka_loop import files, numbers
from eureka_loop.config import RunConfig, load
from eureka_loop.envs.registry import find_task, suites
from eureka_loop.errors import BadInput, BudgetSpent, UnknownName
from eureka_loop.records import Task
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.run_data import Cost
from eureka_loop.store import Run

SETUP = "bench.json"
MOST_SEEDS = 1000  # a run's seed is below
QUICK = ("reacher-reach", "inverteddoublependulum-balance", "hopper-hop", "halfcheetah-run")
"""Suite of tasks that two cores do in minutes; all have a hand-written and another sparse reward."""

LIMITS = ("max_usd", "max_tokens", "max_hours")
FREE = {"task", "out", "minutes", "jobs", "allow_reduced_sandbox", "max_completion_tokens", *LIMITS}
"""Settings that may differ between two calls about the same bench."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a bench."""

    task: str
    seed: int

    def __str__(self) -> str:
        return f"{self.task}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Bench:
    """The contents of bench.json.

    Attributes:
        tasks: names, in the suite's order.
        searches: number of searches of each task.
        config: of every search, but for its task, folder and limits; the seed is the first search's.
        command: command line that makes the same bench again.
        made_by: versions, commit and hardware of the first call.
        paces: environment id → training speed on this machine, measured before the start.
    """

    suite: str
    tasks: tuple[str, ...]
    searches: int
    config: RunConfig
    command: str
    made_by: Mapping[str, Any] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[Search, ...]:
        """A search of every task, then a second one of each: an early stop leaves something of all."""
        seeds = range(self.config.seed, self.config.seed + self.searches)
        return tuple(Search(task, seed) for seed in seeds for task in self.tasks)

    def chosen(self) -> list[Task]:
        return [task for task in members(self.suite) if task.name in self.tasks]


def members(suite: str, names: str | None = None) -> tuple[Task, ...]:
    """A suite's tasks in order; only those listed in `names` (separated by commas), if given.

    Raises:
        UnknownName: no such suite, or one without that task.
        BadInput: no name at all.
    """
    known_suites = ("quick", *suites())
    if suite not in known_suites:
        raise UnknownName("suite", suite, known_suites, hint=f"choose one of {', '.join(known_suites)}")
    tasks = tuple(map(find_task, QUICK)) if suite == "quick" else suites()[suite]
    if names is None:
        return tasks
    known = [task.name for task in tasks]
    asked = [name.strip() for name in names.split(",") if name.strip()]
    for name in asked:
        if name not in known:
            hint = f"it must be one of suite {suite!r}; `eureka tasks` lists all"
            raise UnknownName("task", name, known, hint)
    if not asked:
        raise BadInput(f"--tasks names nothing: give names with commas, of {', '.join(known)}")
    return tuple(task for task in tasks if task.name in asked)


def settings(suite: str) -> RunConfig:
    """Default budget and hyperparameters of a search: those of `eureka run`, but for `quick`."""
    if suite != "quick":
        return RunConfig()
    with resources.as_file(resources.files("eureka_loop.report.bench").joinpath("quick.toml")) as path:
        return load(path)


def default_folder(bench: Bench) -> Path:
    """The same for the same question, whichever of its tasks are chosen, so that asking again goes on.

    It depends on the settings that differ from the defaults: a new setting changes no folder's name.
    """
    usual, config = vars(RunConfig()), vars(bench.config)
    chosen = {name: config[name] for name in config.keys() - FREE if config[name] != usual[name]}
    digest = sha256(json.dumps(chosen, sort_keys=True, default=str).encode()).hexdigest()[:6]
    return Path("runs") / f"bench-{bench.suite}-{bench.config.designer}-{digest}"


def joined(bench: Bench, folder: Path) -> Bench:
    """The bench together with the tasks, searches and speeds that the folder has recorded.

    Raises:
        BadInput: the folder holds another bench.
    """
    if not (folder / SETUP).exists():
        return bench
    before = files.read_json(folder / SETUP, Bench)
    if default_folder(before) != default_folder(bench):
        raise BadInput(f"{folder} holds another bench (`{before.command}`); choose another --out")
    tasks = {*before.tasks, *bench.tasks}
    return replace(
        bench,
        tasks=tuple(task.name for task in members(bench.suite) if task.name in tasks),
        searches=max(before.searches, bench.searches),
        made_by=before.made_by,
        paces={**before.paces, **bench.paces},
    )


def runs(folder: Path) -> dict[Search, Run]:
    """The searches that have begun in a bench's folder."""
    files.require_plain(folder)
    found = [Run.open(path.parent) for path in sorted(folder.glob("*/run.toml"))]
    return {Search(run.config.task, run.config.seed): run for run in found}


def limits_left(config: RunConfig, folder: Path, search: Search) -> dict[str, Any]:
    """The bench's limits less what all other searches have spent; None: no limit.

    Raises:
        BudgetSpent: nothing is left of one.
        BadInput: a limit on money, where a price isn't known.
    """
    others = sum((Cost.of(run) for each, run in runs(folder).items() if each != search), Cost())
    if config.max_usd is not None and others.usd is None:
        raise BadInput("--max-usd can't be kept: searches were made at an unknown price; give --max-tokens")
    found: dict[str, Any] = {}
    for name, taken in zip(LIMITS, (others.usd, others.tokens, others.seconds / 3600), strict=True):
        limit = getattr(config, name)
        found[name] = None if limit is None else limit - taken
        if limit is not None and limit <= taken:
            raise BudgetSpent(f"--{name.replace('_', '-')} {numbers.compact(limit, 9)} is reached")
    return found
