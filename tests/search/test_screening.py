"""A run's bank: what it gathers, how large it grows, which programs it rejects; the same again on resume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.screening import RANDOM
from eureka_loop.judge.trajectory import FILE, moments, save, size
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Trained, judged_episode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search.bank import gather, relabelled_episodes
from eureka_loop.search.feedback import feedback
from eureka_loop.search.screening import Screening
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

VOCABULARY = Vocabulary("Fake-v0", (Observable("speed", ()), Observable("alive", ())))
TASK = Task("fake", "Fake-v0", "", "def fitness(speed):\n    return speed.mean()\n")
FORWARDS = 'def compute_reward(speed, prev_speed):\n    return {"fast": speed, "even": -0.01 * np.abs(speed - prev_speed)}\n'
BACKWARDS = 'def compute_reward(speed, alive):\n    return {"fast": -speed, "alive": alive}\n'
BROKEN = "def compute_reward(speed):\n    return {'root': np.sqrt(speed - 1.0)}\n"


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


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
    save(path, moments(columns, ["speed", "alive"]))


def written(run: Run, **sources: str) -> list[Candidate]:
    """Candidates of generation 1, through the gate."""
    found = [candidate(f"g1-{number:02}", source) for number, source in enumerate(sources.values())]
    for each in found:
        run.write_candidate(each)
    return found


def screening(run: Run, fork_server: ForkServer) -> Screening:
    return Screening(run, fork_server, TASK, VOCABULARY, 0.99)


def screened(run: Run, fork_server: ForkServer, candidates: Sequence[Candidate]) -> None:
    for each in candidates:
        screening(run, fork_server).screen(each)


def policies(run: Run, fork_server: ForkServer, generation: int = 1, **limit: int) -> list[str]:
    with ProgramJudge(fork_server, TASK, VOCABULARY) as judge:
        return gather(run, judge, generation, {}, **limit).policies


def test_earlier_generations_and_random_actions_are_in_the_bank(run: Run, fork_server: ForkServer) -> None:
    assert policies(run, fork_server, 0) == [RANDOM, RANDOM]
    assert policies(run, fork_server, 1) == [RANDOM, RANDOM, *(f"g0-{n:02}" for n in range(6))]


def test_reports_references_and_the_generation_itself_are_not(run: Run, fork_server: ForkServer) -> None:
    """Neither the report's trainings, nor the references', nor the generation's own."""
    train(run, "g0-00", 9.0, seeds("report_training", 0, 1)[0])
    run.write_candidate(replace(candidate("g0-99", FORWARDS), id="human"))
    train(run, "human", 9.0)
    written(run, one=FORWARDS)
    train(run, "g1-00", 9.0)
    assert len(policies(run, fork_server, 1)) == 8


def test_episodes_of_early_rungs_count_for_their_candidate(run: Run, fork_server: ForkServer) -> None:
    folder = run.job_folder("g0-03", 100, 0)
    folder.mkdir(parents=True)
    keep(folder / FILE, 1.0)
    assert policies(run, fork_server).count("g0-03") == 2


def test_the_bound_is_kept_and_the_spread_with_it(run: Run, fork_server: ForkServer) -> None:
    one = size(run.job_folder("g0-00", 100) / FILE)
    kept = policies(run, fork_server, most=3 * one)
    assert kept == [RANDOM, RANDOM, "g0-00", "g0-03", "g0-05"]
    assert sum(map(size, run.folder.glob(f"candidates/**/{FILE}"))) <= 3 * one
    assert policies(run, fork_server, most=3 * one) == kept


def test_backwards_is_not_trained_and_the_designer_is_told(run: Run, fork_server: ForkServer) -> None:
    candidates = written(run, good=FORWARDS, bad=BACKWARDS)
    screened(run, fork_server, candidates)
    assert run.failure("g1-00") is None
    failed = run.failure("g1-01")
    assert failed is not None
    assert failed.kind == "ranks_backwards"
    assert failed.skipped
    assert feedback(None, [run.evaluated("g1-01")]) == (
        "The programs of this generation:\ng1-01: not trained, since it pays more where the task is done worse: "
        "over 8 recorded episodes of 7 policies, Kendall's tau of its return with fitness is -1.00 (95% interval "
        "-1.00 to -1.00); by term: 'fast' -1.00; always the same: 'alive'"
    )
    told = [(each["id"], each["kind"]) for each in run.events() if each["event"] == "failed"]
    assert told == [("g1-01", "ranks_backwards")]


def test_the_first_generation_is_left_alone(run: Run, fork_server: ForkServer) -> None:
    run.write_candidate(candidate("g0-06", BACKWARDS))
    screened(run, fork_server, [candidate("g0-06", BACKWARDS)])
    found = run.screened("g0-06")
    assert found is not None
    assert (found.verdict, found.why) == ("abstained", "episodes of too few policies (1 of 6)")
    assert run.failure("g0-06") is None


def test_a_program_that_fails_on_the_bank_is_trained_all_the_same(run: Run, fork_server: ForkServer) -> None:
    screened(run, fork_server, written(run, broken=BROKEN))
    found = run.screened("g1-00")
    assert found is not None
    assert found.verdict == "abstained"
    assert found.why.startswith("it failed on them (not_finite: ")
    assert run.failure("g1-00") is None


def test_decided_once(run: Run, fork_server: ForkServer) -> None:
    """A run that goes on decides as it did, whatever the bank would say now."""
    candidates = written(run, good=FORWARDS, bad=BACKWARDS)
    screened(run, fork_server, candidates)
    before = run.screened("g1-00"), run.failure("g1-01"), list(run.events())
    for number in range(6):
        (run.job_folder(f"g0-{number:02}", 100) / FILE).unlink()
    screened(run, fork_server, candidates)
    assert (run.screened("g1-00"), run.failure("g1-01"), list(run.events())) == before


def test_killed_between_verdict_and_rejection(run: Run, fork_server: ForkServer) -> None:
    candidates = written(run, bad=BACKWARDS)
    screened(run, fork_server, candidates)
    failed = run.failure("g1-00")
    run.clear_failure("g1-00")
    screened(run, fork_server, candidates)
    assert run.failure("g1-00") == failed


def test_what_has_begun_to_train_is_not_asked_about(run: Run, fork_server: ForkServer) -> None:
    candidates = written(run, bad=BACKWARDS)
    run.job_folder("g1-00", 100).mkdir()
    screened(run, fork_server, candidates)
    assert run.screened("g1-00") is None
    assert run.failure("g1-00") is None


def begins_with(run: Run, fork_server: ForkServer, generation: int, most: int) -> list[str]:
    """Candidates whose episodes a generation's trainings begin with."""
    episodes = relabelled_episodes(run, fork_server, TASK, VOCABULARY, most)
    return ["random" if path.parent == run.task_folder else path.parts[-3] for path in episodes(generation)]


def test_trainings_begin_with_whole_episodes_spread_over_fitness(run: Run, fork_server: ForkServer) -> None:
    """The best is among them, the next one is the worst; each has 50 steps."""
    assert begins_with(run, fork_server, 0, 10_000) == ["random"] * 2
    assert len(begins_with(run, fork_server, 1, 10_000)) == 8
    assert begins_with(run, fork_server, 1, 49) == []
    assert begins_with(run, fork_server, 1, 50) == ["g0-05"]
    assert begins_with(run, fork_server, 1, 149) == ["g0-00", "g0-05"]
    assert len(begins_with(run, fork_server, 1, 200)) == 4


def test_without_relabelling_nothing_is_read(run: Run, fork_server: ForkServer) -> None:
    (run.task_folder / "random-0.npz").write_bytes(b"no archive")
    assert begins_with(run, fork_server, 1, 0) == []
