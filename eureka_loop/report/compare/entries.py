"""The rewards in a comparison: a run's winner, the task's references, files, winners of other runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Candidate, Task
from eureka_loop.references import NATIVE, references
from eureka_loop.report.text import LABELS
from eureka_loop.store import REFERENCES, Run, slug


@dataclass(frozen=True, slots=True)
class Entry:
    """One reward in a comparison.

    Attributes:
        id: name of its folder.
        label: name in reports: "winner g1-02", "hand-written", "mine.py".
        origin: run, file or publication that it comes from.
        run: folder of the run that it has won; "" where it comes from none.
    """

    id: str
    label: str
    source: str
    origin: str = ""
    run: str = ""

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.id, 0, self.source, "given", note=self.origin)


def of_run(run: Run, names: str | None) -> tuple[Entry, ...]:
    """The winner of a run, then what `names` lists (separated by commas), by default the task's references.

    Raises:
        BadInput: the run isn't finished, or what is named can't be compared with it.
    """
    task = run.task()
    others = [each.id for each in references(task)] if names is None else _split(names)
    return distinct([winner(run), *(named(name, task, run) for name in others)])


def of_files(paths: Iterable[Path], names: str | None, task: Task) -> tuple[Entry, ...]:
    """Reward files, then what `names` lists.

    Raises:
        BadInput: a file can't be read, or what is named can't be compared with it.
    """
    others = [named(name, task, None) for name in _split(names or "")]
    return distinct([*map(from_file, paths), *others])


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def winner(run: Run) -> Entry:
    """The reward that a finished run has chosen.

    Raises:
        BadInput: the run hasn't finished.
    """
    chosen = [event["winner"] for event in run.events() if event["event"] == "finished"]
    if not chosen:
        raise BadInput(f"{run.folder} is not finished, so it has no winner yet: `eureka resume {run.folder}`")
    id = str(chosen[-1])
    origin = f"winner of {run.folder}"
    return Entry(id, f"winner {id}", run.candidate(id).source, origin, str(run.folder))


def from_file(path: Path) -> Entry:
    """A reward program's file; its content is part of the id, so that a changed file is another reward.

    Raises:
        BadInput: it can't be read.
    """
    source = files.read_text(path, BadInput)
    digest = sha256(source.encode()).hexdigest()[:6]
    return Entry(f"{slug(path.stem)}-{digest}", path.name, source, str(path))


def named(name: str, task: Task, beside: Run | None) -> Entry:
    """The reward that one name of --with refers to.

    Args:
        name: "human", "sparse", "native", a reward program's file, or a run's folder.
        beside: the run that is compared, if any; another run must have the same fitness.

    Raises:
        BadInput: the task has no such reward, a run isn't finished or has another fitness, no such file.
    """
    if name in REFERENCES:
        return _reference(name, task)
    path = Path(name)
    if path.is_dir():
        return _other_winner(Run.open(path), task, beside)
    if not path.exists() and path.suffix != ".py" and "/" not in name:
        hint = f"give {', '.join(REFERENCES)}, a file or a run's folder"
        raise UnknownName("reward", name, REFERENCES, hint=hint)
    return from_file(path)


def _reference(name: str, task: Task) -> Entry:
    known = {each.id: each for each in references(task)}
    known.setdefault("native", Candidate("native", 0, NATIVE, "native", note=f"reward of {task.env_id}"))
    if name not in known:
        raise BadInput(
            f"task {task.name!r} has no {LABELS[name]} reward; give one of your own: --with mine.py"
        )
    return Entry(name, LABELS[name], known[name].source, known[name].note)


def _other_winner(run: Run, task: Task, beside: Run | None) -> Entry:
    found, other = winner(run), run.task()
    if (other.env_id, other.env_kwargs, other.fitness) != (task.env_id, task.env_kwargs, task.fitness):
        raise BadInput(
            f"{run.folder} is about {other.name!r} on {other.env_id}, this about {task.name!r} on "
            f"{task.env_id}: their fitness isn't the same"
        )
    if beside is not None and run.folder.resolve() == beside.folder.resolve():
        raise BadInput(f"{run.folder} would be compared with itself; leave it out of --with")
    name = run.folder.resolve().name
    return replace(found, id=f"{slug(name)}-{found.id}", label=f"{found.id} of {name}")


def distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries with each id once and each label once: files of one name are labelled by their paths.

    Raises:
        BadInput: there is only one.
    """
    found = list({each.id: each for each in entries}.values())
    if len(found) < 2:
        first = found[0].label
        raise BadInput(f"there is nothing to compare {first} with: give another reward, --with mine.py")
    labels = Counter(each.label for each in found)
    return tuple(replace(each, label=each.origin) if labels[each.label] > 1 else each for each in found)
