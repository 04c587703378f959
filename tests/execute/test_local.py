"""Local workers that misbehave: real processes, and a program that stands in for the trainer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import RunError
from eureka_loop.execute import local
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.local import LocalExecutor, Worker, environment
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.store import Run

# The name of each candidate says what happens to the worker that trains it.
STAND_IN = """
import json, os, signal, sys, time
from pathlib import Path

done = json.loads(sys.argv[1])
for line in sys.stdin:
    folders = [Path(folder) for folder in json.loads(line)]
    for folder in folders:
        name = folder.parent.name
        tries = folder.parent / "tries"
        with tries.open("a") as file:
            print(len(folders), file=file)
        (folder / "progress.jsonl").touch()
        if name.startswith("kills") or name.startswith("once") and len(tries.read_text().split()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("hangs"):
            time.sleep(60)
        if name.startswith("machine"):
            (folder / "error.json").write_text('{"message": "no room left"}')
    for folder in folders:
        if not (folder / "error.json").exists():
            (folder / "result.json").write_text(json.dumps({**done, "candidate": folder.parent.name}))
    os.write(1, b"done\\n")
"""


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalExecutor]:
    monkeypatch.setattr(local, "_idle", [])
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    done = files.plain(Trained("", 0, 10, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1))
    executor = LocalExecutor(Share(1, 32), lambda: Worker([str(program), json.dumps(done)]), silence=1.5)
    yield executor
    executor.close()
    local.end_idle()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, "task")


def train(run: Run, executor: LocalExecutor, *names: str, learners: int = 32) -> list[Evaluated]:
    plan = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}, "population"), 10)
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(RunConfig(steps=100))))
    files.write_json(run.task_folder / "task.json", plan.task)
    files.write_json(run.task_folder / "training.json", plan.training)
    candidates = [Candidate(name, 0, "s", "scripted") for name in names]
    for each in candidates:
        run.write_candidate(each)
    evaluation = Evaluation(run, executor, plan, Share(1, learners))
    return asyncio.run(evaluation.train_all(candidates, Stage((0,), (7,))))


def test_a_cohort_with_a_worker_killed_once_is_trained_again_as_it_was(
    run: Run, executor: LocalExecutor
) -> None:
    results = train(run, executor, "a", "once")
    assert all(isinstance(each.results[0], Trained) for each in results)
    assert (run.candidate_folder("a") / "tries").read_text() == "2\n2\n"


def test_the_member_that_ends_the_worker_of_a_cohort_fails_alone(run: Run, executor: LocalExecutor) -> None:
    found = [each.results[0] for each in train(run, executor, "a", "kills", "b")]
    assert [type(each) for each in found] == [Trained, Failed, Trained]
    failed = found[1]
    assert isinstance(failed, Failed)
    assert failed.kind == "crashed"
    assert "killed by signal 9" in failed.message
    assert (run.candidate_folder("kills") / "tries").read_text() == "3\n3\n1\n"


def test_a_worker_that_hangs_is_ended(run: Run, executor: LocalExecutor) -> None:
    hung, fine = train(run, executor, "hangs", "fine", learners=1)
    assert isinstance(hung.results[0], Failed)
    assert isinstance(fine.results[0], Trained)


def test_a_fault_of_the_machine_ends_the_run_without_a_result(run: Run, executor: LocalExecutor) -> None:
    with pytest.raises(RunError, match="training can't go on: no room left"):
        train(run, executor, "machine")
    assert run.result("machine", 0) is None


def test_no_busy_worker_outlives_the_executor(tmp_path: Path) -> None:
    worker = Worker(["-c", "import time; time.sleep(60)"])
    executor = LocalExecutor(Share(1, 32), lambda: worker)
    local.end_idle()
    future = executor.submit([tmp_path])
    while not executor._busy:
        time.sleep(0.01)
    executor.close()
    assert future.result() == "killed by signal 9"


def test_a_worker_sees_gpus_but_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    inherited = environment()
    assert (inherited["CUDA_VISIBLE_DEVICES"], inherited["OMP_NUM_THREADS"]) == ("1", "1")
    assert "OPENAI_API_KEY" not in inherited


def test_an_idle_worker_outlives_its_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel ends a worker with the thread that started it, so no thread of an executor does."""
    monkeypatch.setattr(local, "_idle", [])
    files.write_json(tmp_path / "task.json", find_task("invertedpendulum-balance"))
    for _ in range(2):
        with contextlib.closing(LocalExecutor(Share(1, 1))) as executor:
            assert executor.submit([tmp_path]).result() == ""
        [worker] = local._idle
        time.sleep(0.2)
        assert worker.process.poll() is None
    local.end_idle()
