"""`eureka bench`: several searches of each task of a suite, one table of their results."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import tyro

from eureka_loop import files
from eureka_loop.cli.confirm import agreed, confirm
from eureka_loop.cli.run import LIMIT_REACHED, say_unmarked
from eureka_loop.config import RunConfig, amend, load
from eureka_loop.envs.registry import find_domain, find_task, installed
from eureka_loop.errors import BadInput, BudgetSpent, EurekaError, MissingExtra, RunError
from eureka_loop.execute.budget import time_worked
from eureka_loop.foreign import require_begun_for
from eureka_loop.numbers import duration
from eureka_loop.options import optional, parse, take
from eureka_loop.propose.designer import choice, settle
from eureka_loop.propose.llm.ledger import load_prices
from eureka_loop.report.bench import setup, view
from eureka_loop.report.bench.estimate import measure, of_search
from eureka_loop.report.bench.results import BenchResults, search_result
from eureka_loop.report.bench.setup import SETUP, Bench, Search
from eureka_loop.report.layout import LOOKING, print_lines, show, waiting
from eureka_loop.report.live import Live
from eureka_loop.report.pages import write
from eureka_loop.report.run_data import Cost
from eureka_loop.report.run_report import write_report
from eureka_loop.search import assemble
from eureka_loop.search.assemble import settled
from eureka_loop.store import Run
from eureka_loop.versions import made_by

BENCH_HELP = """Search several times on every task of a suite; one table and figure of the results.

What is finished is kept: the same command goes on where it was stopped. Before it starts it says how long it
will take and what it will cost, and asks. Limits are for all searches together.

--config FILE   a run.toml whose budget and hyperparameters are the defaults here"""
RUNS = Path("runs")


@dataclass(frozen=True)
class BenchOptions(RunConfig):
    """Options of a bench: those of each search, and its own."""

    task: Annotated[tyro.conf.Positional[str], optional("SUITE")] = ""
    """quick, gymnasium, beyond, robotics or metaworld."""
    env: Annotated[str | None, tyro.conf.Suppress] = None
    fitness: Annotated[str | None, tyro.conf.Suppress] = None
    replay: Annotated[Path | None, tyro.conf.Suppress] = None
    minutes: Annotated[float, tyro.conf.Suppress] = 0.0
    out: Path = RUNS
    """The bench's folder. Default: runs/bench-..., the same for the same question."""
    tasks: Annotated[str | None, optional("NAMES")] = None
    """Only these of the suite's tasks, with commas."""
    searches: int = 3
    """Searches of each task, with seeds that follow each other."""
    yes: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Start without asking."""
    trust: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Use a file's address, model and leave for a weaker sandbox without asking."""


def bench(words: list[str]) -> int:
    """Search several times on every task of a suite."""
    options = options_of(words)
    asked = asked_for(options, shlex.join(["eureka", "bench", *words]))
    folder = setup.default_folder(asked) if options.out == RUNS else options.out
    done = finished(folder)
    left = [search for search in asked.wanted if search not in done]
    for search, run in setup.runs(folder).items():
        if search in left:
            given = replace(asked.config, out=run.config.out)
            confirm(run.config, given, run.folder, trusted=options.trust)
    if left and not (options.yes or sys.stdin.isatty()):
        raise BadInput("bench asks before it starts, and standard input is no terminal: give --yes")
    whole, expected = setup.joined(asked, folder), {}
    if left:
        whole = replace(whole, paces={**measure(asked.chosen(), asked.config, whole.paces), **whole.paces})
        prices = load_prices()
        expected = {
            task.name: of_search(task, asked.config, whole.paces[task.env_id], prices)
            for task in asked.chosen()
        }
        show(view.plan(whole, folder, left, expected))
        if not (options.yes or agreed("Start? [y/N] ")):
            return 1
    return carry_out(whole, asked.wanted, folder, expected)


def options_of(words: list[str]) -> BenchOptions:
    """Options by the command line, else by its --config file, else by the suite.

    Raises:
        UnknownName: no such suite, or a task that it lacks.
        BadInput: any other mistake.
    """
    words, file = take(words, "--config")
    options = parse(BenchOptions, "bench", words, help=BENCH_HELP)
    suite = options.task
    if not suite:
        raise BadInput("say which SUITE: quick, gymnasium, beyond, robotics or metaworld")
    setup.members(suite, options.tasks)
    base = setup.settings(suite) if file is None else load(Path(file), setup.settings(suite))
    usual = {**vars(base), "task": suite, "env": None, "fitness": None, "minutes": 0.0, "out": RUNS}
    given, options = options, parse(BenchOptions, "bench", words, BenchOptions(**usual), BENCH_HELP)
    if file is not None:
        confirm(options, given, Path(file), trusted=options.trust)
    if file is None and options.algo != base.algo:
        options = replace(options, hyperparameters={})  # the suite's are the other algorithm's
    if "replay" in options.designers or options.replay is not None:
        raise BadInput("a bench can't replay a run, which holds one task: give --designer templates or llm")
    if "manual" in options.designers:
        raise BadInput("a bench waits for nobody's answers: give --designer templates or llm")
    if options.report_seeds == 0:
        raise BadInput("--report-seeds 0 leaves no results: a bench is made of reports; give 1 or more")
    most = setup.MOST_SEEDS - options.seed
    if not 1 <= options.searches <= most:
        raise BadInput(f"--searches {options.searches} is out of range: give 1 to {most}")
    return options


def asked_for(options: BenchOptions, command: str) -> Bench:
    """The bench that the options ask for.

    Raises:
        MissingExtra: the suite isn't installed.
        BadInput: no key or no model.
    """
    for extra in dict.fromkeys(find_domain(task.env_id).extra for task in setup.members(options.task)):
        if not installed(extra):
            raise MissingExtra(f"suite {options.task!r}", extra)
    shared = {each.name: getattr(options, each.name) for each in fields(RunConfig)}
    config = settle(RunConfig(**{**shared, "task": ""}))
    if options.designer is None:
        print_lines(choice(config))
    names = tuple(task.name for task in setup.members(options.task, options.tasks))
    return Bench(options.task, names, options.searches, config, command, made_by())


def finished(folder: Path) -> dict[Search, Run]:
    """The searches that have ended, but for those of which a crashed training is to be tried again."""
    return {search: run for search, run in setup.runs(folder).items() if settled(run)}


def carry_out(whole: Bench, wanted: Sequence[Search], folder: Path, expected: Mapping[str, Cost]) -> int:
    """Do the searches that are left, then write the report; the exit status.

    Args:
        whole: everything that the folder is about.
        wanted: the part of it that is to be done now.
        expected: task → cost of one search; may be empty where no search is left.
    """
    say_unmarked()
    folder.mkdir(parents=True, exist_ok=True)
    with Run(folder).lock():
        files.write_json(folder / SETUP, whole)
        try:
            _search_all(whole.config, wanted, folder, expected)
        except KeyboardInterrupt:
            return _stopped(folder, "interrupted", 130)
        except BudgetSpent as spent:
            flag = str(spent).split()[0].rstrip(":")  # the number is what was left for that search
            return _stopped(folder, f"{flag} is reached; give more to go on", LIMIT_REACHED)
        except EurekaError as error:
            _stopped(folder, str(error), 1)
            raise
        found = BenchResults.of(folder)
        paths = write(folder, view.documents(found))
        show(view.summary(found))
        print_lines("", *(f"Report: {path}" for path in paths))
        return 0 if any(each.done for each in found.tasks) else 1


def _search_all(
    config: RunConfig, wanted: Sequence[Search], folder: Path, expected: Mapping[str, Cost]
) -> None:
    took = {search: time_worked(run.events()) for search, run in finished(folder).items()}
    for number, search in enumerate(wanted, 1):
        if search in took:
            continue
        seconds = {each: expected[each.task].seconds for each in wanted}
        done = [each for each in wanted if each in took]
        slower = sum(took[each] for each in done) / sum(seconds[each] for each in done) if done else 1.0
        left = duration(slower * sum(seconds[each] for each in wanted if each not in took))
        print_lines(f"search {number} of {len(wanted)}: {search} · about {left} left in all")
        result = search_result(search, _search(config, search, folder))
        took[search] = result.cost.seconds
        print_lines(view.outcome(result))


def _search(config: RunConfig, search: Search, folder: Path) -> Run:
    """One search to its end, from wherever it stands, with what is left of the limits."""
    limits = setup.limits_left(config, folder, search)
    if run := setup.runs(folder).get(search):
        require_begun_for(run, find_task(search.task), config.steps)
        run.lock()
        amend(run.folder / "run.toml", {**limits, "max_completion_tokens": config.max_completion_tokens})
        run.event("resumed")
    else:
        with waiting(LOOKING):
            run = assemble.create(
                replace(config, task=search.task, seed=search.seed, out=folder, lessons=False, **limits)
            )
    with run:
        with (
            assemble.stops_recorded(run),
            Live(run) as live,
            assemble.assembled(run, config.jobs) as assembly,
        ):
            run.listen(live)
            assemble.follow(assembly)
        write_report(run)
    return run


def _stopped(folder: Path, reason: str, status: int) -> int:
    """Write the report so far, and say how to go on."""
    with contextlib.suppress(RunError):  # a full disk may be why it stopped
        found = BenchResults.of(folder)
        print_lines(
            f"Stopped: {reason}",
            f"{found.unfinished or 'all searches'} done",
            f"Go on with: {found.bench.command}",
            f"Report so far: {write(folder, view.documents(found))[-1]}",
        )
    return status
