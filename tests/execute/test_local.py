"""The engine with workers that misbehave: real processes, and a program that stands in for the trainer."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent, RunError
from eureka_loop.execute.local import TRIES, LocalEngine
from eureka_loop.execute.machine import Share
from eureka_loop.execute.processes import Worker
from eureka_loop.records import Later
from eureka_loop.results import Failed, Trained
from eureka_loop.store import read_result
from tests.execute.conftest import MakeJob

# Each candidate's name says what happens to the worker that has it.
STAND_IN = """
import json, os, signal, sys, time
from pathlib import Path
from eureka_loop import files
from eureka_loop.results import Trained, judged_episode

for line in sys.stdin:
    folders = [Path(folder) for folder in json.loads(line)]
    for folder in folders:
        name = folder.parent.name
        tries = folder.parent / "tries"
        with tries.open("a") as file:
            print(len(folders), file=file)
        with (folder / "worker.log").open("w") as log:
            print("no room left", file=log)
        if name.startswith("kills") or name.startswith("once") and len(tries.read_text().split()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("hangs"):
            time.sleep(60)
        if name.startswith("leaves"):
            sys.exit(75)
    for folder in folders:
        done = Trained(folder.parent.name, 0, 10, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1)
        files.write_json(folder / "result.json", done)
    os.write(1, b"done\\n")
"""


class Quiet:
    def __init__(self) -> None:
        self.begun: list[str] = []

    def started(self, folder: Path) -> None:
        self.begun.append(folder.parent.name)

    def tick(self, active: Sequence[Path]) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    return LocalEngine(Share(1, 32), lambda: Worker([str(program)]), silence=1.0)


def run(engine: LocalEngine, folders: Sequence[Path]) -> dict[str, Trained | Failed]:
    with engine:
        ended = [folder for folder in engine.run(folders, Quiet()) if folder is not None]
        results = {folder.parent.name: read_result(folder) for folder in ended}
    assert None not in results.values()
    return results  # type: ignore[return-value]


def tries(folder: Path) -> list[int]:
    """How many jobs the worker had, each time that it had this one."""
    return [int(each) for each in (folder.parent / "tries").read_text().split()]


def test_a_cohort_whose_worker_is_killed_once_is_trained_again_as_it_was(
    engine: LocalEngine, make_job: MakeJob
) -> None:
    folders = [make_job("a", trainer="population"), make_job("once", trainer="population")]
    results = run(engine, folders)
    assert all(isinstance(each, Trained) for each in results.values())
    assert tries(folders[0]) == [2, 2]


def test_who_brings_a_cohort_down_fails_alone(engine: LocalEngine, make_job: MakeJob) -> None:
    folders = [make_job(name, trainer="population") for name in ("a", "kills", "b")]
    results = run(engine, folders)
    assert [name for name, each in results.items() if isinstance(each, Trained)] != []
    assert {name: type(each) for name, each in results.items()} == {
        "a": Trained,
        "kills": Failed,
        "b": Trained,
    }
    failed = results["kills"]
    assert isinstance(failed, Failed)
    assert failed.kind == "crashed"
    assert "killed by signal 9" in failed.message
    assert tries(folders[1]) == [3, 3, 1]
    assert len(tries(folders[1])) == TRIES


def test_a_worker_that_hangs_is_ended(engine: LocalEngine, make_job: MakeJob) -> None:
    results = run(engine, [make_job("hangs"), make_job("fine")])
    assert isinstance(results["hangs"], Failed)
    assert isinstance(results["fine"], Trained)


def test_what_is_no_fault_of_the_candidate_ends_the_run_without_a_result(
    engine: LocalEngine, make_job: MakeJob
) -> None:
    folder = make_job("leaves")
    with pytest.raises(RunError, match="no room left"):
        run(engine, [folder])
    assert not (folder / "result.json").exists()
    assert len(tries(folder)) == TRIES


def test_no_worker_outlives_the_engine(engine: LocalEngine, make_job: MakeJob) -> None:
    begun = []

    def noted() -> Worker:
        begun.append(Worker(["-c", "import time; time.sleep(60)"]))
        return begun[-1]

    running = LocalEngine(Share(1, 32), noted).run([make_job("a")], Stop())
    with pytest.raises(KeyboardInterrupt):
        next(running)
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0].process.pid, 0)


def test_what_comes_while_others_run_is_done_too_and_an_error_waits_for_it(
    engine: LocalEngine, make_job: MakeJob
) -> None:
    first, second = make_job("a"), make_job("b")

    def coming() -> Iterator[Path | Later]:
        yield first
        while not (first / "result.json").exists():
            yield Later(1)
        yield second
        raise BudgetSpent("--max-usd 1.00")

    with engine, pytest.raises(BudgetSpent):
        list(engine.run(coming(), Quiet()))
    assert all((folder / "result.json").exists() for folder in (first, second))


class Stop(Quiet):
    def tick(self, active: Sequence[Path]) -> None:
        raise KeyboardInterrupt
