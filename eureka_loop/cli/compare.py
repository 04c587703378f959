"""`eureka compare`: parse its options, have the rewards trained side by side, show the verdict."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, cast, get_args

import tyro

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.options import optional, parse
from eureka_loop.records import Algorithm
from eureka_loop.report.compare.contest import Contest, Draft
from eureka_loop.run_folder import slug
from eureka_loop.store import Run

STEPS = 100_000  # where no run says how many
EPISODES = 10  # likewise, judged ones


@dataclass(frozen=True)
class CompareOptions:
    """Train rewards side by side from scratch, on seeds that no search has seen, and say which is better.

    What is trained is kept: the same command goes on where it was stopped, and more --seeds add to it.
    """

    rewards: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN | A.py B.py...")]
    """A finished run, whose winner is compared; or reward files, the first with the others."""
    others: Annotated[str | None, tyro.conf.arg(name="with"), optional("NAMES")] = None
    """With what: human, sparse, native, a reward file, another run; with commas. Default: human,sparse."""
    task: Annotated[str | None, optional("NAME")] = None
    """Where files are compared: a name from `eureka tasks`."""
    seeds: int = 10
    """Trainings of each reward."""
    steps: Annotated[int | None, optional("N")] = None
    """Environment steps of each training. Default: the run's; for files 100,000."""
    algo: Annotated[str | None, optional("ALGO")] = None
    """ppo, sac, or both: ppo,sac. Default: the run's; for files ppo."""
    judge_episodes: Annotated[int | None, optional("N")] = None
    """Episodes in which a final policy is judged. Default: the run's; for files 10."""
    seed: Annotated[int | None, optional("N")] = None
    """Whose report seeds are taken, 0 to 999. Default: the run's; for files 0."""
    jobs: int = 0
    """Trainings at once; 0: one a core."""
    out: Annotated[Path | None, optional("DIR")] = None
    """The comparison's folder. Default: RUN/compare/..., or runs/compare-... for files."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run the programs even where the sandbox is weaker than `strict`."""

    def __post_init__(self) -> None:
        for flag, value, least, most in (
            ("--seeds", self.seeds, 1, 100),
            ("--steps", self.steps, 100, 1_000_000_000),
            ("--judge-episodes", self.judge_episodes, 1, 1000),
            ("--seed", self.seed, 0, 999),
            ("--jobs", self.jobs, 0, 1024),
        ):
            if value is not None and not least <= value <= most:
                raise BadInput(f"{flag} {value} is out of range: give {least} to {most}")


def compare(words: list[str]) -> int:
    """Compare a run's winner, or files, with other rewards."""
    options = parse(CompareOptions, "compare", words)
    from eureka_loop.report.compare import side_by_side
    from eureka_loop.report.compare.terminal import print_stopped, print_summary
    from eureka_loop.report.compare.write import write

    draft = draft_of(options)
    folder = options.out or default_folder(options, draft)
    contest = side_by_side.begin(draft, folder)
    try:
        with _arenas(draft, contest, folder) as arenas:
            for run in arenas:
                _train(contest, run, options.jobs)
    except KeyboardInterrupt:
        print_stopped(folder, contest)
        return 130
    paths = write(folder)
    side_by_side.looked(contest, folder)
    print_summary(folder, paths)
    return 0


@contextlib.contextmanager
def _arenas(draft: Draft, contest: Contest, folder: Path) -> Iterator[list[Run]]:
    """Every algorithm's, before the first training: what is wrong with the last is told at once, too."""
    from eureka_loop.report.compare.arena import arena
    from eureka_loop.report.terminal import LOOKING, terminal, waiting

    with contextlib.ExitStack() as stack:
        with waiting(LOOKING, log=terminal()):
            found = [stack.enter_context(arena(draft, folder, each)) for each in contest.algorithms]
        yield found


def _train(contest: Contest, run: Run, jobs: int) -> None:
    from eureka_loop.report.compare import side_by_side
    from eureka_loop.report.live import Live

    with Live() as live:
        try:
            side_by_side.train(contest, run, jobs, live)
        except KeyboardInterrupt:
            run.event("interrupted")
            raise


def draft_of(options: CompareOptions) -> Draft:
    """What the options ask for.

    Raises:
        BadInput: too few rewards, a run and files together, an unfinished run, and whatever else is wrong.
    """
    from eureka_loop.report.compare import contest

    rewards = options.rewards
    folders = [path for path in rewards if path.is_dir() or not (path.exists() or path.suffix == ".py")]
    if not rewards or (folders and len(rewards) > 1):
        raise BadInput(
            "give one run, or reward files: `eureka compare RUN`, `eureka compare a.py b.py --task NAME`"
        )
    if folders:
        run = Run.open(folders[0])
        if options.task is not None:
            raise BadInput(f"{folders[0]} is a run and says its task itself: leave --task out")
        config = run.config
        return contest.of_run(
            run, options.others, _contest(options, config, str(run.folder)), _config(options, config)
        )
    if options.task is None:
        raise BadInput(f"say which task: `eureka compare {' '.join(map(str, rewards))} --task NAME`")
    base = RunConfig(task=options.task, steps=STEPS, judge_episodes=EPISODES)
    return contest.of_files(rewards, options.others, _contest(options, base, ""), _config(options, base))


def _contest(options: CompareOptions, base: RunConfig, run: str) -> Contest:
    """Budget and seeds as asked for, else as the run had them."""
    algorithms = _algorithms(options.algo or base.algo)
    return Contest(
        run=run,
        task=Run(Path(run)).task().name if run else base.task,
        contenders=(),
        algorithms=algorithms,
        steps=options.steps or base.steps,
        seeds=options.seeds,
        seed=base.seed if options.seed is None else options.seed,
        judge_episodes=options.judge_episodes or base.judge_episodes,
        command=command(options),
    )


def _config(options: CompareOptions, base: RunConfig) -> RunConfig:
    """How each training is made; what of it counts for an algorithm, see `compare.arena.config_of`."""
    return replace(
        base,
        steps=options.steps or base.steps,
        judge_episodes=options.judge_episodes or base.judge_episodes,
        seed=base.seed if options.seed is None else options.seed,
        report_seeds=options.seeds,
        jobs=options.jobs,
        allow_reduced_sandbox=options.allow_reduced_sandbox or base.allow_reduced_sandbox,
    )


def _algorithms(words: str) -> tuple[Algorithm, ...]:
    known = get_args(Algorithm)
    asked = list(dict.fromkeys(word.strip().lower() for word in words.split(",") if word.strip()))
    for word in asked:
        if word not in known:
            raise UnknownName("algorithm", word, known, hint="give ppo, sac or ppo,sac")
    return tuple(cast(Algorithm, word) for word in asked) or ("ppo",)


def default_folder(options: CompareOptions, draft: Draft) -> Path:
    """The same for the same question, so that asking again goes on."""
    contest = draft.contest
    budget = f"{contest.steps}-steps-seed-{contest.seed}"
    if draft.run is not None:
        return draft.run.folder / "compare" / budget
    named = sha256("\n".join(each.id for each in contest.contenders).encode()).hexdigest()[:6]
    return Path("runs") / f"compare-{contest.task}-{slug(options.rewards[0].stem)}-{named}-{budget}"


def command(options: CompareOptions) -> str:
    """The command line that asks for the same again."""
    words = ["eureka", "compare", *map(str, options.rewards)]
    for flag, value in (
        ("--with", options.others),
        ("--task", options.task),
        ("--seeds", options.seeds),
        ("--steps", options.steps),
        ("--algo", options.algo),
        ("--judge-episodes", options.judge_episodes),
        ("--seed", options.seed),
        ("--out", options.out),
    ):
        words += [flag, str(value)] if value is not None else []
    words += ["--allow-reduced-sandbox"] if options.allow_reduced_sandbox else []
    return shlex.join(words)
