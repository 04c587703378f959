"""Candidates → trainings → results, through an executor and the files of the run's folder.

A training with a result on disk is not done again; that is all that resuming takes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_loop import files, provenance
from eureka_loop.errors import RunError
from eureka_loop.execute.budget import start
from eureka_loop.execute.executor import ERROR, Executor
from eureka_loop.execute.local import TICK, log_tail
from eureka_loop.execute.machine import Share
from eureka_loop.foreign import read_job
from eureka_loop.records import PROGRESS, Candidate, Job, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained
from eureka_loop.seeds import is_report
from eureka_loop.store import FLOORS, Run, read_result

ENDS = ("trained", "failed")  # events that end a training
TRIES = 3  # a job whose worker ended without a result is tried again; after this many it has failed

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


@dataclass
class Evaluation:
    """Trains and judges candidates, and records it in the run."""

    run: Run
    executor: Executor
    plan: Plan
    share: Share  # planned, which decides cohorts
    begin_with: BeginWith = lambda generation: ()  # what the search's trainings of a generation begin with

    def __post_init__(self) -> None:
        self._cohorts: dict[tuple[Path, ...], asyncio.Task[None]] = {}
        ended = [event for event in self.run.events() if event["event"] in ENDS]
        self._recorded = {(event["id"], event.get("seed")) for event in ended}

    @property
    def busy(self) -> bool:
        """Whether anything is being trained."""
        return any(not task.done() for task in self._cohorts.values())

    async def train_all(self, candidates: Sequence[Candidate], stage: Stage) -> list[Evaluated]:
        """Every candidate trained once per training seed, in the order given."""
        members = [(candidate, seed) for candidate in candidates for seed in stage.training]
        cohorts = self.share.cohorts(members)
        await asyncio.gather(*(task for cohort in cohorts for task in self._begin(cohort, stage)))
        return [self.evaluated(candidate, stage) for candidate in candidates]

    async def train(self, cohort: Sequence[Member], stage: Stage) -> None:
        """Train the members of one cohort that have no result yet."""
        await asyncio.gather(*self._begin(cohort, stage))

    async def judge_floors(self) -> None:
        """Judge policies that learn nothing on the report's episodes, unless that was done before.

        One that fails is left out.
        """
        await asyncio.gather(*map(self._judge_floor, FLOORS))

    async def _judge_floor(self, id: str) -> None:
        config, training, folder = self.run.config, self.plan.training, self.run.folder / "floors" / id
        if isinstance(read_result(folder), Trained):
            return
        (folder / "result.json").unlink(missing_ok=True)
        rest = training.algorithm, 0, training.hyperparameters, self.run.judging_seeds, training.trainer
        files.write_json(folder / "job.json", Job(id, config.seed, self.plan.task, "", *rest))
        ended = await asyncio.wrap_future(self.executor.submit([folder]))
        why = f"the worker ended by {ended or 'an unknown cause'}; see {folder / 'worker.log'}"
        result = read_result(folder) or Failed(id, "crashed", why)
        if isinstance(result, Failed):
            provenance.write_result(folder, result)
            self.run.event("floor_failed", name=FLOORS[id], message=result.message)

    def evaluated(self, candidate: Candidate, stage: Stage) -> Evaluated:
        """A candidate with its results at a stage."""
        return self.run.evaluated(candidate.id, report=stage.report)

    def _begin(self, members: Sequence[Member], stage: Stage) -> Iterator[asyncio.Task[None]]:
        """Start the trainings of a planned cohort that are missing.

        What had begun begins again as a whole, with its members then; what crashed is tried again alone.
        """
        fresh = []
        for candidate, seed in members:
            folder = self.run.job_folder(candidate.id, seed)
            result, cohort = read_result(folder), self._cohort_of(folder)
            if isinstance(result, Failed) and result.passing:
                self._recorded.discard((candidate.id, seed))
                yield self._start(self._written([(candidate, seed)], stage))
            elif result is not None and all(read_result(each) is not None for each in cohort):
                self._record(folder)
            elif cohort:
                yield self._start(cohort)
            elif stage.report or self.run.failure(candidate.id) is None:
                fresh.append((candidate, seed))
        if fresh:
            yield self._start(self._written(fresh, stage))

    def _cohort_of(self, folder: Path) -> tuple[Path, ...]:
        """Folders of the cohort that a job has begun in; none where it hasn't begun."""
        if not (folder / "job.json").exists():
            return ()
        names = read_job(folder, self.plan.task).cohort
        cohort = tuple(self.run.folder / "candidates" / name for name in names)
        if not all((each / "job.json").exists() for each in cohort):
            return ()
        for each in cohort:
            read_job(each, self.plan.task)
        return cohort

    def _start(self, folders: tuple[Path, ...]) -> asyncio.Task[None]:
        if folders not in self._cohorts or self._cohorts[folders].done():
            self._cohorts[folders] = start(self._complete(folders))
        return self._cohorts[folders]

    async def _complete(self, folders: Sequence[Path]) -> None:
        """Have a cohort trained until every member has a result: together at first, at the last alone."""
        for _ in range(TRIES - 1):
            if any(read_result(folder) is None for folder in folders):
                await self._submit(folders)
        for folder in folders:
            if read_result(folder) is None:  # the member that ends the worker of all is found
                ended = await self._submit([folder]) or "an unknown cause"
                if read_result(folder) is None:  # the worker couldn't write a failure itself
                    files.require_space(folder)  # a full disk is no fault of the candidate's
                    job, log = files.read_json(folder / "job.json", Job), folder / "worker.log"
                    times = f"{TRIES} times, last by {ended}; see {log}"
                    message = f"the training process ended without a result {times}"
                    failed = Failed(job.candidate, "crashed", message, log_tail(folder), job.seed)
                    provenance.write_result(folder, failed)
            self._record(folder)

    async def _submit(self, folders: Sequence[Path]) -> str:
        """Have folders trained from the beginning, with events from their progress files."""
        for path in (path for folder in folders for path in folder.iterdir() if path.name != "job.json"):
            path.unlink()
        ended = asyncio.wrap_future(self.executor.submit(folders))
        sizes: dict[Path, int] = {}
        while not ended.done():
            await asyncio.wait({ended}, timeout=TICK)
            self._look(folders, sizes)
        for folder in folders:
            if (folder / ERROR).exists():
                message = files.read_json(folder / ERROR, dict[str, str])["message"]
                raise RunError(f"training can't go on: {message}")
        return ended.result()

    def _look(self, folders: Sequence[Path], sizes: dict[Path, int]) -> None:
        """Events of trainings that have begun, and of progress files that have grown."""
        for folder in folders:
            path = folder / "progress.jsonl"
            if not path.exists() or path.stat().st_size == sizes.get(folder):
                continue
            job = files.read_json(folder / "job.json", Job)
            about = {"id": job.candidate, "seed": job.seed, "steps": job.steps}
            if folder not in sizes:
                self.run.event("training", **about)
            sizes[folder] = path.stat().st_size
            if (last := files.last_line(path, PROGRESS)) is not None:
                self.run.event("progress", **about, **last)

    def _written(self, members: Sequence[Member], stage: Stage) -> tuple[Path, ...]:
        """The folders of a new cohort, with its jobs."""
        folders = tuple(self.run.job_folder(each.id, seed) for each, seed in members)
        names = [folder.relative_to(self.run.folder / "candidates").as_posix() for folder in folders]
        for candidate, seed in members:
            self.run.write_job(self._job(candidate, seed, stage, names))
        return folders

    def _job(self, candidate: Candidate, seed: int, stage: Stage, cohort: Sequence[str]) -> Job:
        training, here = self.plan.training, self.run.job_folder(candidate.id, seed)
        own = not stage.report and self.run.made_here  # another's transitions make no result of one's own
        episodes = self.begin_with(candidate.generation) if own else ()
        return Job(
            candidate=candidate.id,
            seed=seed,
            task=self.plan.task,
            source=candidate.source,
            algorithm=training.algorithm,
            steps=self.plan.steps,
            hyperparameters=training.hyperparameters,
            judge_seeds=tuple(stage.judging),
            trainer=training.trainer,
            keep_episode=training.bank and not is_report(seed),
            begin_with=tuple(os.path.relpath(path, here) for path in episodes),
            cohort=tuple(cohort),
        )

    def _record(self, folder: Path) -> None:
        """The event of a result, once."""
        result = read_result(folder)
        assert result is not None
        if (result.candidate, result.seed) in self._recorded:
            return
        self._recorded.add((result.candidate, result.seed))
        about = {"id": result.candidate, "seed": result.seed}
        if isinstance(result, Failed):
            self.run.event("failed", **about, kind=result.kind, message=result.message)
            return
        scores = {"fitness": result.fitness, "success": result.success, "progress": result.progress}
        self.run.event("trained", **about, **scores, seconds=round(result.seconds, 2))
