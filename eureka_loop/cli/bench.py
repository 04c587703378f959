"""`eureka bench`: several searches of each task of a suite, one table of what they found."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from eureka_loop.cli.searches import carry_out, done
from eureka_loop.config import RunConfig, load
from eureka_loop.errors import BadInput
from eureka_loop.options import optional, parse, take
from eureka_loop.records import Algorithm, Task, TrainerName
from eureka_loop.report.bench import plan, suites
from eureka_loop.report.bench.estimate import Estimate, of_search, total
from eureka_loop.report.bench.plan import Bench, Search
from eureka_loop.report.bench.progress import Progress

BENCH_HELP = """Search several times on every task of a suite; one table and figure of what was found.

What is finished is kept: the same command goes on where it was stopped. Before it starts it says how long it
will take and what it will cost, and asks.

--config FILE   a run.toml whose budget and hyperparameters are the defaults here"""
MEASURING = "measuring how fast this machine trains"


@dataclass(frozen=True)
class BenchOptions:
    """What is asked for; where nothing is said, a suite's own budget counts, else that of `eureka run`."""

    suite: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SUITE")]
    """quick, gymnasium, beyond, robotics or metaworld."""
    tasks: Annotated[str | None, optional("NAMES")] = None
    """Only these of its tasks, with commas."""
    searches: int = 3
    """Searches of each task, with seeds that follow each other."""
    designer: Annotated[Literal["templates", "llm"] | None, optional("{templates,llm}")] = None
    """Who writes the rewards. Default: llm where a model is configured, else templates."""
    model: Annotated[str | None, optional("NAME")] = None
    """The language model; default: $EUREKA_MODEL."""
    base_url: Annotated[str | None, optional("URL")] = None
    """An OpenAI-compatible endpoint."""
    algo: Annotated[Algorithm | None, optional("{ppo,sac}")] = None
    """Training algorithm."""
    trainer: Annotated[TrainerName | None, optional("{population,sb3}")] = None
    """Who trains. Default: population where it can."""
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


OWN = ("suite", "tasks", "searches", "out", "yes")  # of the bench; the others are each search's


def bench(words: list[str]) -> int:
    """Have every task of a suite searched for, several times."""
    command = shlex.join(["eureka", "bench", *words])
    words, file = take(words, "--config")
    options = parse(BenchOptions, "bench", words, help=BENCH_HELP)
    asked = draft(options, file, command)
    folder = options.out or plan.default_folder(asked)
    left = [search for search in asked.wanted if search not in done(folder)]
    if left and not (options.yes or sys.stdin.isatty()):
        raise BadInput("bench asks before it starts, and here nobody can answer: give --yes")
    whole = plan.joined(asked, folder)
    if left:
        whole = measured(whole, asked)
        estimates = estimated(whole, asked)
        tell(whole, folder, left, estimates)
        if not (options.yes or _agreed()):
            return 1
    expected = {name: each.seconds for name, each in estimates.items()} if left else {}
    return carry_out(whole, replace(asked, paces=whole.paces), folder, Progress(asked.wanted, expected))


def draft(options: BenchOptions, file: str | None, command: str) -> Bench:
    """What the options ask for.

    Raises:
        UnknownName: no such suite or task.
        MissingExtra: the suite isn't installed.
        BadInput: whatever else is wrong, a key or a model that lacks among it.
    """
    from eureka_loop.propose.choose import choice, settle
    from eureka_loop.versions import hardware, made_by

    tasks = suites.chosen(options.suite, options.tasks)
    suites.require_installed(options.suite)
    config = config_of(options, file)
    settled = settle(config)
    if config.designer is None:
        print(choice(settled))
    if not 1 <= options.searches <= plan.MOST_SEEDS - config.seed:
        raise BadInput(
            f"--searches {options.searches} is out of range: give 1 to {plan.MOST_SEEDS - config.seed}"
        )
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
    """A search's configuration: as the options say, else the file, else the suite."""
    base = suites.settings(options.suite)
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


def measured(whole: Bench, asked: Bench) -> Bench:
    """The bench with the pace of every environment asked for; those known from before aren't tried again."""
    from eureka_loop.report.bench.calibrate import measure
    from eureka_loop.report.terminal import terminal, waiting

    tasks = [task for task in asked.chosen().values() if task.env_id not in whole.paces]
    if not tasks:
        return whole
    with waiting(MEASURING, log=terminal()):
        return replace(whole, paces={**whole.paces, **measure(tasks, whole.config)})


def estimated(whole: Bench, asked: Bench) -> dict[str, Estimate]:
    """Task → what one search of it takes."""
    from eureka_loop.propose.llm.prices import Prices

    prices = Prices.load()

    def one(task: Task) -> Estimate:
        return of_search(task, asked.config, whole.paces[task.env_id], prices)

    return {name: one(task) for name, task in asked.chosen().items()}


def tell(whole: Bench, folder: Path, left: Sequence[Search], estimates: Mapping[str, Estimate]) -> None:
    """Say what would be done."""
    from eureka_loop.execute import machine
    from eureka_loop.report.bench.terminal import print_plan

    workers = machine.share(machine.look(), whole.config.jobs).workers
    wanted = total(estimates[search.task] for search in left)
    print_plan(whole, folder, len(left), estimates, wanted, workers)


def _agreed() -> bool:
    try:
        return input("Start? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
