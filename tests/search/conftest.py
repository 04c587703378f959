"""A run with scripted results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_loop.execute.evaluate import Plan
from eureka_loop.records import Candidate, Job, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.store import Run

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}, "population"), 8)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Run.create(tmp_path, "t") as run:
        yield run


def evaluated(id: str, fitness: float | None) -> Evaluated:
    """A candidate that was trained with one seed, or was refused."""
    candidate = Candidate(id, int(id[1]), "", "scripted")
    if fitness is None:
        return Evaluated(candidate, (Failed(id, "refused", "no"),))
    return Evaluated(candidate, (Trained(id, 0, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0),))


def trained(job: Job, fitness: float) -> Trained:
    episodes = tuple(judged_episode(seed, fitness, None, 1) for seed in job.judge_seeds)
    return Trained(job.candidate, job.seed, job.until or job.steps, episodes, (), {}, 0.1)
