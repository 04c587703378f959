"""What is on disk is not trained again."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.budget import Deadline, time_worked
from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.engine import ScriptedEngine
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.records import Candidate, Failed, Job, Score, Task, Trained, Training
from eureka_loop.store import Run

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}), 10)
CANDIDATES = [Candidate(f"g0-0{n}", 0, f"source {n}", "scripted") for n in range(3)]


def answer(job: Job) -> Trained | Failed:
    if job.candidate == "g0-01":
        return Failed(job.candidate, "diverged", "nan", seed=job.seed)
    return Trained(job.candidate, job.seed, job.steps, (Score(7, float(job.seed), None, 1),), (), {}, 0.1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path, "task")
    for candidate in CANDIDATES:
        run.write_candidate(candidate)
    return run


def test_every_candidate_is_trained_on_every_seed(run: Run) -> None:
    engine = ScriptedEngine(answer)
    results = Evaluation(run, engine, PLAN, Deadline(None)).evaluate(CANDIDATES, (0, 100), (7,))
    assert [each.candidate.id for each in results] == ["g0-00", "g0-01", "g0-02"]
    assert [each.fitness for each in results] == [50.0, None, 50.0]
    assert len(engine.ran) == 6


def test_finished_trainings_are_not_repeated(run: Run) -> None:
    first, second = ScriptedEngine(answer), ScriptedEngine(answer)
    before = Evaluation(run, first, PLAN, Deadline(None)).evaluate(CANDIDATES[:2], (0,), (7,))
    after = Evaluation(run, second, PLAN, Deadline(None)).evaluate(CANDIDATES, (0,), (7,))
    assert [folder.parent.name for folder in second.ran] == ["g0-02"]
    assert after[:2] == before


def test_what_failed_the_gate_is_not_trained(run: Run) -> None:
    run.write_failure(Failed("g0-00", "refused", "Line 1: no"))
    engine = ScriptedEngine(answer)
    results = Evaluation(run, engine, PLAN, Deadline(None)).evaluate(CANDIDATES, (0,), (7,))
    assert results[0].failures[0].kind == "refused"
    assert [folder.parent.name for folder in engine.ran] == ["g0-01", "g0-02"]


def test_the_deadline_ends_a_batch_and_keeps_what_is_done(run: Run) -> None:
    evaluation = Evaluation(run, ScriptedEngine(answer), PLAN, Deadline(1e-9))
    with pytest.raises(BudgetSpent, match="--max-hours"):
        evaluation.evaluate(CANDIDATES, (0,), (7,))


def test_time_between_lives_is_not_worked() -> None:
    events = [
        {"event": "started", "time": 0.0},
        {"event": "trained", "time": 10.0},
        {"event": "resumed", "time": 1000.0},
        {"event": "trained", "time": 1005.0},
    ]
    assert time_worked(events) == 15.0


def test_a_result_whose_event_was_lost_is_told_on_resume(run: Run) -> None:
    """Killed between result.json and the event."""
    evaluation = Evaluation(run, ScriptedEngine(answer), PLAN, Deadline(None))
    evaluation.evaluate(CANDIDATES[:1], (0,), (7,))
    (run.folder / "events.jsonl").unlink()
    evaluation.evaluate(CANDIDATES[:1], (0,), (7,))
    assert [event["event"] for event in run.events()] == ["trained"]
    evaluation.evaluate(CANDIDATES[:1], (0,), (7,))
    assert [event["event"] for event in run.events()] == ["trained"]
