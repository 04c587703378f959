"""`eureka compare`: train rewards side by side, then show which is better."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, cast, get_args

import tyro

from eureka_loop import files
from eureka_loop.cli.run import say_unmarked
from eureka_loop.config import RunConfig, slug
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.foreign import require_known_env, unconfirmed
from eureka_loop.options import optional, parse
from eureka_loop.records import Algorithm, references
from eureka_loop.report.compare.setup import SETUP, Setup, begin, distinct, from_file, named, winner
from eureka_loop.store import Run


@dataclass(frozen=True)
class CompareOptions:
    """Train rewards side by side from scratch, on seeds that no search has seen, and say which is better.

    What is trained is kept: the same command goes on where it was stopped, and more --seeds add to it.
    """

    rewards: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN | A.py B.py...")]
    """A finished run, whose winner is compared; or reward files, the first with the others."""
    others: Annotated[str | None, tyro.conf.arg(name="with"), optional("NAMES")] = None
    """References: human, sparse, native, a reward file, another run; with commas. Default: human,sparse."""
    task: Annotated[str | None, optional("NAME")] = None
    """The task that files are compared on: a name from `eureka tasks`."""
    seeds: int = 10
    """Trainings of each reward."""
    steps: Annotated[int | None, optional("N")] = None
    """Environment steps of each training. Default: the run's; for files 100,000."""
    algo: Annotated[str | None, optional("ALGO")] = None
    """ppo, sac, or both: ppo,sac. Default: the run's; for files ppo."""
    judge_episodes: Annotated[int | None, optional("N")] = None
    """Episodes in which a final policy is judged. Default: the run's; for files 10."""
    margin: Annotated[float | None, optional("FITNESS")] = None
    """Difference in fitness below which rewards are as good. Default: the run's; else see docs/compare.md."""
    seed: Annotated[int | None, optional("N")] = None
    """Fresh seeds of the report of a run with this --seed, 0 to 999. Default: the run's; for files 0."""
    jobs: int = 0
    """Trainings at once; 0: one a core."""
    out: Annotated[Path | None, optional("DIR")] = None
    """The comparison's folder. Default: RUN/compare/...; for files and others' runs runs/compare-...."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run the programs even where the sandbox is weaker than `strict`."""


def compare(words: list[str]) -> int:
    """Compare a run's winner, or files, with other rewards."""
    options = parse(CompareOptions, "compare", words)
    from eureka_loop.report.compare import train
    from eureka_loop.report.compare.results import ComparisonResults
    from eureka_loop.report.compare.view import documents, summary
    from eureka_loop.report.layout import LOOKING, print_lines, show, terminal, waiting
    from eureka_loop.report.live import Live
    from eureka_loop.report.pages import write

    setup = setup_of(options, shlex.join(["eureka", "compare", *words]))
    folder = options.out or default_folder(options, setup)
    if setup.entries[0].run and not Run(Path(setup.entries[0].run)).made_here:
        print_lines(f"{setup.entries[0].run} was not made here: what is trained goes into {folder}")
    say_unmarked()
    setup = begin(setup, folder)
    try:
        with contextlib.ExitStack() as stack:
            with waiting(LOOKING, log=terminal()):
                runs = stack.enter_context(train.prepared(setup, folder))
            for run in runs:
                with Live(run) as live:
                    train.train(setup, run, options.jobs, live)
    except KeyboardInterrupt:
        print_lines("Stopped: interrupted", f"Go on with: {setup.command}")
        return 130
    found = ComparisonResults.of(folder)
    paths = write(folder, documents(found))
    files.write_json(folder / SETUP, replace(setup, looks=(*setup.looks, setup.seeds)))
    show(summary(found))
    print_lines("", *(f"Report: {path}" for path in paths))
    return 0


def setup_of(options: CompareOptions, command: str) -> Setup:
    """The comparison that the options ask for.

    Raises:
        BadInput: too few rewards, a run and files together, an unfinished run, a value out of range.
    """
    rewards = options.rewards
    names = [name.strip() for name in (options.others or "").split(",") if name.strip()]
    folders = [path for path in rewards if path.is_dir() or not (path.exists() or path.suffix == ".py")]
    if not rewards or (folders and len(rewards) > 1):
        raise BadInput(
            "give one run, or reward files: `eureka compare RUN`, `eureka compare a.py b.py --task NAME`"
        )
    if folders:
        run = Run.open(folders[0])
        if options.task is not None:
            raise BadInput(f"{folders[0]} is a run and has its own task: leave --task out")
        base, task, firsts, here = run.config, run.task(), [winner(run)], run.made_here
        require_known_env(run)
        doubtful = unconfirmed(base, task, here=here)
        base = replace(base, drafted="unconfirmed" if doubtful else base.drafted)
        if options.others is None:
            names = [each.id for each in references(task)]
    elif options.task is None:
        raise BadInput(f"say which task: `eureka compare {' '.join(map(str, rewards))} --task NAME`")
    else:
        base, task = RunConfig(task=options.task), find_task(options.task)
        firsts, here = [from_file(path) for path in rewards], True
    if not 1 <= options.seeds <= 100:
        raise BadInput(f"--seeds {options.seeds} is out of range: give 1 to 100")
    given = {name: getattr(options, name) for name in ("steps", "judge_episodes", "margin", "seed", "jobs")}
    config = replace(
        base,
        **{name: value for name, value in given.items() if value is not None},
        report_seeds=options.seeds,
        allow_reduced_sandbox=options.allow_reduced_sandbox or (base.allow_reduced_sandbox and here),
    )
    config = replace(config, steps=find_domain(task.env_id).training_steps(config.algo, config.steps))
    found = distinct([*firsts, *(named(name, task) for name in names)])
    algorithms = (options.algo or config.algo).split(",")
    for algorithm in algorithms:
        if algorithm not in get_args(Algorithm):
            hint = "give ppo, sac or ppo,sac"
            raise UnknownName("algorithm", algorithm, get_args(Algorithm), hint=hint)
    chosen = cast(tuple[Algorithm, ...], tuple(dict.fromkeys(algorithms)))
    return Setup(task, found, chosen, config, options.seeds, command)


def default_folder(options: CompareOptions, setup: Setup) -> Path:
    """The same for the same question, so that asking again goes on; not within a run of somebody else."""
    budget = f"{setup.config.steps}-steps-seed-{setup.config.seed}"
    if (won := setup.entries[0].run) and Run(Path(won)).made_here:
        return Path(won) / "compare" / budget
    digest = sha256("\n".join(each.id for each in setup.entries).encode()).hexdigest()[:6]
    name = slug(options.rewards[0].resolve().stem)
    return Path("runs") / f"compare-{setup.task.name}-{name}-{digest}-{budget}"
