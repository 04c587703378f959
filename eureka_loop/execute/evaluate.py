"""Candidates → trainings → results, through an executor and the files of the run's folder.

A training with a result on disk is not done again; that is all that resuming takes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.execute.budget import start
from eureka_loop.execute.cohorts import cut
from eureka_loop.execute.executor import Executor
from eureka_loop.execute.machine import Share
from eureka_loop.execute.requests import log_tail
from eureka_loop.records import SNAPSHOT, Candidate, Job, Rung, Task, Training
from eureka_loop.results import Evaluated, Failed, Halted
from eureka_loop.seeds import is_report
from eureka_loop.store import Run, read_result

TICK = 0.2  # s between looks at progress files
TRIES = 3  # a job whose worker ended without a result is tried again; after this many it has failed
MACHINE_ERROR = "machine_error.json"  # left by a worker where the machine, and no job, is to blame

Member = tuple[Candidate, int]  # candidate and training seed
BeginWith = Callable[[int], Sequence[Path]]  # generation → files of episodes


@dataclass(frozen=True, slots=True)
class Plan:
    """How every reward of a run is trained: the same for all that are compared."""

    task: Task
    training: Training
    steps: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of trainings."""

    training: Sequence[int]  # seeds
    judging: Sequence[int]  # seeds of the judged episodes
    report: bool = False
    rung: Rung | None = None  # how far they go, each from where the rung before left it; None: to the end

    @property
    def early(self) -> int | None:
        """The rung's number, where trainings don't end on it."""
        return None if self.rung is None or self.rung.last else self.rung.number


class Evaluation:
    """Trains and judges candidates, and records it in the run.

    Args:
        share: the planned share of a machine, which decides cohorts.
        begin_with: recorded episodes that the search's trainings of a generation begin with.
    """

    def __init__(
        self,
        run: Run,
        executor: Executor,
        plan: Plan,
        share: Share,
        begin_with: BeginWith = lambda generation: (),
    ) -> None:
        self._run, self._executor, self._plan, self._begin_with = run, executor, plan, begin_with
        self.share = share
        self._cohorts: dict[tuple[str, ...], asyncio.Task[None]] = {}
        events = list(run.events())
        ends = ("trained", "reached", "failed")
        self._recorded = {(e["id"], e["seed"], e.get("rung")) for e in events if e["event"] in ends}
        self._halted = {str(e["id"]) for e in events if e["event"] == "halted"}

    def evaluate(self, candidates: Sequence[Candidate], stage: Stage) -> list[Evaluated]:
        """`train_all` in an event loop of its own."""
        return asyncio.run(self.train_all(candidates, stage))

    async def train_all(self, candidates: Sequence[Candidate], stage: Stage) -> list[Evaluated]:
        """Every candidate trained once per training seed, in the order given."""
        members = [(candidate, seed) for candidate in candidates for seed in stage.training]
        begun = [self._after(*member, stage) != "" for member in members]
        for kind in (True, False):  # trainings that go on make cohorts of their own
            group = [member for member, goes_on in zip(members, begun, strict=True) if goes_on is kind]
            for cohort in cut(group, self.share.workers, self.share.learners):
                self._begin(cohort, stage)
        await self._ended(members, stage)
        return [self.evaluated(candidate, stage) for candidate in candidates]

    async def train(self, cohort: Sequence[Member], stage: Stage) -> None:
        """Train the members of one cohort that have no result yet."""
        self._begin(cohort, stage)
        await self._ended(cohort, stage)

    def evaluated(self, candidate: Candidate, stage: Stage) -> Evaluated:
        """A candidate with its results at a stage."""
        if stage.early is not None:
            return self._run.evaluated_at(candidate.id, stage.early)
        return self._run.evaluated(candidate.id, report=stage.report)

    def halt(self, halted: Halted) -> None:
        """Record that a candidate's training ends early; again, after an interruption, changes nothing."""
        self._run.write_halted(halted)
        self.forget(halted.candidate, halted.rung)
        if halted.candidate not in self._halted:
            self._halted.add(halted.candidate)
            values = files.plain(halted)
            self._run.event("halted", id=values.pop("candidate"), **values)

    def forget(self, id: str, rung: int) -> None:
        """Delete the snapshots of a rung from which no training will go on: they are large."""
        for path in self._run.candidate_folder(id).glob(f"rung-{rung}/seed-*/{SNAPSHOT}"):
            path.unlink()

    # cohorts

    def _begin(self, members: Sequence[Member], stage: Stage) -> None:
        """Start the trainings of a planned cohort that are missing.

        What has begun before an interruption begins again as a whole, with the members that it had then. A
        training that crashed is tried again alone.
        """
        fresh = []
        for candidate, seed in members:
            folder = self._run.job_folder(candidate.id, seed, stage.early)
            result, cohort = read_result(folder), self._cohort_of(folder)
            if isinstance(result, Failed) and result.passing and self._may_retry(candidate, stage):
                cohort = [folder]
                self._recorded.discard((candidate.id, seed, stage.early))
                self._run.write_job(self._job(candidate, seed, stage, cohort), stage.early)
            elif result is not None and all(read_result(each) is not None for each in cohort):
                self._record(folder, stage.early)
                continue
            if cohort:
                self._start(cohort, stage)
            elif stage.report or self._run.failure(candidate.id) is None:
                fresh.append((candidate, seed))
        folders = [self._run.job_folder(candidate.id, seed, stage.early) for candidate, seed in fresh]
        for candidate, seed in fresh:
            self._run.write_job(self._job(candidate, seed, stage, folders), stage.early)
        if folders:
            self._start(folders, stage)

    def _cohort_of(self, folder: Path) -> list[Path]:
        """Folders of the cohort that a job has begun in; none where it hasn't begun."""
        if not (folder / "job.json").exists():
            return []
        names = files.read_json(folder / "job.json", Job).cohort
        cohort = [self._run.folder / "candidates" / name for name in names]
        return cohort if all((each / "job.json").exists() for each in cohort) else []

    def _may_retry(self, candidate: Candidate, stage: Stage) -> bool:
        halted = {self._run.candidate(id).generation for id in self._halted}
        return stage.report or candidate.generation not in halted

    def _start(self, folders: Sequence[Path], stage: Stage) -> None:
        names = tuple(self._name(folder) for folder in folders)
        if names not in self._cohorts:
            self._cohorts[names] = start(self._complete(folders, stage))

    async def _ended(self, members: Iterable[Member], stage: Stage) -> None:
        wanted = {self._name(self._run.job_folder(each.id, seed, stage.early)) for each, seed in members}
        await asyncio.gather(*(task for names, task in self._cohorts.items() if wanted & {*names}))

    async def _complete(self, folders: Sequence[Path], stage: Stage) -> None:
        """Have a cohort trained until every member has a result: together at first, at the last alone."""
        for _ in range(TRIES - 1):
            if any(read_result(folder) is None for folder in folders):
                await self._submit(folders)
        for folder in folders:
            if read_result(folder) is None:  # the member that ends the worker of all is found
                ended = await self._submit([folder])
                if read_result(folder) is None:
                    self._give_up(folder, ended)
            self._record(folder, stage.early)

    async def _submit(self, folders: Sequence[Path]) -> str:
        """Have folders trained from the beginning, with events from their progress files.

        Raises:
            RunError: the machine, not a job, is to blame.
        """
        for path in (path for folder in folders for path in folder.iterdir() if path.name != "job.json"):
            path.unlink()
        sizes: dict[Path, int] = {}
        watch = start(self._watch(folders, sizes))
        try:
            ended = await asyncio.wrap_future(self._executor.submit(folders))
        finally:
            watch.cancel()
        self._look(folders, sizes)
        for folder in folders:
            if (folder / MACHINE_ERROR).exists():
                message = files.read_json(folder / MACHINE_ERROR, dict[str, str])["message"]
                raise RunError(f"training can't go on: {message}")
        return ended

    async def _watch(self, folders: Sequence[Path], sizes: dict[Path, int]) -> None:
        while True:
            self._look(folders, sizes)
            await asyncio.sleep(TICK)

    def _look(self, folders: Sequence[Path], sizes: dict[Path, int]) -> None:
        """Events of trainings that have begun, and passing ones of their progress since the last look.

        Args:
            sizes: bytes of the progress files at the last look.
        """
        for folder in folders:
            path = folder / "progress.jsonl"
            if not path.exists():
                continue
            job, size = files.read_json(folder / "job.json", Job), path.stat().st_size
            about = {"id": job.candidate, "seed": job.seed, "steps": job.steps}
            if folder not in sizes:
                self._run.event("training", **about)
            if size > sizes.get(folder, 0) and (last := files.last_line(path)) is not None:
                self._run.event("progress", **about, **last)
            sizes[folder] = size

    def _give_up(self, folder: Path, ended: str) -> None:
        """Write the failure that a worker could no longer write itself."""
        files.require_space(folder)  # a full disk is no fault of the candidate's
        message = (
            f"the training process ended without a result {TRIES} times, last by "
            f"{ended or 'an unknown cause'}; see {folder / 'worker.log'}"
        )
        job = files.read_json(folder / "job.json", Job)
        failed = Failed(job.candidate, "crashed", message, log_tail(folder), job.seed)
        files.write_json(folder / "result.json", failed)

    # jobs and events

    def _name(self, folder: Path) -> str:
        return folder.relative_to(self._run.folder / "candidates").as_posix()

    def _job(self, candidate: Candidate, seed: int, stage: Stage, cohort: Sequence[Path]) -> Job:
        training, rung = self._plan.training, stage.rung
        here = self._run.job_folder(candidate.id, seed)
        episodes = () if stage.report else self._begin_with(candidate.generation)
        return Job(
            candidate=candidate.id,
            seed=seed,
            task=self._plan.task,
            source=candidate.source,
            algorithm=training.algorithm,
            steps=self._plan.steps,
            hyperparameters=training.hyperparameters,
            judge_seeds=tuple(stage.judging),
            trainer=training.trainer,
            keep_episode=training.bank and not is_report(seed),
            until=None if rung is None or rung.last else rung.steps,
            after=self._after(candidate, seed, stage),
            begin_with=tuple(os.path.relpath(path, here) for path in episodes),
            cohort=tuple(self._name(folder) for folder in cohort),
        )

    def _after(self, candidate: Candidate, seed: int, stage: Stage) -> str:
        """Folder of the training that this one goes on with, relative to its own; "" where it begins."""
        rung = stage.rung
        if rung is None or not rung.number or self._run.result(candidate.id, seed, rung.number - 1) is None:
            return ""
        here = self._run.job_folder(candidate.id, seed, stage.early)
        return os.path.relpath(self._run.job_folder(candidate.id, seed, rung.number - 1), here)

    def _record(self, folder: Path, early: int | None) -> None:
        """The event of a result, once."""
        result = read_result(folder)
        assert result is not None
        if (result.candidate, result.seed, early) in self._recorded:
            return
        self._recorded.add((result.candidate, result.seed, early))
        about = {"id": result.candidate, "seed": result.seed, **({} if early is None else {"rung": early})}
        if isinstance(result, Failed):
            self._run.event("failed", **about, kind=result.kind, message=result.message)
            return
        scores = {"fitness": result.fitness, "success": result.success, "seconds": round(result.seconds, 2)}
        if early is None:
            self._run.event("trained", **about, **scores)
        else:
            self._run.event("reached", **about, step=result.steps, **scores)
