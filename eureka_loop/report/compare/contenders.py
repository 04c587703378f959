"""The rewards that are compared: a run's winner, the task's own references, files, winners of other runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput, Refused, UnknownName
from eureka_loop.records import Candidate, Task
from eureka_loop.references import NATIVE, references
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.run_folder import slug
from eureka_loop.store import Run

WORDS = ("human", "sparse", "native")  # what --with takes beside files and runs


@dataclass(frozen=True, slots=True)
class Contender:
    """One reward in a comparison.

    Attributes:
        id: names its folder.
        label: what reports call it: "winner g1-02", "hand-written", "mine.py".
        origin: where it comes from, for who wants to repeat it.
    """

    id: str
    label: str
    source: str
    origin: str = ""

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.id, 0, self.source, "given", note=self.origin)


def winner(run: Run) -> Contender:
    """The reward that a finished run has chosen.

    Raises:
        BadInput: the run hasn't finished.
    """
    chosen = [event["winner"] for event in run.events() if event["event"] == "finished"]
    if not chosen:
        raise BadInput(f"{run.folder} is not finished, so it has no winner yet: `eureka resume {run.folder}`")
    id = str(chosen[-1])
    return Contender(id, f"winner {id}", run.candidate(id).source, f"winner of {run.folder}")


def from_files(paths: Sequence[Path]) -> list[Contender]:
    """
    Raises:
        BadInput: a file can't be read.
    """
    return told_apart(from_file(path) for path in paths)


def from_file(path: Path) -> Contender:
    """A reward program's file; its content is part of the id, so that a changed file is another reward.

    Raises:
        BadInput: it can't be read.
    """
    source = files.read_text(path, BadInput)
    return Contender(f"{slug(path.stem)}-{digest(source)}", path.name, source, str(path))


def named(words: Iterable[str], task: Task, of: Run | None) -> list[Contender]:
    """What --with names.

    Args:
        words: "human", "sparse", "native", a reward program's file, or a run's folder.
        of: the run whose winner is compared, if it is one; another run must be about the same.

    Raises:
        BadInput: the task has no such reward, a run isn't finished or about another task, no such file.
    """
    return told_apart(_named(word.strip(), task, of) for word in words if word.strip())


def _named(word: str, task: Task, of: Run | None) -> Contender:
    if word in WORDS:
        return _reference(word, task)
    path = Path(word)
    if path.is_dir():
        return _winner_beside(Run.open(path), task, of)
    if not path.exists() and path.suffix != ".py" and "/" not in word:
        raise UnknownName("reward", word, WORDS, hint=f"give {', '.join(WORDS)}, a file or a run's folder")
    return from_file(path)


def _reference(word: str, task: Task) -> Contender:
    known = {each.id: each for each in references(task)}
    known.setdefault("native", Candidate("native", 0, NATIVE, "native", note=f"what {task.env_id} returns"))
    if word not in known:
        kind = "hand-written" if word == "human" else word
        raise BadInput(f"task {task.name!r} has no {kind} reward; give one of your own: --with mine.py")
    label = {"human": "hand-written", "native": "the env's own"}.get(word, word)
    return Contender(word, label, known[word].source, known[word].note)


def _winner_beside(run: Run, task: Task, of: Run | None) -> Contender:
    found, about = winner(run), run.task()
    if (about.env_id, about.env_kwargs, about.fitness) != (task.env_id, task.env_kwargs, task.fitness):
        what = f"{run.folder} is about {about.name!r} on {about.env_id}"
        raise BadInput(f"{what}, this about {task.name!r} on {task.env_id}: their fitness isn't the same")
    if of is not None and run.folder.resolve() == of.folder.resolve():
        raise BadInput(f"{run.folder} would be compared with itself; leave it out of --with")
    name = run.folder.resolve().name
    short = name.removesuffix(f"-{slug(about.name)}") or name
    return Contender(f"{slug(name)}-{found.id}", f"{found.id} of {short}", found.source, found.origin)


def told_apart(contenders: Iterable[Contender]) -> list[Contender]:
    """The same, each id once, and each label: files of one name are called by their paths."""
    found = list({each.id: each for each in contenders}.values())
    labels = Counter(each.label for each in found)
    return [replace(each, label=each.origin) if labels[each.label] > 1 else each for each in found]


def readable(contenders: Iterable[Contender], task: Task, vocabulary: Vocabulary) -> None:
    """
    Raises:
        BadInput: one is no reward program for this task; its first problem, on one line.
    """
    for each in contenders:
        try:
            check(each.source, vocabulary, hidden=True)
        except Refused as refused:
            more = len(refused.problems) - 1
            others = f" (and {more} more problem{'s' if more > 1 else ''})" if more else ""
            problem = f"{refused.problems[0]}".replace("\n", " ")
            raise BadInput(f"{each.label} can't be used for {task.name!r}: {problem}{others}") from refused


def digest(source: str) -> str:
    """Six hex digits that name a program."""
    return sha256(source.encode()).hexdigest()[:6]
