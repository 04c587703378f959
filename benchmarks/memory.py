"""Memory of trainings, relative to the bound by which a run sizes its workers.

    python benchmarks/memory.py [--task halfcheetah-run] [--learners 4 16] [--sac 20000] [--steps 4096]
    python benchmarks/memory.py --command "eureka run reacher-reach --config docs/demo.toml --minutes 1.5"

Cohorts of so many learners, then one SAC training whose steps fill its replay buffer (without updates, which would
take hours and little memory). Each in a worker of its own; its memory and that of its reward processes is measured
five times a second, shared memory counted once (PSS where the system has it). `ratio:` is the peak ÷ the bound: above
1 a run takes more than planned. With --command, the peak of a whole command and of all its processes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from eureka_loop import files
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.execute.evaluate import Plan
from eureka_loop.execute.local import LocalExecutor
from eureka_loop.execute.machine import Share, footprint
from eureka_loop.records import Algorithm, Job, Task, Training
from eureka_loop.results import Trained
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.recorded import survey
from eureka_loop.store import read_result

JUDGED = tuple(range(1_000_000, 1_000_010))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", default="halfcheetah-run")
    parser.add_argument("--learners", type=int, nargs="*", default=[4, 16])
    parser.add_argument("--sac", type=int, default=20_000, help="steps; 0 leaves it out")
    parser.add_argument("--steps", type=int, default=4_096)
    parser.add_argument("--command")
    options = parser.parse_args()
    if options.command:
        of_command(options.command)
        return
    task = find_task(options.task)
    vocabulary = survey(task, find_domain(task.env_id)).vocabulary
    for learners in options.learners:
        show(f"{learners} learners", task, vocabulary, plan_of(task, "ppo", options.steps), learners)
    if options.sac:
        show("SAC", task, vocabulary, plan_of(task, "sac", options.sac), 1)


def of_command(command: str) -> None:
    """Peaks of all processes together, and of the main one alone, at the same moment."""
    process, peak = subprocess.Popen(shlex.split(command)), (0.0, 0.0)
    while process.poll() is None:
        own = memory(process.pid)
        peak = max(peak, (own + taken(process.pid), own))
        time.sleep(0.2)
    print(f"{command}: {peak[0] / 1e9:.2f} GB, {peak[1] / 1e9:.2f} GB of them the main process")


def plan_of(task: Task, algorithm: Algorithm, steps: int) -> Plan:
    """As a run would train."""
    tuned = dict(find_domain(task.env_id).hyperparameters[algorithm])
    trainer: str = "population"
    if algorithm == "sac":
        trainer, tuned["learning_starts"] = "sb3", steps
    return Plan(task, Training(algorithm, tuned, trainer), steps)


def show(name: str, task: Task, vocabulary: Vocabulary, plan: Plan, learners: int) -> None:
    worker, learner = footprint(task, plan.training, plan.steps, vocabulary)
    bound = worker + learners * learner
    with tempfile.TemporaryDirectory() as folder:
        folders = [write(Path(folder) / f"{place}", plan, place) for place in range(learners)]
        peak = 0.0
        with contextlib.closing(LocalExecutor(Share(1, learners))) as executor:
            done = executor.submit(folders)
            while not done.done():
                peak = max(peak, taken(os.getpid()))
                time.sleep(0.2)
        assert all(isinstance(read_result(each), Trained) for each in folders)
    print(
        f"{name}: {peak / 1e9:.2f} GB of {bound / 1e9:.2f} GB, ratio: {peak / bound:.2f}",
        flush=True,
    )


def write(folder: Path, plan: Plan, seed: int) -> Path:
    folder.mkdir()
    training = plan.training
    job = Job(
        candidate=folder.name,
        seed=seed,
        task=plan.task,
        source=plan.task.human or "",
        algorithm=training.algorithm,
        steps=plan.steps,
        hyperparameters=training.hyperparameters,
        judge_seeds=JUDGED,
        trainer=training.trainer,
    )
    files.write_json(folder / "job.json", job)
    return folder


def taken(pid: int) -> float:
    """Bytes of all that descends from a process, without itself."""
    return sum(memory(each) + taken(each) for each in children(pid))


def children(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rsplit(")", 1)[1].split()[1]
        except OSError:  # it has ended
            continue
        if int(parent) == pid:
            yield int(path.parent.name)


def memory(pid: int) -> float:
    """Its share of what it uses."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except PermissionError:
        resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
        return float(resident) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, StopIteration):
        return 0.0


if __name__ == "__main__":
    main()
