"""`eureka tasks`, `look`, `inspect`, `lessons`, `watch`, `robustness`: show what there is; no training."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from eureka_loop.errors import BadInput, RunError
from eureka_loop.options import Where, optional, parse, take_env_arguments
from eureka_loop.store import Run


@dataclass(frozen=True)
class TasksOptions:
    """The catalogue, or one task: text, vocabulary, fitness, hand-written reward."""

    name: Annotated[tyro.conf.Positional[str | None], optional("[NAME]")] = None
    """A task's name, or a suite's."""


def tasks(arguments: list[str]) -> int:
    """Show the catalogue, or one task."""
    options = parse(TasksOptions, "tasks", arguments)
    from eureka_loop.report.catalogue import page
    from eureka_loop.report.layout import show

    show(page(options.name))
    return 0


@dataclass(frozen=True)
class LookOptions:
    """The vocabulary of any environment: every name that a reward may use, with its unit and meaning."""

    env: Annotated[str | None, optional("ID")] = None
    """Gymnasium id: HalfCheetah-v5, my_package:MyEnv-v0; or robot.xml. --env-arg K=V gives it an argument."""
    find: Annotated[str | None, optional("WORD")] = None
    """Only names with this word in them, or in their meaning."""


def look(arguments: list[str]) -> int:
    """Show an environment's vocabulary."""
    arguments, env_kwargs = take_env_arguments(arguments)
    options = parse(LookOptions, "look", arguments)
    if not options.env:
        raise BadInput("say which environment: `eureka look --env HalfCheetah-v5`")
    from eureka_loop.report.catalogue import environment
    from eureka_loop.report.layout import show

    show(environment(options.env, env_kwargs, options.find or ""), paged=True)
    return 0


@dataclass(frozen=True)
class InspectOptions:
    """Ranking, lineage, failures and cost of a run; or one candidate's code, terms, fitness and feedback."""

    run: Where
    """The run's folder."""
    id: Annotated[tyro.conf.Positional[str | None], optional("[ID]")] = None
    """A candidate: g0-03; or human, sparse."""
    diff: Annotated[str | None, optional("ID")] = None
    """Show how it differs from its parent, from the hand-written reward (human), or from another ID."""
    exchange: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the prompt and the reply."""


def inspect(arguments: list[str]) -> int:
    """Show a run or a candidate."""
    options = parse(InspectOptions, "inspect", arguments)
    from eureka_loop.report.candidate import candidate_page
    from eureka_loop.report.inspect import run_page
    from eureka_loop.report.layout import show

    found = Run.open(options.run)
    if options.id is None:
        if options.diff or options.exchange:
            raise BadInput("--diff and --exchange need a candidate: eureka inspect RUN ID")
        show(run_page(found))
    elif options.diff and options.exchange:
        raise BadInput("--diff and --exchange are two pages: ask for one of them")
    else:
        show(candidate_page(found, options.id, diff=options.diff, exchange=options.exchange))
    return 0


@dataclass(frozen=True)
class LessonsOptions:
    """Differences between rewards that runs have measured, which prompts of later runs show."""

    which: Annotated[tyro.conf.Positional[str], optional("[N|all]")] = "all"
    """A lesson's number, for --note and --forget."""
    note: Annotated[str | None, optional("TEXT")] = None
    """Words of your own, shown with the lesson; "" takes them away."""
    forget: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Remove it, or with "all" every one."""
    out: Path = Path("runs")
    """The folder with the runs."""


def lessons(arguments: list[str]) -> int:
    """List the lessons of a folder of runs, or change them."""
    options = parse(LessonsOptions, "lessons", arguments)
    from eureka_loop.report.layout import print_lines
    from eureka_loop.search import lessons as kept
    from eureka_loop.text import one_line

    found = list(kept.read(options.out))
    if kept.is_foreign(options.out):
        raise BadInput(
            f"{options.out / kept.FILE[0]} was not written here, or was changed by hand: remove it"
        )
    chosen = range(len(found))
    if options.which != "all":
        if options.which not in map(str, range(1, len(found) + 1)):
            raise BadInput(f"there is no lesson {options.which}: `eureka lessons` lists {len(found)}")
        chosen = range(int(options.which) - 1, int(options.which))
    if options.forget:
        kept.write(options.out, [each for n, each in enumerate(found) if n not in chosen])
        print_lines(*(f"Forgotten: {found[n]}" for n in chosen))
        return 0
    if options.note is not None:
        if options.which == "all" or len(options.note) > kept.LONGEST_NOTE:
            raise BadInput(f"--note belongs to one lesson, and has {kept.LONGEST_NOTE} characters at most")
        found[chosen[0]] = replace(found[chosen[0]], note=one_line(options.note))
        kept.write(options.out, found)
    none = f"no lessons in {options.out}: runs whose trainings tell rewards apart leave some there"
    print_lines(
        *(f"{n + 1}  {found[n]}; run {', '.join(found[n].runs)}" for n in chosen or ()), *[none] * (not found)
    )
    return 0


@dataclass(frozen=True)
class WatchOptions:
    """Play a trained policy: in a window where there is a display, else as a film and a sheet of moments."""

    run: Where
    """The run's folder, or that of a comparison's algorithm."""
    id: Annotated[tyro.conf.Positional[str | None], optional("[ID]")] = None
    """A candidate: g0-03; or human, sparse. Default: the winner."""
    worst: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Play the worst of its judged episodes, not the median."""


def watch(arguments: list[str]) -> int:
    """Show a policy."""
    options = parse(WatchOptions, "watch", arguments)
    from eureka_loop.execute.films import film
    from eureka_loop.execute.local import filmed, shown
    from eureka_loop.report.compare.setup import winner
    from eureka_loop.report.layout import print_lines, waiting

    run = Run.open(options.run)
    episode = film(run, options.id or winner(run).id, worst=options.worst)
    print_lines(episode.label)
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        return shown(episode.policy, episode.seed)
    with waiting("drawing"):
        why = filmed({episode.path: (episode.policy, episode.seed)})
    if why:
        raise RunError(f"no video: {why}; `eureka doctor` says what this machine can draw with")
    print_lines(f"Film: {episode.path}", f"Moments: {episode.moments}")
    return 0


@dataclass(frozen=True)
class RobustnessOptions:
    """A table of a reward's policies where mass, friction, latency, noise or the start differ."""

    run: Where
    """The run's folder."""
    id: Annotated[tyro.conf.Positional[str | None], optional("[ID]")] = None
    """A candidate: g0-03; or human, sparse. Default: the winner."""
    episodes: Annotated[int | None, optional("N")] = None
    """Episodes of each policy under each condition. Default: 5, or as many as the run judges."""


def robustness(arguments: list[str]) -> int:
    """Play a reward's policies under other conditions."""
    options = parse(RobustnessOptions, "robustness", arguments)
    from eureka_loop.report.compare.setup import winner
    from eureka_loop.report.layout import show
    from eureka_loop.report.robustness import page

    run = Run.open(options.run)
    show(page(run, options.id or winner(run).id, options.episodes))
    return 0
