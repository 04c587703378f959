"""Candidates → jobs → results: nothing on disk is done again, and an interrupted cohort begins again as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.budget import run_within
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate, Job, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}, "population"), 10)
SHARE = Share(2, 32)
CANDIDATES = [Candidate(f"g0-0{n}", 0, f"source {n}", "scripted") for n in range(4)]
STAGE = Stage((0,), (7,))
REPORT = Stage(seeds("report_training", 0, 1), (7,), report=True)


def answer(job: Job) -> Trained | Failed:
    if job.candidate == "g0-01":
        return Failed(job.candidate, "diverged", "nan", seed=job.seed)
    episodes = (judged_episode(7, float(job.seed), None, 1),)
    return Trained(job.candidate, job.seed, job.steps, episodes, (), {}, 0.1)


def crashing(job: Job) -> Failed:
    return Failed(job.candidate, "crashed", "killed by signal 9", seed=job.seed)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path, "task")
    for candidate in CANDIDATES:
        run.write_candidate(candidate)
    return run


def evaluation(run: Run, executor: ScriptedExecutor, share: Share = SHARE) -> Evaluation:
    return Evaluation(run, executor, PLAN, share)


def cohorts(executor: ScriptedExecutor) -> list[list[str]]:
    return [[folder.parent.name for folder in folders] for folders in executor.submitted]


def job(run: Run, id: str, seed: int = 0) -> Job:
    return files.read_json(run.job_folder(id, seed) / "job.json", Job)


def test_every_candidate_is_trained_on_every_seed_in_cohorts_by_index(run: Run) -> None:
    executor = ScriptedExecutor(answer)
    results = evaluation(run, executor).evaluate(CANDIDATES[:3], Stage((0, 100), (7,)))
    assert [each.candidate.id for each in results] == ["g0-00", "g0-01", "g0-02"]
    assert [each.fitness for each in results] == [50.0, None, 50.0]
    assert cohorts(executor) == [["g0-00", "g0-00", "g0-01"], ["g0-01", "g0-02", "g0-02"]]
    assert job(run, "g0-00").cohort == ("g0-00/seed-0", "g0-00/seed-100", "g0-01/seed-0")


@pytest.mark.parametrize("stage", [STAGE, REPORT])
def test_only_trainings_of_the_search_keep_an_episode_and_begin_with_recorded_ones(
    run: Run, stage: Stage
) -> None:
    plan = replace(PLAN, training=replace(PLAN.training, bank=True))
    begin_with = [run.task_folder / "random-0.npz"]
    Evaluation(run, ScriptedExecutor(answer), plan, SHARE, lambda _: begin_with).evaluate(
        CANDIDATES[:1], stage
    )
    found = job(run, "g0-00", stage.training[0])
    assert found.keep_episode is not stage.report
    assert found.begin_with == (() if stage.report else ("../../../task/random-0.npz",))


def test_finished_trainings_are_not_repeated(run: Run) -> None:
    before = evaluation(run, ScriptedExecutor(answer)).evaluate(CANDIDATES[:2], STAGE)
    executor = ScriptedExecutor(answer)
    after = evaluation(run, executor).evaluate(CANDIDATES[:3], STAGE)
    assert cohorts(executor) == [["g0-02"]]
    assert after[:2] == before


@pytest.mark.parametrize("lost", [["g0-03"], ["g0-02", "g0-03"]])
def test_an_interrupted_cohort_begins_again_as_a_whole(run: Run, lost: list[str]) -> None:
    """Also with other workers than before, and where its plan has changed since."""
    evaluation(run, ScriptedExecutor(answer)).evaluate(CANDIDATES, STAGE)
    for id in lost:
        (run.job_folder(id, 0) / "result.json").unlink()
    again = ScriptedExecutor(answer)
    evaluation(run, again, Share(1, 32)).evaluate(CANDIDATES, STAGE)
    assert cohorts(again) == [["g0-02", "g0-03"]]
    trained = [event["id"] for event in run.events() if event["event"] in ("trained", "failed")]
    assert sorted(trained) == ["g0-00", "g0-01", "g0-02", "g0-03"], "each result has one event"


def test_more_seeds_later_leave_what_is_there_as_it_is(run: Run) -> None:
    """`eureka compare` with more seeds."""
    first, second, third = (ScriptedExecutor(answer) for _ in range(3))
    few, many = (Stage(seeds("report_training", 0, n), (7,), report=True) for n in (2, 4))
    evaluation(run, first, Share(1, 32)).evaluate(CANDIDATES[2:], few)
    (run.job_folder("g0-02", few.training[0]) / "result.json").unlink()
    evaluation(run, second, Share(1, 32)).evaluate(CANDIDATES[2:], many)
    assert sorted(map(len, second.submitted)) == [4, 4]
    assert first.submitted[0] in second.submitted
    evaluation(run, third, Share(1, 32)).evaluate(CANDIDATES[2:], many)
    assert third.submitted == []


def test_refused_candidates_are_not_trained(run: Run) -> None:
    run.fail(Failed("g0-00", "refused", "Line 1: no"))
    executor = ScriptedExecutor(answer)
    results = evaluation(run, executor).evaluate(CANDIDATES[:3], STAGE)
    assert results[0].failures[0].kind == "refused"
    assert cohorts(executor) == [["g0-01", "g0-02"]]


def test_the_deadline_ends_the_work(run: Run) -> None:
    class Waiting(ScriptedExecutor):
        def submit(self, folders: Sequence[Path]) -> Future[str]:
            return Future()

    with pytest.raises(BudgetSpent, match="--max-hours"):
        run_within(evaluation(run, Waiting(answer)).train_all(CANDIDATES, STAGE), 1e-4)


def test_a_result_with_a_lost_event_gets_it_on_resume(run: Run) -> None:
    """Killed between result.json and the event."""
    evaluation(run, ScriptedExecutor(answer)).evaluate(CANDIDATES[:1], STAGE)
    (run.folder / "events.jsonl").unlink()
    for _ in range(2):
        evaluation(run, ScriptedExecutor(answer)).evaluate(CANDIDATES[:1], STAGE)
        assert [event["event"] for event in run.events()] == ["trained"]


def test_progress_comes_through_files(run: Run) -> None:
    class Slow(ScriptedExecutor):
        def submit(self, folders: Sequence[Path]) -> Future[str]:
            for folder in folders:
                files.append_line(folder / "progress.jsonl", {"step": 5, "fitness": 0.5})
            return super().submit(folders)

    events: list[tuple[object, ...]] = []
    run.listen(lambda event: events.append(tuple(event.get(name) for name in ("event", "id", "step"))))
    found: list[Evaluated] = evaluation(run, Slow(answer)).evaluate(CANDIDATES[:1], STAGE)
    assert events == [("training", "g0-00", None), ("progress", "g0-00", 5), ("trained", "g0-00", None)]
    assert found[0].fitness == 0.0


@pytest.mark.parametrize("stage", [STAGE, REPORT])
def test_a_crash_is_tried_again_unless_a_rung_was_decided_without_it(run: Run, stage: Stage) -> None:
    def retried() -> list[list[str]]:
        executor = ScriptedExecutor(answer)
        evaluation(run, executor).evaluate(CANDIDATES[:2], stage)
        return cohorts(executor)

    evaluation(run, ScriptedExecutor(crashing)).evaluate(CANDIDATES[:2], stage)
    run.event("halted", id="g0-03", rung=0)
    assert retried() == ([["g0-00"], ["g0-01"]] if stage.report else [])
    (run.folder / "events.jsonl").unlink()
    retried()
    assert isinstance(run.result("g0-00", stage.training[0]), Trained)
    assert retried() == [], "g0-01 failed by itself"
