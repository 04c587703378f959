"""Which of the bank's episodes a generation's trainings begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.judge.trajectory import FILE, moments, save
from eureka_loop.records import Candidate, Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search.relabelling import Relabelling
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

VOCABULARY = Vocabulary("Fake-v0", (Observable("speed", ()),))
TASK = Task("fake", "Fake-v0", "", "def fitness(speed):\n    return speed.mean()\n")
STEPS = 50  # of every episode


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two random episodes, and of generations 0 and 1 three each, faster and faster."""
    run = Run.create(tmp_path, "fake")
    files.write_json(run.task_folder / "vocabulary.json", VOCABULARY)
    for number in range(2):
        keep(run.task_folder / f"random-{number}.npz", 0.1 * number)
    for number in range(6):
        id = f"g{number // 3}-0{number % 3}"
        run.write_candidate(Candidate(id, number // 3, "", "scripted"))
        keep(run.job_folder(id, 100) / FILE, 1.0 + number)
    keep(run.job_folder("g0-00", seeds("report_training", 0, 1)[0]) / FILE, 99.0)
    return run


def keep(path: Path, speed: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    column = np.full(STEPS, speed)
    save(path, moments({"speed": column, "init_speed": 0 * column}, ["speed"]))


def chosen(run: Run, fork_server: ForkServer, generation: int, most: int) -> list[str]:
    found = Relabelling(run, fork_server, TASK, VOCABULARY, most).episodes(generation)
    return ["random" if path.parent == run.task_folder else path.parts[-3] for path in found]


def test_off_it_asks_nobody(run: Run, fork_server: ForkServer) -> None:
    (run.task_folder / "random-0.npz").write_bytes(b"no archive")
    assert chosen(run, fork_server, 1, 0) == []


def test_earlier_generations_alone_and_never_the_report(run: Run, fork_server: ForkServer) -> None:
    assert chosen(run, fork_server, 0, 10_000) == ["random"] * 2
    assert chosen(run, fork_server, 1, 10_000) == ["random"] * 2 + ["g0-00", "g0-01", "g0-02"]
    assert len(chosen(run, fork_server, 2, 10_000)) == 8


def test_no_more_than_asked_for_and_spread_over_fitness(run: Run, fork_server: ForkServer) -> None:
    """Whole episodes; the best is among them, the next one is the worst."""
    assert chosen(run, fork_server, 2, STEPS - 1) == []
    assert chosen(run, fork_server, 2, STEPS) == ["g1-02"]
    assert chosen(run, fork_server, 2, 3 * STEPS - 1) == ["random", "g1-02"]
    assert chosen(run, fork_server, 2, 4 * STEPS) == ["random", "g0-00", "g1-00", "g1-02"]


def test_the_same_again_when_a_run_goes_on(run: Run, fork_server: ForkServer) -> None:
    """However far the generation itself has come."""
    before = chosen(run, fork_server, 1, 3 * STEPS)
    keep(run.job_folder("g1-00", 200) / FILE, 50.0)
    assert chosen(run, fork_server, 1, 3 * STEPS) == before
