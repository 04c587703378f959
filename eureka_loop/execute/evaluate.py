"""Candidates → jobs → results.

What has a result on disk is not trained again; that is all that resuming takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.execute.budget import Deadline
from eureka_loop.execute.engine import Engine
from eureka_loop.execute.group import Group, Stretch
from eureka_loop.records import SNAPSHOT, Candidate, Job, Later, Rung, Task, Training
from eureka_loop.results import Evaluated, Failed, Halted, Trained, stands
from eureka_loop.seeds import is_report
from eureka_loop.store import Run, read_result


@dataclass(frozen=True, slots=True)
class Plan:
    """How every reward of a run is trained: the same for all that are compared."""

    task: Task
    training: Training
    steps: int


BeginWith = Callable[[int], Sequence[Path]]  # generation → files of episodes
Told = Set[tuple[str, int, int | None]]  # candidate, seed, rung


def nothing(_: int) -> Sequence[Path]:
    """No generation begins with anything."""
    return ()


class Evaluation:
    """Trains and judges candidates through an engine, and records it in the run."""

    def __init__(
        self, run: Run, engine: Engine, plan: Plan, deadline: Deadline, begin_with: BeginWith = nothing
    ) -> None:
        """`begin_with` says which recorded episodes the search's trainings of a generation begin with."""
        self._run, self._engine, self._plan, self._deadline = run, engine, plan, deadline
        self._begin_with = begin_with

    def evaluate(
        self,
        candidates: Sequence[Candidate],
        training: Sequence[int],
        judging: Sequence[int],
        *,
        report: bool = False,
        rung: Rung | None = None,
    ) -> list[Evaluated]:
        """Every candidate trained once per training seed, in the order given; see `stream`."""
        found = self.stream(candidates, Stretch(training, judging, report, rung))
        by_id = {each.candidate.id: each for each in found}
        return [by_id[each.id] for each in candidates]

    def stream(self, candidates: Iterable[Candidate | Later], stretch: Stretch) -> Iterator[Evaluated]:
        """Each candidate as soon as the last of its trainings has ended, while others may still come.

        One that failed before is left as it is.
        """
        group, told = Group(), self._told()
        folders = self._folders(candidates, stretch, group, told)
        for folder in self._engine.run(folders, _Progress(self._run, group.jobs, self._deadline)):
            if folder is not None:
                self._record(folder, stretch.early)
                group.end(folder)
            yield from self._ended(group, stretch)
        yield from self._ended(group, stretch)

    def _folders(
        self, candidates: Iterable[Candidate | Later], stretch: Stretch, group: Group, told: Told
    ) -> Iterator[Path | Later]:
        """Folders of the trainings that are missing."""
        for each in candidates:
            if isinstance(each, Later):
                yield Later(each.coming * len(stretch.training))
                continue
            jobs = self._missing(each, stretch, told)
            group.begin(each, jobs)
            yield from jobs

    def _missing(self, candidate: Candidate, stretch: Stretch, told: Told) -> dict[Path, Job]:
        """The trainings that a candidate still needs, each with its folder."""
        if not stretch.report and self._run.failure(candidate.id) is not None:
            return {}
        jobs = {}
        for seed in stretch.training:
            result = self._run.result(candidate.id, seed, stretch.early)
            if self._to_do(result, candidate, stretch):
                job = self._job(candidate, seed, stretch.judging, stretch.rung)
                jobs[self._run.write_job(job, stretch.early)] = job
            elif (candidate.id, seed, stretch.early) not in told:
                self._record(self._run.job_folder(candidate.id, seed, stretch.early), stretch.early)
        return jobs

    def _to_do(self, result: Trained | Failed | None, candidate: Candidate, stretch: Stretch) -> bool:
        """Whether there is no result yet, or that of a crash in an earlier life, which is tried again.

        Not in a search that has gone on from there: what was written and chosen since goes by what came out.
        """
        if result is None or stands(result):
            return result is None
        return stretch.report or candidate.generation not in self._settled()

    def _settled(self) -> set[int]:
        """Generations of which somebody was halted, or ranked."""
        found = {
            event["generation"]
            for event in self._run.events()
            if event["event"] == "ranked" and event["order"]
        }
        halted = (str(event["id"]) for event in self._run.events() if event["event"] == "halted")
        return found | {self._run.candidate(id).generation for id in halted}

    def _ended(self, group: Group, stretch: Stretch) -> Iterator[Evaluated]:
        """Those whose last training has ended since the last call."""
        while group.ended:
            id, early = group.ended.pop(0).id, stretch.early
            if stretch.rung is not None:
                for seed in stretch.training:
                    self._forget(id, seed, stretch.rung.number - 1)
            if early is not None:
                yield self._run.evaluated_at(id, early)
            else:
                yield self._run.evaluated(id, report=stretch.report)

    def halt(self, halted: Halted) -> None:
        """Record that a candidate's training ends early; again, after an interruption, changes nothing."""
        self._run.write_halted(halted)
        for seed in self._run.training_seeds(halted.candidate, halted.rung):
            self._forget(halted.candidate, seed, halted.rung)
        told = {each["id"] for each in self._run.events() if each["event"] == "halted"}
        if halted.candidate not in told:
            said = files.plain(halted)
            self._run.event("halted", id=said.pop("candidate"), **said)

    def _forget(self, id: str, seed: int, rung: int) -> None:
        """What going on from a rung takes, once nobody will: the largest file there is."""
        (self._run.job_folder(id, seed, rung) / SNAPSHOT).unlink(missing_ok=True)

    def _job(self, candidate: Candidate, seed: int, judging: Sequence[int], rung: Rung | None) -> Job:
        training = self._plan.training
        return Job(
            candidate=candidate.id,
            seed=seed,
            task=self._plan.task,
            source=candidate.source,
            algorithm=training.algorithm,
            steps=self._plan.steps,
            hyperparameters=training.hyperparameters,
            judge_seeds=tuple(judging),
            trainer=training.trainer,
            keep_episode=training.bank and not is_report(seed),
            until=None if rung is None or rung.last else rung.steps,
            after=self._after(candidate.id, seed, rung),
            begin_with=self._episodes(candidate, seed),
        )

    def _episodes(self, candidate: Candidate, seed: int) -> tuple[str, ...]:
        """What a training of the search begins with; the report's, all alike, with nothing."""
        if is_report(seed):
            return ()
        here = self._run.job_folder(candidate.id, seed)
        return tuple(os.path.relpath(path, here) for path in self._begin_with(candidate.generation))

    def _after(self, id: str, seed: int, rung: Rung | None) -> str:
        """Where a training stopped that goes on now; "" where it begins."""
        if rung is None or not rung.number or self._run.result(id, seed, rung.number - 1) is None:
            return ""
        here = self._run.job_folder(id, seed, None if rung.last else rung.number)
        return os.path.relpath(self._run.job_folder(id, seed, rung.number - 1), here)

    def _told(self) -> Told:
        """What has an event; a result may lack one, if an earlier life of the run could write it no more."""
        return {
            (each["id"], each["seed"], each.get("rung"))
            for each in self._run.events()
            if each["event"] in ("trained", "reached", "failed")
        }

    def _record(self, folder: Path, early: int | None) -> None:
        rung = {} if early is None else {"rung": early}
        match read_result(folder):
            case Trained() as done:
                self._run.event(
                    "trained" if early is None else "reached",
                    id=done.candidate,
                    seed=done.seed,
                    fitness=done.fitness,
                    success=done.success,
                    seconds=round(done.seconds, 2),
                    **(rung and {**rung, "step": done.steps}),
                )
            case Failed() as failed:
                who = {"id": failed.candidate, "seed": failed.seed, **rung}
                self._run.event("failed", **who, kind=failed.kind, message=failed.message)


class _Progress:
    """Turns the engine's ticks into passing events, from the progress files alone."""

    def __init__(self, run: Run, jobs: Mapping[Path, Job], deadline: Deadline) -> None:
        self._run, self._jobs, self._deadline = run, jobs, deadline
        self._seen: dict[Path, int] = {}

    def started(self, folder: Path) -> None:
        self._run.event("training", **self._who(folder))

    def tick(self, active: Sequence[Path]) -> None:
        self._deadline.check()
        for folder in active:
            path = folder / "progress.jsonl"
            size = path.stat().st_size if path.exists() else 0
            if size == self._seen.get(folder, 0):
                continue
            self._seen[folder] = size
            last = files.last_line(path)
            if last is not None:
                self._run.passing("progress", **self._who(folder), **last)

    def _who(self, folder: Path) -> Mapping[str, Any]:
        job = self._jobs[folder]
        return {"id": job.candidate, "seed": job.seed, "steps": job.steps}
