"""The worker: trusted, holds torch and MuJoCo, trains and judges. One job is one folder.

    python -m eureka_loop.execute.worker FOLDER...       # any executor: SLURM, Ray, a shell
    python -m eureka_loop.execute.worker --serve PARENT  # lists of folders come as JSON, one a line

A folder with job.json gets a result.json; one with rollout.json gets transitions.npz; one with task.json gets
vocabulary.json, probe.npz and trainer.json, or survey_error.json; where training.json asks for a bank, random
episodes, too; where the env's own reward is compared with, its source in native.py. A job that has begun has
a progress.jsonl. Where the machine, and no job, is to blame, machine_error.json says why there is no result.
All output goes to worker.log in the folder. Jobs for the population trainer that differ in program and seeds
alone are trained together.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eureka_loop import files
from eureka_loop.errors import BadInput, EurekaError, RunError, SandboxError
from eureka_loop.execute.cohorts import alike
from eureka_loop.execute.evaluate import MACHINE_ERROR
from eureka_loop.execute.machine import cores
from eureka_loop.execute.requests import BESIDE, TRANSITIONS
from eureka_loop.records import Job, Rollout, Task, Training, in_cohorts, on_gpu
from eureka_loop.references import NATIVE
from eureka_loop.results import Failed, Trained

if TYPE_CHECKING:
    from eureka_loop.envs.domain import Domain
    from eureka_loop.reward.sandbox.fork_server import ForkServer

Folders = Sequence[Path]


def main(arguments: list[str]) -> None:
    """Work through the folders named, or those that come on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started the worker decides when it ends
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a learner takes three; a GPU, hundreds of them
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a library's print is no answer
    lists: Iterable[list[str]] = [arguments]
    if arguments and arguments[0] == "--serve":
        from eureka_loop.reward.sandbox.lock import die_with_parent

        die_with_parent(int(arguments[1]))
        lists = map(json.loads, sys.stdin)
    from eureka_loop.reward.sandbox.fork_server import ForkServer

    with ForkServer() as fork_server:
        for folders in lists:
            work([Path(folder) for folder in folders], fork_server)
            answers.write("done\n")


def work(folders: Folders, fork_server: ForkServer) -> None:
    """Do what the folders ask for; what goes wrong is written there, too."""
    jobs = [folder for folder in folders if (folder / "job.json").exists()]
    for folder in folders:
        if folder not in jobs:
            _log_to(folder)
            _record(folder) if (folder / "rollout.json").exists() else _survey(folder)
    read = {folder: files.read_json(folder / "job.json", Job) for folder in jobs}
    for group in alike(jobs, lambda folder: read[folder]):
        alone = not in_cohorts(read[group[0]].trainer)
        for batch in [[folder] for folder in group] if alone else [group]:
            _log_to(batch[0])
            _work(batch, [read[folder] for folder in batch], fork_server)


def _log_to(folder: Path) -> None:
    log = os.open(folder / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _work(folders: Folders, jobs: Sequence[Job], fork_server: ForkServer) -> None:
    """Train, and write the results.

    Where the machine, not a job, is to blame, there is no result, so that another call tries again.
    """
    try:
        results = _train(folders, jobs, fork_server)
    except (RunError, SandboxError) as error:
        print(error, flush=True)
        for folder in folders:
            files.write_json(folder / MACHINE_ERROR, {"message": str(error)})
        return
    except Exception as error:  # noqa: BLE001 - the process boundary: a bug is one job's failure
        traceback.print_exc()
        files.require_space(folders[0])
        if len(jobs) > 1:
            return  # no result: the jobs come again, at last each alone, which shows which one it is
        message = f"{type(error).__name__}: {error}"
        results = [Failed(jobs[0].candidate, "crashed", message, traceback.format_exc(), jobs[0].seed)]
    for folder, result in zip(folders, results, strict=True):
        files.write_json(folder / "result.json", result)


def _train(folders: Folders, jobs: Sequence[Job], fork_server: ForkServer) -> list[Trained | Failed]:
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.train.base import TRAINERS

    def report(place: int, progress: Mapping[str, float]) -> None:
        files.append_line(folders[place] / "progress.jsonl", progress)

    for folder in folders:
        (folder / "progress.jsonl").touch()
    _require_device(jobs[0])
    domain = find_domain(jobs[0].task.env_id)
    trainer, threads = TRAINERS.load(jobs[0].trainer)(), cores() if on_gpu(jobs[0]) else 1
    results = trainer.train(jobs, domain, fork_server, folders, report, threads=threads)
    _keep(folders, jobs, results, domain)
    return results


def _require_device(job: Job) -> None:
    """A run may be resumed on a machine that lacks what it was begun with: no fault of the job's."""
    from eureka_loop.train.hyperparameters import require_device

    try:
        require_device(job.hyperparameters.get("device", "cpu"))
    except BadInput as error:
        raise RunError(str(error)) from error


def _keep(folders: Folders, jobs: Sequence[Job], results: Sequence[Trained | Failed], domain: Domain) -> None:
    """One episode of each policy for the trajectory bank, which goes without those that can't be had."""
    from eureka_loop.train.saved import record_trained

    for folder, job, result in zip(folders, jobs, results, strict=True):
        if job.keep_episode and isinstance(result, Trained):
            try:
                record_trained(job, domain, folder)
            except Exception:  # noqa: BLE001 - the process boundary
                files.require_space(folder)
                traceback.print_exc()


def _record(folder: Path) -> None:
    import numpy as np

    from eureka_loop.envs.registry import find_domain
    from eureka_loop.train.saved import record_rollout

    rollout = files.read_json(folder / "rollout.json", Rollout)
    columns = record_rollout(rollout, find_domain(rollout.task.env_id))
    np.savez_compressed(folder / TRANSITIONS, **columns)  # type: ignore[arg-type]


def _survey(folder: Path) -> None:
    import numpy as np

    from eureka_loop.envs.registry import find_domain
    from eureka_loop.simulate.recorded import survey

    task = files.read_json(folder / "task.json", Task)
    domain = find_domain(task.env_id)
    training: Training | None = None
    beside = files.read_json(folder / BESIDE, list[str]) if (folder / BESIDE).exists() else []
    try:
        if (folder / "training.json").exists():
            from eureka_loop.train.base import support

            training = files.read_json(folder / "training.json", Training)
            files.write_json(folder / "trainer.json", support(training, task, domain, beside))
        seen = survey(task, domain)
        if training is not None and training.bank:
            from eureka_loop.train.saved import record_random

            record_random(task, domain, folder)
    except EurekaError as error:
        files.write_json(folder / "survey_error.json", {"message": str(error)})
        return
    np.savez_compressed(folder / "probe.npz", **seen.probe)  # type: ignore[arg-type]
    if task.native or NATIVE in beside:
        files.write_text(folder / "native.py", seen.native)
    files.write_json(folder / "vocabulary.json", seen.vocabulary)


if __name__ == "__main__":
    main(sys.argv[1:])
