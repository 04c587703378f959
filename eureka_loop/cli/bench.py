"""`eureka bench`: several searches of each task of a suite, one table of their results."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from eureka_loop import files
from eureka_loop.cli.run import LIMIT_REACHED
from eureka_loop.config import RunConfig, load
from eureka_loop.errors import BadInput, BudgetSpent, EurekaError, RunError
from eureka_loop.execute.budget import time_worked
from eureka_loop.options import optional, parse, take
from eureka_loop.records import Algorithm, TrainerName
from eureka_loop.report.bench import setup, terminal
from eureka_loop.report.bench.estimate import Cost, measure, of_search
from eureka_loop.report.bench.results import BenchResults, search_result
from eureka_loop.report.bench.setup import SETUP, Bench, Search
from eureka_loop.run_folder import RunFolder
from eureka_loop.store import Run

BENCH_HELP = """Search several times on every task of a suite; one table and figure of what was found.

What is finished is kept: the same command goes on where it was stopped. Before it starts it says how long it
will take and what it will cost, and asks.

--config FILE   a run.toml whose budget and hyperparameters are the defaults here"""


@dataclass(frozen=True)
class BenchOptions:
    """Options of a bench; the defaults are the suite's own budget, else that of `eureka run`."""

    suite: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SUITE")]
    """quick, gymnasium, beyond, robotics or metaworld."""
    tasks: Annotated[str | None, optional("NAMES")] = None
    """Only these of its tasks, with commas."""
    searches: int = 3
    """Searches of each task, with seeds that follow each other."""
    designer: Annotated[Literal["templates", "llm"] | None, optional("{templates,llm}")] = None
    """Designer of the rewards. Default: llm where a model is configured, else templates."""
    model: Annotated[str | None, optional("NAME")] = None
    """The language model; default: $EUREKA_MODEL."""
    base_url: Annotated[str | None, optional("URL")] = None
    """An OpenAI-compatible endpoint."""
    algo: Annotated[Algorithm | None, optional("{ppo,sac}")] = None
    """Training algorithm."""
    trainer: Annotated[TrainerName | None, optional("{population,sb3}")] = None
    """Trainer. Default: population where it can."""
    generations: Annotated[int | None, optional("N")] = None
    """Of each search: how often rewards are written, trained and judged."""
    samples: Annotated[int | None, optional("N")] = None
    """Reward programs a generation."""
    steps: Annotated[int | None, optional("N")] = None
    """Environment steps each training gets."""
    seeds: Annotated[int | None, optional("N")] = None
    """Trainings of each candidate during a search."""
    halving: Annotated[int | None, optional("N")] = None
    """With 3 only the best third goes on after a third of the steps, and so on."""
    report_seeds: Annotated[int | None, optional("N")] = None
    """Fresh trainings of each search's winner, and beside it of each reference."""
    judge_episodes: Annotated[int | None, optional("N")] = None
    """Episodes in which a final policy is judged."""
    seed: Annotated[int | None, optional("N")] = None
    """The first search's seed."""
    jobs: Annotated[int | None, optional("N")] = None
    """Trainings at once; 0: one a core."""
    max_usd: Annotated[float | None, optional("USD")] = None
    """Stop before models cost more than this, in all searches together; likewise those below."""
    max_tokens: Annotated[int | None, optional("N")] = None
    """Stop before prompts and replies exceed this many tokens."""
    max_hours: Annotated[float | None, optional("HOURS")] = None
    """Stop when all searches together have taken this long."""
    max_completion_tokens: Annotated[int | None, optional("N")] = None
    """Tokens one reply may have, thinking included."""
    out: Annotated[Path | None, optional("DIR")] = None
    """The bench's folder. Default: runs/bench-..., the same for the same question."""
    yes: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Start without asking."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run generated code even where the sandbox is weaker than `strict`."""


OWN = ("suite", "tasks", "searches", "out", "yes")  # options of the bench; the others are each search's


def bench(words: list[str]) -> int:
    """Search several times on every task of a suite."""
    command = shlex.join(["eureka", "bench", *words])
    words, file = take(words, "--config")
    options = parse(BenchOptions, "bench", words, help=BENCH_HELP)
    asked = asked_for(options, file, command)
    folder = options.out or setup.default_folder(asked)
    done = finished(folder)
    left = [search for search in asked.wanted if search not in done]
    if left and not (options.yes or sys.stdin.isatty()):
        raise BadInput("bench asks before it starts, and here nobody can answer: give --yes")
    whole = setup.joined(asked, folder)
    if left:
        whole = measured(whole, asked)
        expected = estimated(whole, asked)
        tell(whole, folder, left, expected)
        if not (options.yes or _agreed()):
            return 1
    return carry_out(whole, asked, folder, estimated(whole, asked) if left else {})


def asked_for(options: BenchOptions, file: str | None, command: str) -> Bench:
    """The bench that the options ask for.

    Raises:
        UnknownName: no such suite or task.
        MissingExtra: the suite isn't installed.
        BadInput: a value out of range, no key or no model.
    """
    from eureka_loop.propose.choose import choice, settle
    from eureka_loop.versions import hardware, made_by

    tasks = setup.members(options.suite, options.tasks)
    setup.require_installed(options.suite)
    config = config_of(options, file)
    settled = settle(config)
    if config.designer is None:
        print(choice(settled))
    most = setup.MOST_SEEDS - config.seed
    if not 1 <= options.searches <= most:
        raise BadInput(f"--searches {options.searches} is out of range: give 1 to {most}")
    return Bench(
        suite=options.suite,
        tasks=tuple(task.name for task in tasks),
        searches=options.searches,
        seed=config.seed,
        config=settled,
        command=command,
        made_by={**made_by(), **hardware()},
    )


def config_of(options: BenchOptions, file: str | None) -> RunConfig:
    """A search's configuration: by the options, else the file, else the suite."""
    base = setup.settings(options.suite)
    if file is not None:
        base = load(Path(file), base)
    shared = {name: value for name, value in vars(options).items() if name not in OWN}
    given = {name: value for name, value in shared.items() if value is not None and value is not False}
    if file is None and given.get("algo", base.algo) != base.algo:
        base = replace(base, hyperparameters={})  # the suite's are the other algorithm's
    config = replace(base, task="", env=None, fitness=None, **given)
    if config.designer == "replay" or config.replay is not None:
        raise BadInput("a bench can't replay a run, which holds one task: give --designer templates or llm")
    if config.report_seeds < 1:
        raise BadInput("--report-seeds 0 leaves nothing to tell: a bench is made of reports; give 1 or more")
    return config


def finished(folder: Path) -> set[Search]:
    """The searches that have ended, but for those of which a crashed training is to be tried again."""
    return {search for search, run in setup.runs(folder).items() if setup.settled(run)}


def measured(whole: Bench, asked: Bench) -> Bench:
    """The bench with the speed of every environment asked for; known ones aren't measured again."""
    from eureka_loop.report.terminal import terminal, waiting

    tasks = [task for task in asked.chosen().values() if task.env_id not in whole.paces]
    if not tasks:
        return whole
    with waiting("measuring how fast this machine trains", log=terminal()):
        return replace(whole, paces={**whole.paces, **measure(tasks, whole.config)})


def estimated(whole: Bench, asked: Bench) -> dict[str, Cost]:
    """Task → expected cost of one search."""
    from eureka_loop.propose.llm.prices import Prices

    prices, tasks = Prices.load(), asked.chosen().items()
    return {name: of_search(task, asked.config, whole.paces[task.env_id], prices) for name, task in tasks}


def tell(whole: Bench, folder: Path, left: list[Search], expected: Mapping[str, Cost]) -> None:
    """Print the plan."""
    from eureka_loop.execute import machine

    workers = machine.share(machine.look(), whole.config.jobs).workers
    terminal.print_plan(whole, folder, left, expected, workers)


def _agreed() -> bool:
    try:
        return input("Start? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def carry_out(whole: Bench, asked: Bench, folder: Path, expected: Mapping[str, Cost]) -> int:
    """Do the searches that are left, then write the report; the exit status.

    Args:
        whole: everything that the folder is about.
        asked: the part of it that is to be done now.
        expected: task → cost of one search; may be empty where no search is left.
    """
    from eureka_loop.report.bench.view import write

    folder.mkdir(parents=True, exist_ok=True)
    with RunFolder(folder).lock():
        files.write_json(folder / SETUP, whole)
        try:
            _search_all(asked, folder, expected)
        except KeyboardInterrupt:
            return _stopped(folder, "interrupted", 130)
        except BudgetSpent as spent:
            return _stopped(folder, limit(spent, asked.config), LIMIT_REACHED)
        except EurekaError as error:
            _stopped(folder, str(error), 1)
            raise
        found = BenchResults.of(folder)
        terminal.print_summary(found, write(found))
        return 0 if any(each.done for each in found.tasks) else 1


def _search_all(asked: Bench, folder: Path, expected: Mapping[str, Cost]) -> None:
    done, known = finished(folder), setup.runs(folder)
    took = {search: time_worked(known[search].events()) for search in asked.wanted if search in done}
    for search in asked.wanted:
        if search in took:
            continue
        terminal.print_progress(search, asked.wanted, terminal.seconds_left(asked.wanted, took, expected))
        run = _search(asked, search, folder)
        took[search] = time_worked(run.events())
        terminal.print_line(terminal.outcome(search_result(search, run)))


def _search(asked: Bench, search: Search, folder: Path) -> Run:
    """One search to its end, from wherever it stands."""
    from eureka_loop.report.live import Live
    from eureka_loop.report.run_report import write_report
    from eureka_loop.search import assemble

    with _opened(asked, search, folder) as run:
        with (
            assemble.stops_recorded(run),
            Live(run) as live,
            assemble.stages(run, asked.config.jobs) as stages,
        ):
            run.listen(live)
            assemble.follow(run, stages)
        write_report(run)
    return run


def _opened(asked: Bench, search: Search, folder: Path) -> Run:
    """The search's run, new or begun before, with what is left of the limits."""
    from eureka_loop.report.terminal import LOOKING, waiting
    from eureka_loop.search import assemble

    others = setup.spent_by_others(folder, search)
    begun = setup.runs(folder).get(search)
    if begun is None:
        limits: dict[str, Any] = dict(setup.limits_left(asked.config, others))
        with waiting(LOOKING):
            return assemble.create(
                replace(asked.config, task=search.task, seed=search.seed, out=folder, **limits)
            )
    run = begun.lock()
    setup.grant(run, asked.config, others)
    run.event("resumed")
    return run


def limit(spent: BudgetSpent, config: RunConfig) -> str:
    """The limit of the bench that was reached: a search's own limits are what was left of it."""
    flag = str(spent).split()[0].rstrip(":")
    value = getattr(config, flag.removeprefix("--").replace("-", "_"), None)
    return str(spent) if value is None else f"{flag} {value:g} is reached; give more to go on"


def _stopped(folder: Path, reason: str, status: int) -> int:
    """Write the report so far, and say how to go on."""
    from eureka_loop.report.bench.view import write

    with contextlib.suppress(RunError):  # a full disk may be why it stopped
        found = BenchResults.of(folder)
        paths = write(found)
        terminal.print_stopped(found, reason)
        terminal.print_line(f"Report so far: {paths[-1]}")
    return status
