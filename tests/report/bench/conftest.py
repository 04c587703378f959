"""A bench's folder with made-up searches of known fitness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table, slug
from eureka_loop.records import Candidate, references
from eureka_loop.report.bench.setup import SETUP, Bench, members
from eureka_loop.results import Failed, Trained, judged_episode
from eureka_loop.search.assemble import NOTHING_TRAINED
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

STEPS = 1000
TASKS = ("reacher-reach", "hopper-hop")
CONFIG = RunConfig(
    designer="templates",
    generations=1,
    samples=1,
    steps=STEPS,
    report_seeds=3,
    hyperparameters={"n_steps": 64},
)
Fitness = Sequence[float | None]  # a number a training; None: it failed


@dataclass
class Made:
    """Write a bench search by search."""

    folder: Path
    tasks: tuple[str, ...] = TASKS
    searches: int = 2
    suite: str = "quick"
    command: str = "eureka bench quick"

    def begin(self) -> Path:
        made_by = {"torch": "2.8.0", "git_commit": "b80e0ab", "cpu": "Some CPU", "cores": 2}
        bench = Bench(self.suite, self.tasks, self.searches, CONFIG, self.command, made_by)
        files.write_json(self.folder / SETUP, bench)
        return self.folder

    def search(
        self, task: str, seed: int, winner: Fitness, human: Fitness = (), sparse: Fitness = (),
        *, ended: bool = True, tokens: int = 0, usd: float | None = 0.0, program: str = "",
    ) -> Run:  # fmt: skip
        """One search; no winner at all: nothing could be trained."""
        (found,) = (each for each in members(self.suite) if each.name == task)
        run = Run(self.folder / f"20261121-12000{seed}-{slug(task)}")
        config = RunConfig(**{**vars(CONFIG), "task": task, "seed": seed})
        files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(config)))
        files.write_json(run.task_folder / "task.json", found)
        ids = [each.id for each in references(found)]
        run.event("started", task=task, steps=STEPS, report_seeds=3, references=ids, generations=1, samples=1)
        if tokens:
            run.event("spent", prompt_tokens=tokens, completion_tokens=0, usd=usd)
        for each in (Candidate("g0-00", 0, program or "def compute_reward(): ...", ""), *references(found)):
            run.write_candidate(each)
        if not winner:
            run.event("stopped", reason=NOTHING_TRAINED)
            return run
        report = seeds("report_training", seed, 4)
        self._result(run, "g0-00", seeds("training", seed, 1)[0], winner[0] or 0.0)
        run.event("reporting", winner="g0-00", references=ids, seeds=report)
        for id, values in (("g0-00", winner), (ids[0], human), (ids[-1], sparse)):
            for number, value in zip(report, values, strict=False):
                self._result(run, id, number, value)
        if ended:
            run.event("finished", winner="g0-00")
        return run

    def _result(self, run: Run, id: str, seed: int, fitness: float | None) -> None:
        scores = tuple(judged_episode(n, fitness or 0.0, float((fitness or 0.0) > 0.5), 50) for n in range(2))
        result: Trained | Failed = Trained(id, seed, STEPS, scores, (), {}, 1.0)
        if fitness is None:
            result = Failed(id, "not_finite", "term 'x' is NaN <b>", "", seed)
        files.write_json(run.job_folder(id, seed) / "result.json", result)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr("eureka_loop.files.os.fsync", lambda descriptor: None)
    clock = iter(range(0, 10**9, 60))
    monkeypatch.setattr("eureka_loop.store.time.time", lambda: float(next(clock)))
    return Made(tmp_path / "bench")


@pytest.fixture
def whole(made: Made) -> Path:
    """Reacher: half way from sparse to hand-written. Hopper: well above it in one search, at it in the other."""
    made.begin()
    for seed, shift in ((0, 0.0), (1, 0.01)):
        human, sparse = [1.0, 1.0 + shift, 1.0], [0.0, shift, 0.0]
        made.search("reacher-reach", seed, [0.5] * 3, human, sparse)
        made.search("hopper-hop", seed, [2.0 - seed] * 3, human, sparse, tokens=1000, usd=0.5)
    return made.folder
