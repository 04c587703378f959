"""Lessons across runs: measured differences between rewards, kept beside the runs for later prompts.

`lessons.json` is in the folder that runs go to, so it belongs to a project, is seen beside the runs that it
rests on, and can be removed with them. Only a file that this user has written counts; see `provenance`. A
run's own `lessons.json` is the copy of those that its designer is given.

A lesson is a difference in mean fitness over several trainings each, between a program and its parent whose
terms differ by little, or between a run's winner and the hand-written reward. Terms are named by the
observables that they are computed from, so that no text of a model gets into a later prompt.
"""

from __future__ import annotations

import fcntl
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from eureka_loop import files, provenance
from eureka_loop.config import RunConfig
from eureka_loop.judge.statistics import LEVEL, PermutationTest, paired
from eureka_loop.numbers import compact, plural
from eureka_loop.records import Count, Id, Seed, Task
from eureka_loop.results import Evaluated, Trained
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.lineage import observables_of_terms
from eureka_loop.seeds import seeds
from eureka_loop.store import REFERENCES, Run

FILE = ("lessons.json",)  # with its digest; see `provenance`
MOST_KEPT = 200
MOST_SHOWN = 8  # in a prompt
MOST_CHANGED = 3  # terms between parent and child: of more nobody can tell which one mattered
WIDEST = 4  # observables of a term
LIKE = 0.5  # likeness from which a lesson is shown; the same environment alone is as much
LONGEST_NOTE = 200  # characters
UNGUIDED = ("templates", "replay")  # designers that are given none

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
EnvId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]


@dataclass(frozen=True, slots=True)
class Term:
    """A term by what it is computed from, and its sign in training."""

    observables: Annotated[tuple[Name, ...], Field(min_length=1, max_length=WIDEST)]
    sign: Literal["never negative", "never positive", "of both signs"]

    def __str__(self) -> str:
        return f"{' and '.join(f'`{each}`' for each in self.observables)} ({self.sign})"


Terms = Annotated[tuple[Term, ...], Field(max_length=32)]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A difference in fitness that was measured.

    Attributes:
        text: the task's, for likeness alone; it is not shown.
        terms: added to the parent; or all of the winner.
        without: terms of the parent that were left out.
        beside: what it was compared with.
        difference: of mean fitness, with its interval; from the latest run that agrees.
        trainings: of each side.
        held, against: runs that agree, and that contradict it.
        runs: names of their folders; the latest.
        seed: of the run.
        note: the user's own words.
        measure: checksum of the fitness: tasks of the same words may have another one.
    """

    task: Id
    env: EnvId
    text: str
    terms: Terms
    without: Terms
    beside: Literal["parent", "hand-written"]
    difference: float
    low: float
    high: float
    trainings: Count
    seed: Seed
    runs: tuple[Id, ...]
    held: Count = 1
    against: Count = 0
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    measure: Count = 0

    def __str__(self) -> str:
        """One line."""
        added, dropped = ("; ".join(map(str, each)) for each in (self.terms, self.without))
        how = " and ".join(
            f"{verb} {terms}" for verb, terms in (("adding", added), ("leaving out", dropped)) if terms
        )
        size = f"{compact(abs(self.difference))}"
        low, high = sorted((abs(self.low), abs(self.high)))
        interval = f"[{compact(low)}, {compact(high)}], {self.trainings} trainings each"
        if self.beside == "parent":
            verb = "raised" if self.difference > 0 else "lowered"
            told = f"{how} {verb} fitness by {size} {interval}"
        else:
            verb = "better" if self.difference > 0 else "worse"
            told = f"a reward of {added} was {verb} than the hand-written one by {size} {interval}"
        again = f"; {self.held} runs agree" if self.held > 1 else ""
        again += f"; {plural(self.against, 'run')} against" if self.against else ""
        return f"{self.task} ({self.env}): {told}{again}{f' ({self.note})' if self.note else ''}"

    @property
    def _change(self) -> tuple[object, ...]:
        return self.task, self.env, self.measure, self.beside, frozenset(self.terms), frozenset(self.without)

    def alike(self, other: Lesson) -> Lesson | None:
        """Another measurement of the same change, of the reverse one with its sign turned; None of others."""
        if other._change == self._change:
            return other
        if self.beside == "hand-written":
            return None
        turned = replace(
            other,
            terms=other.without,
            without=other.terms,
            difference=-other.difference,
            low=-other.high,
            high=-other.low,
        )
        return turned if turned._change == self._change else None

    def after(self, found: Lesson) -> Lesson | None:
        """The same with what a further run measured; None where as many runs are against it as agree.

        A run agrees with a difference of the same sign that isn't chance, and is against it where its
        interval leaves out all that is as large.
        """
        agrees = found.low > 0 if self.difference > 0 else found.high < 0
        smaller = found.high < self.difference if self.difference > 0 else found.low > self.difference
        runs = (*self.runs, *found.runs)[-10:]
        if agrees:
            return replace(found, held=self.held + 1, against=self.against, runs=runs, note=self.note)
        changed = replace(self, against=self.against + smaller, runs=runs if smaller else self.runs)
        return None if changed.against >= changed.held else changed


def read(folder: Path) -> tuple[Lesson, ...]:
    """The lessons in a folder; () where there are none, or this user hasn't written them."""
    return files.read_json(folder / FILE[0], tuple[Lesson, ...]) if provenance.made_here(folder, FILE) else ()


def write(folder: Path, lessons: Sequence[Lesson]) -> None:
    content = files.as_json([files.plain(each) for each in lessons])
    provenance.mark(folder, FILE, content)
    files.write_bytes(folder / FILE[0], content)


def is_foreign(folder: Path) -> bool:
    """Whether a folder has lessons that this user hasn't written, or has changed by hand."""
    return (folder / FILE[0]).exists() and not provenance.made_here(folder, FILE)


def choose(config: RunConfig, task: Task, vocabulary: Vocabulary) -> list[Lesson]:
    """The lessons for a new run's designer, those of the most similar tasks first.

    All observables are of its vocabulary. A verdict on report seeds isn't given to a run that is going to be
    reported on the same ones.
    """
    if not config.lessons or config.designer in UNGUIDED:
        return []
    names, words = {*vocabulary.names()}, _words(task.text)
    found = []
    for each in read(config.out):
        own = {name for term in (*each.terms, *each.without) for name in term.observables}
        same_report = each.beside == "hand-written" and (each.task, each.seed) == (task.name, config.seed)
        theirs = _words(each.text)
        like = 0.5 * (each.env == task.env_id) + 0.5 * len(words & theirs) / len(words | theirs or {""})
        if own <= names and like >= LIKE and not same_report:
            found.append((like, each.held - each.against, each))
    found.sort(key=lambda each: each[:2], reverse=True)
    return [each for *_, each in found[:MOST_SHOWN]]


def keep(run: Run) -> list[str]:
    """Keep what a finished run has measured; a line for each lesson that is new, weaker or dropped.

    A run that wasn't made here or has a measure that nobody has confirmed gives none; no run counts twice.
    """
    config, out = run.config, run.folder.parent
    counts = config.lessons and config.drafted != "unconfirmed" and run.made_here
    found = measured(run) if counts else []
    if not found or is_foreign(out):
        return [f"No lesson is kept: {out / FILE[0]} was not written here; remove it"] if found else []
    with files.opened(out / ".lessons.lock", os.O_RDWR) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read(out)
        if any(run.folder.name in each.runs for each in before):
            return []
        after, lines = merged(before, found)
        if after != before:
            write(out, after)
    return lines


def merged(
    known: Sequence[Lesson], found: Sequence[tuple[float, Lesson]]
) -> tuple[tuple[Lesson, ...], list[str]]:
    """Lessons with a run's measurements, and what changed, in lines.

    A new lesson needs a difference that isn't chance among as many comparisons as the run has (Benjamini and
    Hochberg 1995, "Controlling the false discovery rate", at 5%).

    Args:
        found: measurements with their p values.
    """
    order = sorted(found, key=lambda each: each[0])
    passed = max((n for n, (p, _) in enumerate(order, 1) if p <= LEVEL * n / len(order)), default=0)
    lessons, lines = list(known), []
    for place, (_, new) in enumerate(order):
        at, same = next(((n, s) for n, old in enumerate(lessons) if (s := old.alike(new))), (-1, None))
        if same is None:
            if place < passed:
                lessons.append(new)
                lines.append(f"Lesson: {new}")
            continue
        old = lessons[at]
        if {*new.runs} & {*old.runs}:  # the same change twice in a run
            continue
        changed = old.after(same)
        lessons[at : at + 1] = [changed] if changed else []
        if changed != old:
            lines.append(f"Lesson {'again' if changed else 'dropped'}: {changed or old}")
    while len(lessons) > MOST_KEPT:
        lessons.remove(min(lessons, key=lambda each: each.held - each.against))
    return tuple(lessons), lines


def measured(run: Run) -> list[tuple[float, Lesson]]:
    """Every comparison of a run that may teach something, with its p value.

    Only whole trainings count that were made here. Those by which a candidate was chosen to be trained again
    are left out: the best of many single trainings is lucky.
    """
    task, config = run.task(), run.config
    again = config.confirm > config.seeds
    chosen = seeds("training", config.seed, config.seeds) if again else ()

    def of(test: PermutationTest, terms: Sequence[Term], without: Sequence[Term], *, parent: bool) -> Lesson:
        interval = test.interval()
        return Lesson(
            task=task.name,
            env=task.env_id,
            text=task.text[:1000],
            terms=tuple(terms),
            without=tuple(without),
            beside="parent" if parent else "hand-written",
            difference=interval.value,
            low=interval.low,
            high=interval.high,
            trainings=test.runs,
            seed=config.seed,
            runs=(run.folder.name,),
            measure=zlib.crc32(task.fitness.encode()),
        )

    candidates = {id: run.evaluated(id) for id in run.candidate_ids() if id not in REFERENCES}
    found = []
    for child in candidates.values():
        for parent in filter(None, map(candidates.get, child.candidate.parents)):
            sides = [_by_seed(each, chosen) for each in (child, parent)]
            ours, theirs = _terms(child), _terms(parent)
            added, dropped = (
                [each for each in a if each not in b] for a, b in ((ours, theirs), (theirs, ours))
            )
            few = 0 < len(added) + len(dropped) <= MOST_CHANGED
            if ours and theirs and few and (test := paired(*sides)):
                found.append((test.p(), of(test, added, dropped, parent=True)))
    for winner in [event["winner"] for event in run.events() if event["event"] == "finished"][-1:]:
        for reference in {"human", "native"} & {*run.candidate_ids()}:
            reports = [run.evaluated(id, report=True) for id in (winner, reference)]
            terms = _terms(reports[0])
            if terms and (test := paired(*(_by_seed(each) for each in reports))):
                found.append((test.p(), of(test, terms, [], parent=False)))
    return found


def _by_seed(evaluated: Evaluated, left_out: Iterable[int] = ()) -> dict[int, float]:
    out = {*left_out, *evaluated.elsewhere}
    return {each.seed: each.fitness for each in evaluated.trained if each.seed not in out}


def _terms(evaluated: Evaluated) -> list[Term]:
    """The terms of a trained program; [] where one isn't known, or is computed from too much."""
    read_by = observables_of_terms(evaluated.candidate.source)
    points = [point.terms for each in evaluated.trained for point in each.checkpoints]
    names = dict.fromkeys(name for each in points for name in each if not is_diagnostic(name))
    if not all(0 < len(read_by.get(name, ())) <= WIDEST for name in names):
        return []
    return list(dict.fromkeys(_term(read_by[name], name, evaluated.trained) for name in names))


def _term(observables: tuple[str, ...], name: str, trained: Sequence[Trained]) -> Term:
    found = [stats for each in trained for point in each.checkpoints if (stats := point.terms.get(name))]
    if min(each.low for each in found) >= 0:
        return Term(observables, "never negative")
    return Term(observables, "never positive" if max(each.high for each in found) <= 0 else "of both signs")


def _words(text: str) -> set[str]:
    return {*re.findall(r"[^\W_]{3,}", text.lower())}
