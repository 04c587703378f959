"""Candidates → jobs → results.

What has a result on disk is not trained again; that is all that resuming takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_loop import files
from eureka_loop.budget import Deadline
from eureka_loop.execute.engine import Engine
from eureka_loop.records import Candidate, Evaluated, Failed, Job, Task, Trained, Training
from eureka_loop.store import Run, read_result


@dataclass(frozen=True, slots=True)
class Plan:
    """How every reward of a run is trained: the same for all that are compared."""

    task: Task
    training: Training
    steps: int


class Evaluation:
    """Trains and judges candidates through an engine, and records it in the run."""

    def __init__(self, run: Run, engine: Engine, plan: Plan, deadline: Deadline) -> None:
        self._run, self._engine, self._plan, self._deadline = run, engine, plan, deadline

    def evaluate(
        self,
        candidates: Sequence[Candidate],
        training: Sequence[int],
        judging: Sequence[int],
        *,
        report: bool = False,
    ) -> list[Evaluated]:
        """Every candidate trained once per training seed; one that failed before is left as it is.

        Args:
            training: training seeds.
            judging: seeds of the judged episodes.
            report: whether these are the report's trainings.
        """
        alive = [each for each in candidates if report or self._run.failure(each.id) is None]
        pairs = [(candidate, seed) for candidate in alive for seed in training]
        missing = [pair for pair in pairs if self._run.result(pair[0].id, pair[1]) is None]
        folders = [self._run.write_job(self._job(*pair, judging)) for pair in missing]
        self._record_forgotten(pair for pair in pairs if pair not in missing)
        for folder in self._engine.run(folders, _Progress(self._run, self._plan.steps, self._deadline)):
            self._record(folder)
        return [self._run.evaluated(candidate.id, report=report) for candidate in candidates]

    def _job(self, candidate: Candidate, seed: int, judging: Sequence[int]) -> Job:
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
        )

    def _record_forgotten(self, finished: Iterable[tuple[Candidate, int]]) -> None:
        """Record results whose event an earlier life of the run could no longer write."""
        told = {
            (each["id"], each["seed"])
            for each in self._run.events()
            if each["event"] in ("trained", "failed")
        }
        for candidate, seed in finished:
            if (candidate.id, seed) not in told:
                self._record(self._run.job_folder(candidate.id, seed))

    def _record(self, folder: Path) -> None:
        match read_result(folder):
            case Trained() as done:
                self._run.event(
                    "trained",
                    id=done.candidate,
                    seed=done.seed,
                    fitness=done.fitness,
                    success=done.success,
                    seconds=round(done.seconds, 2),
                )
            case Failed() as failed:
                self._run.event(
                    "failed", id=failed.candidate, seed=failed.seed, kind=failed.kind, message=failed.message
                )


class _Progress:
    """Turns the engine's ticks into passing events, from the progress files alone."""

    def __init__(self, run: Run, steps: int, deadline: Deadline) -> None:
        self._run, self._steps, self._deadline = run, steps, deadline
        self._seen: dict[Path, int] = {}

    def started(self, folder: Path) -> None:
        self._run.event("training", id=folder.parent.name, seed=_seed(folder), steps=self._steps)

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
                told = {"id": folder.parent.name, "seed": _seed(folder), "steps": self._steps, **last}
                self._run.passing("progress", **told)


def _seed(folder: Path) -> int:
    return int(folder.name.removeprefix("seed-"))
