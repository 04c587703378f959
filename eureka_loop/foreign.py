"""Envs that a run of somebody else may name: those of this installation, with the catalogue's arguments."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.envs.registry import tasks
from eureka_loop.errors import BadInput, RunError
from eureka_loop.records import Job, Task
from eureka_loop.store import Run


def require_known_env(run: Run) -> None:
    """
    Raises:
        BadInput: the run was not made here, and its env may load code or files of its maker's choice.
    """
    task = run.task()
    known = [each.env_kwargs for each in tasks().values() if each.env_id == task.env_id]
    if run.made_here or (":" not in task.env_id and (not task.env_kwargs or task.env_kwargs in known)):
        return
    raise BadInput(
        f"{run.folder} was not made here, and no task of the catalogue has its env {task.env_id!r} with "
        f"{dict(task.env_kwargs)}: it may load code or files of its maker's choice; make your own run"
    )


def read_job(folder: Path, task: Task) -> Job:
    """The job of a training for a task.

    Raises:
        RunError: it is missing, damaged, or about another task, whose env nobody has looked at.
    """
    job = files.read_json(path := folder / "job.json", Job)
    if job.task != task:
        raise RunError(f"{path} is about another task than the run: remove {folder}")
    return job
