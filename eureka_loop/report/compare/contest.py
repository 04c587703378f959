"""A comparison before anything is trained: what with what, on which seeds, and whether that is fair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_loop import files, seeds
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput
from eureka_loop.judge.agreement import Agreement
from eureka_loop.records import Algorithm, Job, Task
from eureka_loop.references import references
from eureka_loop.report.compare.contenders import Contender, from_files, named, told_apart, winner
from eureka_loop.seeds import env_seeds, is_report
from eureka_loop.store import Run

SETUP = "comparison.json"
AGREEMENT = "agreement.json"
FILMS = "films.json"
STRIDE = 100  # environments whose seeds follow a training's own; later ones are above all others


@dataclass(frozen=True, slots=True)
class Contest:
    """A comparison, as its folder's comparison.json holds it.

    Attributes:
        run: the folder of the run whose winner is compared; "" where files are.
        contenders: the one in question, then what it is compared with.
        steps: environment steps of each training.
        seeds: trainings of each contender with each algorithm.
        seed: whose report streams the seeds are from (see `eureka_loop.seeds`).
        judge_episodes: episodes in which a final policy is judged.
        command: that makes the same comparison again.
        looks: numbers of seeds at which reports were written before this one.
    """

    run: str
    task: str
    contenders: tuple[Contender, ...]
    algorithms: tuple[Algorithm, ...]
    steps: int
    seeds: int
    seed: int
    judge_episodes: int
    command: str
    looks: tuple[int, ...] = ()

    @property
    def training_seeds(self) -> tuple[int, ...]:
        return seeds.seeds("report_training", self.seed, self.seeds)

    @property
    def judging_seeds(self) -> tuple[int, ...]:
        return seeds.seeds("report", self.seed, self.judge_episodes)

    @property
    def trainings(self) -> int:
        """Of each algorithm."""
        return len(self.contenders) * self.seeds


@dataclass(frozen=True, slots=True)
class Films:
    """Videos of trained policies: shared/film-0.mp4 is the first label's, and so on.

    Attributes:
        why_not: why there are none, in a line; "" where there are.
    """

    labels: tuple[str, ...] = ()
    why_not: str = "none were made"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants compared, before anything is trained.

    Attributes:
        config: how to train: budget, overrides of hyperparameters, sandbox; its algorithm is replaced by each
            of the contest's.
        run: the run whose winner is compared, if it is one.
        searched: every run whose search must not have seen the seeds.
    """

    contest: Contest
    task: Task
    config: RunConfig
    run: Run | None = None
    searched: tuple[Run, ...] = ()


def of_run(run: Run, words: str | None, contest: Contest, config: RunConfig) -> Draft:
    """The winner of a run against what `words` name, else against the task's references.

    Args:
        contest: budget and seeds; the contenders are put in.

    Raises:
        BadInput: the run isn't finished, there is nothing to compare with, or something named can't be.
    """
    task, asked = run.task(), words.split(",") if words else [each.id for each in references(run.task())]
    contenders = told_apart([winner(run), *named(asked, task, run)])
    return _draft(contenders, contest, task, config, run, asked)


def of_files(paths: Sequence[Path], words: str | None, contest: Contest, config: RunConfig) -> Draft:
    """The first of some files against the others, and against what `words` name.

    Raises:
        UnknownName: no such task.
        BadInput: a file can't be read, or there is nothing to compare with.
    """
    task, asked = find_task(contest.task), words.split(",") if words else []
    contenders = told_apart([*from_files(paths), *named(asked, task, None)])
    return _draft(contenders, contest, task, config, None, asked)


def _draft(
    contenders: list[Contender],
    contest: Contest,
    task: Task,
    config: RunConfig,
    run: Run | None,
    asked: Sequence[str],
) -> Draft:
    if len(contenders) < 2:
        raise BadInput(
            f"there is nothing to compare {contenders[0].label} with: give another reward, --with mine.py"
        )
    others = [Run(Path(word.strip())) for word in asked if Path(word.strip()).is_dir()]
    searched = (*([run] if run else []), *others)
    return Draft(replace(contest, contenders=tuple(contenders)), task, config, run, searched)


def films(run: Run) -> Films:
    """What could be drawn."""
    path = run.folder / FILMS
    return files.read_json(path, Films) if path.exists() else Films()


def agreements(run: Run) -> list[Agreement]:
    """What `relate` wrote; nothing before it did."""
    path = run.folder / AGREEMENT
    return files.read_json(path, list[Agreement]) if path.exists() else []


def require_same(before: Contest, now: Contest, folder: Path) -> None:
    """Only more seeds, more algorithms and other references may be asked for in the same folder."""
    told = {
        "task": (before.task, now.task),
        "reward": (before.contenders[0].id, now.contenders[0].id),
        "steps": (before.steps, now.steps),
        "seed": (before.seed, now.seed),
        "judged episodes": (before.judge_episodes, now.judge_episodes),
    }
    for name, (old, new) in told.items():
        if old != new:
            raise BadInput(f"{folder} holds a comparison with {name} {old}, not {new}; choose another --out")
    sources = {each.id: each.source for each in before.contenders}
    for each in now.contenders:
        if sources.get(each.id, each.source) != each.source:
            raise BadInput(f"{folder} holds another {each.label} reward than now; choose another --out")


def require_unseen(contest: Contest, run: Run) -> None:
    """
    Raises:
        BadInput: an environment or an episode of the comparison would begin as one of the run's search did.
    """
    training = {env for seed in contest.training_seeds for env in env_seeds(seed, STRIDE)}
    wanted = training | set(contest.judging_seeds)
    for path in sorted(run.folder.glob("candidates/*/**/seed-*/job.json")):
        job = files.read_json(path, Job)
        if is_report(job.seed):
            continue  # nothing was chosen by it
        seen = {*env_seeds(job.seed, STRIDE), *job.judge_seeds} & wanted
        if seen:
            raise BadInput(
                f"seed {min(seen)} was seen by the search of {run.folder} ({job.candidate}): what "
                "was chosen on a seed can't be judged on it; choose another --seed"
            )
