"""A comparison as it is on disk: what was compared, and for each algorithm what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.execute.budget import time_worked
from eureka_loop.judge.agreement import Agreement
from eureka_loop.judge.learning import Curves, common_steps, curves
from eureka_loop.records import Algorithm, Array, Task, Training
from eureka_loop.report import text
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import SETUP, Contest, Films, agreements, films
from eureka_loop.report.comparison import Comparison, Standing, compare
from eureka_loop.results import Evaluated
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Part:
    """One algorithm's trainings.

    Attributes:
        comparison: standings in the order of the contenders, differences of the first from each other one.
        curves: per contender, on steps that are the same for all; None where no training episode finished.
        agreements: of the first with each other one, on shared transitions.
        made_by: versions, commit, hardware.
        worked: seconds in all, interruptions left out.
        films: label and video, all from the same start; why there are none, else.
    """

    algorithm: Algorithm
    task: Task
    training: Training
    comparison: Comparison
    curves: tuple[Curves | None, ...]
    agreements: tuple[Agreement, ...]
    made_by: Mapping[str, Any]
    sandbox: Mapping[str, Any]
    worked: float
    films: tuple[tuple[str, Path], ...]
    why_no_films: str

    @property
    def standings(self) -> tuple[Standing, ...]:
        return self.comparison.standings

    @property
    def steps(self) -> int:
        """Environment steps of all finished trainings."""
        return sum(result.steps for each in self.standings for result in each.evaluated.trained)

    @property
    def reference(self) -> Standing | None:
        """Who the verdict is about: the hand-written reward, else the env's own, else the first other one."""
        others = self.standings[1:]
        known = {each.id: each for each in others}
        return known.get("human") or known.get("native") or (others[0] if others else None)


@dataclass(frozen=True, slots=True)
class Facts:
    """All of a comparison."""

    folder: Path
    contest: Contest
    parts: tuple[Part, ...]

    @property
    def task(self) -> Task:
        return self.parts[0].task

    @property
    def title(self) -> str:
        """What is compared with what."""
        first, *others = [each.label for each in self.contest.contenders]
        return f"{first} against {' and '.join(others)}"

    def source(self, contender: Contender) -> str:
        """What there is to read: a program; of the env's own reward, which is none, the env's source."""
        native = self.folder / self.contest.algorithms[0] / "task" / "native.py"
        if contender.id == "native" and native.exists():
            return files.read_text(native)
        return contender.source

    @classmethod
    def of(cls, folder: Path) -> Facts:
        """Read a comparison.

        Raises:
            RunError: a file of it is damaged or missing.
        """
        contest = files.read_json(folder / SETUP, Contest)
        return cls(folder, contest, tuple(_part(folder, each, contest) for each in contest.algorithms))


def _part(folder: Path, algorithm: Algorithm, contest: Contest) -> Part:
    run = Run.open(folder / algorithm)
    reports = tuple(_evaluated(run, each.id, contest) for each in contest.contenders)
    done = sum(len(each.results) for each in reports)
    unfinished = f"{done} of {text.plural(contest.trainings, 'training')}" if done < contest.trainings else ""
    labels, drawn = {each.id: each.label for each in contest.contenders}, films(run)
    return Part(
        algorithm=algorithm,
        task=run.task(),
        training=run.training(),
        comparison=compare(reports, unfinished=unfinished, labels=labels),
        curves=_curves(reports),
        agreements=tuple(agreements(run)),
        made_by=run.record("made_by"),
        sandbox=run.record("sandbox"),
        worked=time_worked(run.events()),
        films=_films(run, drawn),
        why_no_films=drawn.why_not,
    )


def _evaluated(run: Run, id: str, contest: Contest) -> Evaluated:
    """On the contest's seeds: an earlier, longer comparison may have left more."""
    found = run.evaluated(id, report=True)
    results = tuple(each for each in found.results if each.seed in contest.training_seeds)
    return replace(found, results=results)


def _films(run: Run, drawn: Films) -> tuple[tuple[str, Path], ...]:
    paths = [(label, run.folder / "shared" / f"film-{n}.mp4") for n, label in enumerate(drawn.labels)]
    return tuple((label, path) for label, path in paths if path.exists())


def _curves(reports: tuple[Evaluated, ...]) -> tuple[Curves | None, ...]:
    steps: Array = common_steps([result for each in reports for result in each.trained])
    return tuple(curves(each.trained, steps) for each in reports)
