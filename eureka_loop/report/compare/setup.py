"""The rewards and settings of a comparison, before anything is trained; kept in comparison.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eureka_loop import files
from eureka_loop.config import RunConfig, slug
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import NATIVE, Algorithm, Candidate, Id, Task, references
from eureka_loop.seeds import seeds
from eureka_loop.store import REFERENCES, Run
from eureka_loop.text import LABELS

SETUP = "comparison.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One reward in a comparison.

    Attributes:
        id: name of its folder.
        label: name in reports: "winner g1-02", "hand-written", "mine.py".
        origin: run, file or publication that it comes from.
        run: folder of the run that it has won; "" where it comes from none.
    """

    id: Id
    label: str
    source: str
    origin: str = ""
    run: str = ""

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.id, 0, self.source, "given", note=self.origin)


def winner(run: Run) -> Entry:
    """The reward that a run has chosen.

    Raises:
        BadInput: the run hasn't finished.
    """
    chosen = [str(event["winner"]) for event in run.events() if event["event"] == "finished"]
    if not chosen:
        raise BadInput(f"{run.folder} is not finished, so it has no winner yet: `eureka resume {run.folder}`")
    source, origin = run.candidate(chosen[-1]).source, f"winner of {run.folder}"
    return Entry(chosen[-1], f"winner {chosen[-1]}", source, origin, str(run.folder))


def from_file(path: Path) -> Entry:
    """A reward program's file; its content is part of the id, so that a changed file is another reward.

    Raises:
        BadInput: it can't be read.
    """
    source = files.read_text(path, BadInput)
    digest = sha256(source.encode()).hexdigest()[:6]
    return Entry(f"{_id(path.stem)}-{digest}", path.name, source, str(path))


def _id(name: str) -> str:
    """The beginning of an id, which is in ASCII."""
    return slug(name.encode("ascii", "ignore").decode())


def named(name: str, task: Task) -> Entry:
    """The reward that one name of --with refers to: "human", "sparse", "native", a file, or a run's folder.

    Raises:
        BadInput: the task has no such reward, a run isn't finished or has another fitness, no such file.
    """
    path = Path(name)
    if name in REFERENCES:
        native = Candidate("native", 0, NATIVE, "native", note=f"reward of {task.env_id}")
        known = {"native": native, **{each.id: each for each in references(task)}}
        if name not in known:
            raise BadInput(
                f"task {task.name!r} has no {LABELS[name]} reward; give one of your own: --with mine.py"
            )
        return Entry(name, LABELS[name], known[name].source, known[name].note)
    if path.is_dir():
        run = Run.open(path)
        found, other = winner(run), run.task()
        if (other.env_id, other.env_kwargs, other.fitness) != (task.env_id, task.env_kwargs, task.fitness):
            raise BadInput(
                f"{run.folder} is about {other.name!r} on {other.env_id}, this about {task.name!r} on "
                f"{task.env_id}: their fitness isn't the same"
            )
        folder = run.folder.resolve().name
        return replace(found, id=f"{_id(folder)}-{found.id}", label=f"{found.id} of {folder}")
    if not path.exists() and path.suffix != ".py" and "/" not in name:
        hint = f"give {', '.join(REFERENCES)}, a file or a run's folder"
        raise UnknownName("reward", name, REFERENCES, hint=hint)
    return from_file(path)


def distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries, each once; those with the same label are labelled by their paths.

    Raises:
        BadInput: there is only one.
    """
    found: dict[str, Entry] = {}
    for each in entries:
        found.setdefault(each.run or each.id, each)
    labels = [each.label for each in found.values()]
    if len(found) < 2:
        raise BadInput(f"{labels[0]} is the only reward given; name one to compare it with: --with mine.py")
    return tuple(
        replace(each, label=each.origin) if labels.count(each.label) > 1 else each for each in found.values()
    )


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
    entries: Annotated[tuple[Entry, ...], Field(min_length=2)]
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)]
    config: RunConfig
    seeds: int
    command: str
    looks: tuple[int, ...] = ()

    @property
    def training_seeds(self) -> tuple[int, ...]:
        return seeds("report_training", self.config.seed, self.seeds)

    @property
    def judging_seeds(self) -> tuple[int, ...]:
        return seeds("report", self.config.seed, self.config.judge_episodes)

    def config_of(self, algorithm: Algorithm) -> RunConfig:
        """Configuration of one algorithm's trainings: from scratch to the end, without savings of a search.

        Settings of another algorithm are left out: hyperparameters are then the domain's.
        """
        config = self.config
        plain = replace(config, algo=algorithm, steady=False, bank=False, relabel=0)
        if algorithm != config.algo:
            return replace(plain, hyperparameters={}, trainer=None)
        return replace(plain, trainer="sb3" if config.trainer == "sb3" else None)


def begin(setup: Setup, folder: Path) -> Setup:
    """The setup with the looks that the folder has recorded; writes nothing.

    Raises:
        BadInput: the folder holds another comparison: only seeds, algorithms and references may be added.
        Damaged: it holds a link or a special file.
    """
    files.require_plain(folder)
    path = folder / SETUP
    if not path.exists():
        return setup
    before = files.read_json(path, Setup)
    sources = {each.id: each.source for each in before.entries}
    changed = any(sources.get(each.id, each.source) != each.source for each in setup.entries)
    if changed or _question(before) != _question(setup):
        raise BadInput(f"{folder} holds another comparison (`{before.command}`); choose another --out")
    return replace(setup, looks=before.looks)


def _question(setup: Setup) -> tuple[object, ...]:
    config = setup.config
    budget = config.steps, config.seed, config.judge_episodes, config.margin
    return setup.task.name, setup.entries[0].id, *budget
