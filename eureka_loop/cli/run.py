"""`eureka run`, `resume` and `train`: parse the options, send a run down the line, show the outcome."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from eureka_loop.config import RunConfig, amend, load
from eureka_loop.errors import BadInput, BudgetSpent, DesignerError
from eureka_loop.options import Where, optional, parse, take, with_expression
from eureka_loop.records import Algorithm
from eureka_loop.store import Run

LIMIT_REACHED = 3  # exit status: neither done nor failed; a script may raise the limit and resume


def run(arguments: list[str]) -> int:
    """Have rewards written, trained and improved."""
    arguments, file = take(arguments, "--config")
    arguments, human = take(arguments, "--human")
    base = load(Path(file)) if file else RunConfig()
    config = parse(RunConfig, "run", with_expression(arguments), base, RUN_HELP)
    from eureka_loop.propose.choose import choice, settle
    from eureka_loop.search.describe import of_its_own

    settled = settle(of_its_own(config, base))
    created = _created(settled, human=Path(human) if human else None)
    if config.designer is None:
        print(choice(settled))
    return _go(created)


RUN_HELP = """Have rewards written, trained and improved.

--config FILE   a run.toml whose values are the defaults here
--human FILE    a hand-written reward to compare with, for a task of your own"""


@dataclass(frozen=True)
class ResumeOptions:
    """Go on where a run stopped; what is finished is kept."""

    run: Where
    """The run's folder."""
    jobs: Annotated[int | None, optional("N")] = None
    """Trainings at once, if other than before."""
    max_usd: Annotated[float | None, optional("USD")] = None
    """A new limit on money, what is spent already counted in; likewise those below."""
    max_tokens: Annotated[int | None, optional("N")] = None
    """A new limit on tokens."""
    max_hours: Annotated[float | None, optional("HOURS")] = None
    """A new limit on time."""
    max_completion_tokens: Annotated[int | None, optional("N")] = None
    """Tokens one reply may have from now on."""


LIMITS = ("max_usd", "max_tokens", "max_hours", "max_completion_tokens")


def resume(arguments: list[str]) -> int:
    """Go on where a run stopped."""
    options = parse(ResumeOptions, "resume", arguments)
    from eureka_loop.propose.choose import check
    from eureka_loop.report.inspect import print_summary
    from eureka_loop.store import settled

    run = Run.open(options.run).lock()
    if settled(run):
        with run:
            return print_summary(run)
    limits = {name: getattr(options, name) for name in LIMITS}
    changed = {name: value for name, value in limits.items() if value is not None}
    check(replace(run.config, **changed), run)
    amend(run.folder / "run.toml", changed)
    run.event("resumed", **changed)
    return _go(run, options.jobs)


@dataclass(frozen=True)
class TrainOptions:
    """Train one reward program of your own, and judge it."""

    program: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="REWARD.py")]
    """A file with `def compute_reward(...)`."""
    task: Annotated[str, optional("TASK_OR_TEXT")] = ""
    """A name from `eureka tasks`, or the task in your own words (then --env and --fitness are needed)."""
    env: Annotated[str | None, optional("ID")] = None
    """Gymnasium id, for a task in your own words."""
    fitness: Annotated[str | None, optional("EXPRESSION")] = None
    """How well the task is done: an expression over observables; its episode mean."""
    algo: Algorithm = "ppo"
    """Training algorithm."""
    trainer: Annotated[str | None, optional("{population,sb3}")] = None
    """population: many policies at once; sb3: one at a time. Default: population where it can."""
    steps: int = 100_000
    """Environment steps."""
    seeds: int = 1
    """Trainings."""
    report_seeds: int = 0
    """Trainings on fresh seeds after those, of the references beside it, too: a run's comparison."""
    judge_episodes: int = 10
    """Episodes in which a final policy is judged."""
    seed: int = 0
    """The run's seed."""
    jobs: int = 0
    """Trainings at once; 0: one a core."""
    out: Path = Path("runs")
    """Where run folders go."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run the program even where the sandbox is weaker than `strict`."""


TRAIN_HELP = """Train one reward program of your own, and judge it.

--config FILE   a run.toml whose values are the defaults here, but for --report-seeds
--human FILE    a hand-written reward to compare with, for a task of your own"""


def train(arguments: list[str]) -> int:
    """Train one reward program of the user's own."""
    arguments, file = take(arguments, "--config")
    arguments, human = take(arguments, "--human")
    base = replace(load(Path(file)) if file else RunConfig(), report_seeds=0)
    shared = [each.name for each in fields(TrainOptions) if each.name != "program"]
    defaults: dict[str, Any] = {name: getattr(base, name) for name in shared}
    defaults |= {"program": tyro.MISSING}
    options = parse(TrainOptions, "train", with_expression(arguments), TrainOptions(**defaults), TRAIN_HELP)
    if not options.task.strip():
        example = f"eureka train {options.program} --task halfcheetah-run"
        raise BadInput(f"say for which task: `{example}`; `eureka tasks` lists them")
    given: dict[str, Any] = {name: getattr(options, name) for name in shared}
    given |= {name: getattr(base, name) for name in ("hyperparameters", "max_hours", "executor")}
    config = RunConfig(**given, generations=1, samples=1)
    from eureka_loop.search.describe import of_its_own

    config = of_its_own(config, base)
    return _go(_created(config, program=options.program, human=Path(human) if human else None))


def _created(config: RunConfig, *, program: Path | None = None, human: Path | None = None) -> Run:
    """The run's folder; mistakes in the task are reported before the survey."""
    from eureka_loop.report.layout import LOOKING, terminal, waiting
    from eureka_loop.search import assemble
    from eureka_loop.search.describe import task_of

    task_of(config)
    try:
        with waiting(LOOKING, log=terminal()):
            return assemble.create(config, program=program, human=human)
    except KeyboardInterrupt:
        terminal().print(
            "Stopped: interrupted before anything was begun; nothing is left of it", soft_wrap=True
        )
        raise


def _go(run: Run, jobs: int | None = None) -> int:
    """Send a run down the line, with a live display; it is resumable after any end."""
    from eureka_loop.report.inspect import print_stopped, print_summary
    from eureka_loop.report.live import Live
    from eureka_loop.search import assemble

    with run:
        try:
            with assemble.stops_recorded(run), Live(run) as live, assemble.assembled(run, jobs) as assembly:
                run.listen(live)
                assemble.follow(assembly)
        except KeyboardInterrupt:
            print_stopped(run, "interrupted")
            return 130
        except BudgetSpent as spent:
            print_stopped(run, str(spent))
            return LIMIT_REACHED
        except DesignerError as error:
            print_stopped(run, str(error))
            raise
        return print_summary(run)
