"""The worker: trusted, holds torch and MuJoCo, trains and judges. One job is one folder.

    python -m eureka_loop.execute.worker FOLDER...       # any executor: SLURM, Ray, a shell
    python -m eureka_loop.execute.worker --serve PARENT  # lists of folders come as JSON, one a line

Folders with job.json are one cohort, whose jobs differ in program and seed alone: each gets progress.jsonl
and result.json. One with rollout.json gets transitions.npz, one with recording.json whole episodes. One with
task.json gets vocabulary.json, probe.npz and, as training.json and beside.json ask for it, trainer.json,
random episodes, native.py. An error.json says why there is nothing, where no program is to blame. All output
goes to worker.log.
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

from eureka_loop import files, provenance
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import BadInput, RunError, SandboxError
from eureka_loop.execute.executor import ERROR
from eureka_loop.execute.local import BESIDE, RECORDED, TRANSITIONS
from eureka_loop.execute.machine import cores
from eureka_loop.records import NATIVE, Job, Recording, Rollout, Task, Training, in_cohorts, on_gpu
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import die_with_parent


def main(arguments: list[str]) -> None:
    """Work through the folders named, or those that come on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started the worker decides when it ends
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a learner takes three; a GPU, hundreds of them
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a library's print is no answer
    lists: Iterable[list[str]] = [arguments]
    if arguments and arguments[0] == "--serve":
        die_with_parent(int(arguments[1]))
        lists = map(json.loads, sys.stdin)
    with ForkServer() as fork_server:
        for folders in lists:
            work([Path(folder) for folder in folders], fork_server)
            answers.write("done\n")


def work(folders: Sequence[Path], fork_server: ForkServer) -> None:
    """Work through folders; what goes wrong is written there, too."""
    jobs = {each: files.read_json(each / "job.json", Job) for each in folders if (each / "job.json").exists()}
    together = any(in_cohorts(job.trainer) for job in jobs.values())
    for batch in [folders] if together else [[folder] for folder in folders]:
        _log_to(batch[0])
        try:
            if jobs:
                _train(batch, [jobs[folder] for folder in batch], fork_server)
            elif (batch[0] / "rollout.json").exists():
                _record(batch[0])
            elif (batch[0] / "recording.json").exists():
                _record_episodes(batch[0])
            else:
                _survey(batch[0])
        except (BadInput, RunError, SandboxError) as error:
            print(error, flush=True)
            for folder in batch:
                files.write_json(folder / ERROR, {"message": str(error)})
        except Exception as error:  # noqa: BLE001 - the process boundary: a bug is one job's failure
            traceback.print_exc()
            files.require_space(batch[0])
            if jobs and len(batch) == 1:  # a cohort's jobs come again, at last each alone
                job, text = jobs[batch[0]], f"{type(error).__name__}: {error}"
                failed = Failed(job.candidate, "crashed", text, traceback.format_exc(), job.seed)
                provenance.write_result(batch[0], failed)


def _log_to(folder: Path) -> None:
    with files.opened(folder / "worker.log", os.O_WRONLY) as log:
        log.truncate()
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _train(folders: Sequence[Path], jobs: Sequence[Job], fork_server: ForkServer) -> None:
    from eureka_loop.train.base import TRAINERS
    from eureka_loop.train.hyperparameters import require_device
    from eureka_loop.train.saved import record_trained

    def report(place: int, progress: Mapping[str, float]) -> None:
        files.append_line(folders[place] / "progress.jsonl", progress)

    for folder in folders:
        files.write_text(folder / "progress.jsonl", "")
    require_device(jobs[0].hyperparameters.get("device", "cpu"))  # a run may be resumed without its GPU
    domain = find_domain(jobs[0].task.env_id)
    if not jobs[0].steps:
        from eureka_loop.train.floors import judge_floor

        results = [judge_floor(job, domain, fork_server) for job in jobs]
    else:
        trainer, threads = TRAINERS.load(jobs[0].trainer)(), cores() if on_gpu(jobs[0]) else 1
        results = trainer.train(jobs, domain, fork_server, folders, report, threads=threads)
    for folder, job, result in zip(folders, jobs, results, strict=True):
        if job.keep_episode and isinstance(result, Trained):
            try:
                record_trained(job, domain, folder)
            except Exception:  # noqa: BLE001 - the trajectory bank goes without it
                files.require_space(folder)
                traceback.print_exc()
    for folder, result in zip(folders, results, strict=True):
        provenance.write_result(folder, result)


def _record(folder: Path) -> None:
    from eureka_loop.train.saved import record_rollout

    rollout = files.read_json(folder / "rollout.json", Rollout)
    columns = record_rollout(rollout, find_domain(rollout.task.env_id))
    files.write_columns(folder / TRANSITIONS, columns)


def _record_episodes(folder: Path) -> None:
    from eureka_loop.train.saved import record_episodes

    recording = files.read_json(folder / "recording.json", Recording)
    record_episodes(recording, find_domain(recording.task.env_id), folder)
    files.write_json(folder / RECORDED, True)


def _survey(folder: Path) -> None:
    from eureka_loop.simulate.recorded import survey

    task = files.read_json(folder / "task.json", Task)
    domain = find_domain(task.env_id)
    beside = files.read_json(folder / BESIDE, list[str]) if (folder / BESIDE).exists() else []
    training: Training | None = None
    if (folder / "training.json").exists():
        from eureka_loop.train.base import support

        training = files.read_json(folder / "training.json", Training)
        files.write_json(folder / "trainer.json", support(training, task, domain, beside))
    seen = survey(task, domain)
    if training is not None and training.bank:
        from eureka_loop.train.saved import record_random

        record_random(task, domain, folder)
    files.write_columns(folder / "probe.npz", seen.probe)
    if task.native or NATIVE in beside:
        files.write_text(folder / "native.py", seen.native)
    files.write_json(folder / "vocabulary.json", seen.vocabulary)


if __name__ == "__main__":
    main(sys.argv[1:])
