"""What a bench runs over: the catalogue's suites, and `quick`, four tasks that two cores do in minutes."""

from __future__ import annotations

from importlib import resources

from eureka_loop.config import RunConfig, load
from eureka_loop.envs.extras import installed
from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Task

QUICK = ("reacher-reach", "inverteddoublependulum-balance", "hopper-hop", "halfcheetah-run")
"""Reach, balance, hop, run: each with a hand-written reward that is another than its sparse one."""


def names() -> tuple[str, ...]:
    """Every suite."""
    return ("quick", *suites())


def members(suite: str) -> tuple[Task, ...]:
    """A suite's tasks, in order.

    Raises:
        UnknownName: no such suite.
    """
    if suite not in names():
        raise UnknownName("suite", suite, names(), hint=f"choose one of {', '.join(names())}")
    return tuple(map(find_task, QUICK)) if suite == "quick" else suites()[suite]


def chosen(suite: str, words: str | None) -> tuple[Task, ...]:
    """Those of a suite's tasks that somebody names, with commas, in the suite's order; all, if nobody does.

    Raises:
        UnknownName: no such suite, or one without that task.
        BadInput: no name at all.
    """
    known = {task.name: task for task in members(suite)}
    if words is None:
        return tuple(known.values())
    asked = [word.strip() for word in words.split(",") if word.strip()]
    for name in asked:
        if name not in known:
            raise UnknownName(f"task of suite {suite!r}", name, known, hint="`eureka tasks` lists them")
    if not asked:
        raise BadInput(f"--tasks names nothing: give names with commas, of {', '.join(known)}")
    return tuple(task for name, task in known.items() if name in asked)


def require_installed(suite: str) -> None:
    """
    Raises:
        MissingExtra: the suite's environments aren't installed.
    """
    for extra in dict.fromkeys(find_domain(task.env_id).extra for task in members(suite)):
        if not installed(extra):
            raise MissingExtra(f"suite {suite!r}", extra)


def settings(suite: str) -> RunConfig:
    """Budget and hyperparameters of a search where nobody says another: `eureka run`'s, but for `quick`."""
    if suite != "quick":
        return RunConfig()
    with resources.as_file(resources.files("eureka_loop.report.bench").joinpath("quick.toml")) as path:
        return load(path)
