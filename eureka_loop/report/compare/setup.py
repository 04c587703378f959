"""Entries and settings of a comparison: the contents of its folder's comparison.json."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from eureka_loop import files, seeds
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.records import Algorithm, Job, Task
from eureka_loop.report.compare.entries import Entry
from eureka_loop.seeds import env_seeds, is_report
from eureka_loop.store import Run

SETUP = "comparison.json"
STRIDE = 100  # environments whose seeds follow a training's own; later ones are above all others


@dataclass(frozen=True, slots=True)
class Setup:
    """A comparison before anything is trained.

    Attributes:
        entries: the reward in question, then those that it is compared with.
        algorithms: each trains every entry.
        config: budget, hyperparameters, judging and seed as the run had them; see `config_of`.
        seeds: trainings of each entry with each algorithm.
        command: command line that makes the same comparison again.
        looks: numbers of seeds at which reports were written.
    """

    task: Task
    entries: tuple[Entry, ...]
    algorithms: tuple[Algorithm, ...]
    config: RunConfig
    seeds: int
    command: str
    looks: tuple[int, ...] = ()

    @property
    def training_seeds(self) -> tuple[int, ...]:
        return seeds.seeds("report_training", self.config.seed, self.seeds)

    @property
    def judging_seeds(self) -> tuple[int, ...]:
        return seeds.seeds("report", self.config.seed, self.config.judge_episodes)

    def config_of(self, algorithm: Algorithm) -> RunConfig:
        """Configuration of one algorithm's trainings: from scratch to the end, without savings of a search.

        Settings of another algorithm are left out: hyperparameters are then the domain's.
        """
        config = self.config
        plain = replace(config, algo=algorithm, halving=1, steady=False, bank=False, relabel=0)
        if algorithm != config.algo:
            return replace(plain, hyperparameters={}, trainer=None)
        return replace(plain, trainer="sb3" if config.trainer == "sb3" else None)


def begin(setup: Setup, folder: Path) -> Setup:
    """The setup with the looks that the folder has recorded; writes nothing.

    Raises:
        BadInput: the folder holds another comparison, or a search has seen the seeds.
    """
    for each in setup.entries:
        if each.run:
            require_unseen(setup, Run(Path(each.run)))
    path = folder / SETUP
    if not path.exists():
        return setup
    before = files.read_json(path, Setup)
    require_same(before, setup, folder)
    return replace(setup, looks=before.looks)


def record_look(setup: Setup, folder: Path) -> None:
    """Record that a report has been written with this number of seeds."""
    looks = tuple(dict.fromkeys((*setup.looks, setup.seeds)))
    files.write_json(folder / SETUP, replace(setup, looks=looks))


def require_same(before: Setup, now: Setup, folder: Path) -> None:
    """Only more seeds, more algorithms and other references may be asked for in the same folder."""
    pairs = {
        "task": (before.task.name, now.task.name),
        "reward": (before.entries[0].id, now.entries[0].id),
        "steps": (before.config.steps, now.config.steps),
        "seed": (before.config.seed, now.config.seed),
        "judged episodes": (before.config.judge_episodes, now.config.judge_episodes),
    }
    for name, (old, new) in pairs.items():
        if old != new:
            raise BadInput(f"{folder} holds a comparison with {name} {old}, not {new}; choose another --out")
    sources = {each.id: each.source for each in before.entries}
    for each in now.entries:
        if sources.get(each.id, each.source) != each.source:
            raise BadInput(f"{folder} holds another {each.label} reward than now; choose another --out")


def require_unseen(setup: Setup, run: Run) -> None:
    """
    Raises:
        BadInput: an environment or an episode of the comparison would begin as one of the run's search did.
    """
    training = {env for seed in setup.training_seeds for env in env_seeds(seed, STRIDE)}
    wanted = training | set(setup.judging_seeds)
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
