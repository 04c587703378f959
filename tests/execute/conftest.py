"""Jobs in folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.records import Job, Task

TASK = Task("t", "E-v0", "x", "f")

MakeJob = Callable[..., Path]


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """A folder with a job of these fields."""

    def make(candidate: str, **fields: Any) -> Path:
        given = {"task": TASK, "source": "s", "algorithm": "ppo", "steps": 10, "hyperparameters": {}}
        job = Job(**{"candidate": candidate, "seed": 0, **given, "judge_seeds": (7,), **fields})
        folder = tmp_path / candidate / f"seed-{job.seed}"
        folder.mkdir(parents=True)
        files.write_json(folder / "job.json", job)
        return folder

    return make
