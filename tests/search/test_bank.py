"""A run's bank: what it gathers, how large it grows, which programs it rejects; the same again on resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.judge.screening import RANDOM
from eureka_loop.judge.trajectory import FILE, save
from eureka_loop.records import Candidate, Task, Training
from eureka_loop.results import Trained, judged_episode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search.bank import TrajectoryBank
from eureka_loop.search.feedback import feedback
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

VOCABULARY = Vocabulary("Fake-v0", (Observable("speed", ()), Observable("alive", ())))
TASK = Task("fake", "Fake-v0", "", "def fitness(speed):\n    return speed.mean()\n")
FORWARDS = 'def compute_reward(speed, prev_speed):\n    return {"fast": speed, "even": -0.01 * np.abs(speed - prev_speed)}\n'
BACKWARDS = 'def compute_reward(speed, alive):\n    return {"fast": -speed, "alive": alive}\n'
BROKEN = "def compute_reward(speed):\n    return {'root': np.sqrt(speed - 1.0)}\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Random episodes, and six candidates of generation 0 with one training each, faster and faster."""
    run = Run.create(tmp_path, "fake")
    files.write_json(run.task_folder / "vocabulary.json", VOCABULARY)
    for number in range(2):
        keep(run.task_folder / f"random-{number}.npz", 0.01 * number)
    for number in range(6):
        run.write_candidate(candidate(f"g0-{number:02}", FORWARDS))
        train(run, f"g0-{number:02}", number - 1.0)
    return run


def candidate(id: str, source: str) -> Candidate:
    return Candidate(id, int(id[1]), source, "scripted")


def train(run: Run, id: str, speed: float, seed: int = 100) -> None:
    folder = run.job_folder(id, seed)
    folder.mkdir(parents=True)
    keep(folder / FILE, speed)
    files.write_json(
        folder / "result.json", Trained(id, seed, 1, (judged_episode(0, speed, None, 50),), (), {}, 0.0)
    )


def keep(path: Path, speed: float, steps: int = 50) -> None:
    column = np.full(steps, speed)
    columns = {"speed": column, "init_speed": 0 * column, "alive": column**0, "init_alive": column**0}
    save(path, columns, ["speed", "alive"])


def bank(run: Run, fork_server: ForkServer, relabel: int = 0) -> TrajectoryBank:
    return TrajectoryBank(run, fork_server, TASK, VOCABULARY, Training("sac", {}, bank=True, relabel=relabel))


def screened(run: Run, fork_server: ForkServer, *sources: str) -> None:
    """Screen candidates of generation 1 that have passed the gate."""
    for number, source in enumerate(sources):
        run.write_candidate(candidate(f"g1-{number:02}", source))
        bank(run, fork_server).screen(candidate(f"g1-{number:02}", source))


def policies(run: Run, fork_server: ForkServer, generation: int = 1, **limit: int) -> list[str]:
    return bank(run, fork_server).gather(generation, **limit).policies


def test_earlier_generations_and_random_actions_are_in_the_bank(run: Run, fork_server: ForkServer) -> None:
    """Neither the report's trainings, nor the references', nor the generation's own."""
    train(run, "g0-00", 9.0, seeds("report_training", 0, 1)[0])
    for id in ("human", "g1-00"):
        run.write_candidate(replace(candidate("g1-00", FORWARDS), id=id))
        train(run, id, 9.0)
    assert policies(run, fork_server, 0) == [RANDOM, RANDOM]
    assert policies(run, fork_server, 1) == [RANDOM, RANDOM, *(f"g0-{n:02}" for n in range(6))]


def test_the_bound_is_kept_and_the_spread_with_it(run: Run, fork_server: ForkServer) -> None:
    sizes = [path.stat().st_size for path in run.folder.glob(f"candidates/**/{FILE}")]
    one = max(sizes)
    kept = policies(run, fork_server, most=3 * one)
    assert kept == [RANDOM, RANDOM, "g0-00", "g0-03", "g0-05"]
    assert sum(path.stat().st_size for path in run.folder.glob(f"candidates/**/{FILE}")) <= 3 * one
    assert policies(run, fork_server, most=3 * one) == kept


def test_backwards_is_not_trained_and_the_designer_reads_why(run: Run, fork_server: ForkServer) -> None:
    screened(run, fork_server, FORWARDS, BACKWARDS)
    assert run.failure("g1-00") is None
    failed = run.failure("g1-01")
    assert failed is not None
    assert failed.kind == "ranks_backwards"
    assert failed.skipped
    assert feedback([], [run.evaluated("g1-01")]) == (
        "The programs of this generation:\ng1-01: not trained, since it pays more where the task is done worse: "
        "over 8 recorded episodes of 7 policies, Kendall's tau of its return with their ranks is -1.00 (95% interval "
        "-1.00 to -1.00); by term: 'fast' -1.00; always the same: 'alive'"
    )
    events = [(each["id"], each["kind"]) for each in run.events() if each["event"] == "failed"]
    assert events == [("g1-01", "ranks_backwards")]


def test_episodes_are_ranked_as_candidates_are(run: Run, fork_server: ForkServer) -> None:
    """By fitness those that succeed, below them by progress the others; equals are equal."""
    programs = {
        "fitness": "def fitness(speed):\n    return -abs(speed[-1] - 2.0)\n",
        "success": "def success(speed):\n    return len(speed) > 1 and speed[-1] > 2.5\n",
        "progress": "def progress(speed):\n    return ramp(speed[-1], 0.5, 1.5)\n",
    }
    task, training = replace(TASK, **programs), Training("sac", {}, bank=True)
    found = TrajectoryBank(run, fork_server, task, VOCABULARY, training).gather(1)
    speeds = [0.0, 0.01, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]  # 3 and 4 succeed
    assert found.policies[2:] == [f"g0-{n:02}" for n in range(6)]
    assert dict(zip(speeds, found.ranks, strict=True)) == {-1: 0, 0: 1, 0.01: 2, 1: 3, 2: 4, 4: 5, 3: 6}


def test_the_first_generation_is_left_alone(run: Run, fork_server: ForkServer) -> None:
    bank(run, fork_server).screen(candidate("g0-06", BACKWARDS))
    found = run.screened("g0-06")
    assert found is not None
    assert (found.verdict, found.why) == ("abstained", "episodes of too few policies (1 of 6)")
    assert run.failure("g0-06") is None


def test_a_program_that_fails_on_the_bank_is_trained_all_the_same(run: Run, fork_server: ForkServer) -> None:
    screened(run, fork_server, BROKEN)
    found = run.screened("g1-00")
    assert found is not None
    assert found.verdict == "abstained"
    assert found.why.startswith("it failed on them (not_finite: ")
    assert run.failure("g1-00") is None


def test_decided_once(run: Run, fork_server: ForkServer) -> None:
    """A run that goes on decides as it did, whatever the bank would say now."""
    screened(run, fork_server, FORWARDS, BACKWARDS)
    before = run.screened("g1-00"), run.failure("g1-01"), list(run.events())
    for number in range(6):
        (run.job_folder(f"g0-{number:02}", 100) / FILE).unlink()
    screened(run, fork_server, FORWARDS, BACKWARDS)
    assert (run.screened("g1-00"), run.failure("g1-01"), list(run.events())) == before
    run.clear_failure("g1-01")  # killed between verdict and rejection
    screened(run, fork_server, FORWARDS, BACKWARDS)
    assert run.failure("g1-01") == before[1]


def begins_with(run: Run, fork_server: ForkServer, generation: int, most: int) -> list[str]:
    """Candidates whose episodes a generation's trainings begin with."""
    episodes = bank(run, fork_server, most).begin_with(generation)
    return ["random" if path.parent == run.task_folder else path.parts[-3] for path in episodes]


def test_trainings_begin_with_whole_episodes_spread_over_fitness(run: Run, fork_server: ForkServer) -> None:
    """The best is among them, the next one is the worst; each has 50 steps."""
    assert begins_with(run, fork_server, 0, 10_000) == ["random"] * 2
    assert len(begins_with(run, fork_server, 1, 10_000)) == 8
    assert begins_with(run, fork_server, 1, 49) == []
    assert begins_with(run, fork_server, 1, 50) == ["g0-05"]
    assert begins_with(run, fork_server, 1, 149) == ["g0-00", "g0-05"]
    assert len(begins_with(run, fork_server, 1, 200)) == 4
