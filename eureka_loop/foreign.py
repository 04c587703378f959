"""Tasks of a run of somebody else: an env of this installation, and a measure that nobody here confirmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
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


def unconfirmed(config: RunConfig, task: Task, *, here: bool) -> bool:
    """Whether nobody here has confirmed the measure: of a draft, or of a run that was not made here.

    The catalogue's tasks are known, with their measures and references.
    """
    if here:
        return config.drafted == "unconfirmed"
    known = tasks().get(task.name)
    return known is None or task != replace(known, env_kwargs=task.env_kwargs)


def require_begun_for(run: Run, task: Task, steps: int) -> None:
    """
    Args:
        steps: of each training; 0: as many as the run has.

    Raises:
        BadInput: its trainings have begun with another measure or another length, whoever has begun them.
    """
    if run.task() != task or run.config.steps != (steps or run.config.steps):
        raise BadInput(
            f"{run.folder} was begun with another measure or number of steps: choose another --out"
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
