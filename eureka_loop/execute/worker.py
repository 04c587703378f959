"""The worker: trusted, holds torch and MuJoCo, trains and judges. One job is one folder.

    python -m eureka_loop.execute.worker FOLDER...     # any engine: SLURM, Ray, a shell
    python -m eureka_loop.execute.worker --serve       # folders come as lines on standard input

A folder with job.json gets a result.json; one with task.json gets vocabulary.json and probe.npz, or
survey_error.json. Everything else that is printed goes to worker.log in the folder.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eureka_loop import files
from eureka_loop.errors import EurekaError, RunError, SandboxError
from eureka_loop.records import Failed, Job, Task, Training

if TYPE_CHECKING:
    from eureka_loop.sandbox.zygote import Zygote


def main(arguments: list[str]) -> None:
    """Work through the folders named, or those that come on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started the worker decides when it ends
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a stray print of some library is no answer
    folders: Iterable[str] = arguments
    if arguments and arguments[0] == "--serve":
        from eureka_loop.sandbox.lock import die_with_parent

        die_with_parent(int(arguments[1]))
        folders = sys.stdin
    from eureka_loop.sandbox.zygote import Zygote

    with Zygote() as zygote:
        for folder in folders:
            work(Path(folder.rstrip("\n")), zygote)
            answers.write("done\n")


def work(folder: Path, zygote: Zygote) -> None:
    """Do what a folder asks for; what goes wrong is written there, too."""
    log = os.open(folder / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if (folder / "job.json").exists():
        _train(folder, zygote)
    else:
        _survey(folder)


def _train(folder: Path, zygote: Zygote) -> None:
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.train.trainer import train

    job = files.read_json(folder / "job.json", Job)

    def report(progress: Mapping[str, float]) -> None:
        files.append_line(folder / "progress.jsonl", progress)

    try:
        result = train(job, find_domain(job.task.env_id), zygote, folder, report)
    except (RunError, SandboxError):
        raise  # no fault of the candidate's: no result, so that it is trained again
    except Exception as error:  # noqa: BLE001 - the process boundary: a bug is one job's failure
        files.require_space(folder)
        message = f"{type(error).__name__}: {error}"
        result = Failed(job.candidate, "crashed", message, traceback.format_exc(), job.seed)
    files.write_json(folder / "result.json", result)


def _survey(folder: Path) -> None:
    import numpy as np

    from eureka_loop.envs.registry import find_domain
    from eureka_loop.simulate.survey import survey
    from eureka_loop.train.hyperparameters import settings

    task = files.read_json(folder / "task.json", Task)
    try:
        if (folder / "training.json").exists():
            training = files.read_json(folder / "training.json", Training)
            settings(training.algorithm, training.hyperparameters)
        seen = survey(task, find_domain(task.env_id))
    except EurekaError as error:
        files.write_json(folder / "survey_error.json", {"message": str(error)})
        return
    np.savez_compressed(folder / "probe.npz", **seen.probe)  # type: ignore[arg-type]
    files.write_json(folder / "vocabulary.json", seen.vocabulary)


if __name__ == "__main__":
    main(sys.argv[1:])
