"""Candidates → jobs → results: nothing on disk is done again, and an interrupted cohort begins again as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files, provenance
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate, Job, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}, "population"), 10)
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
    files.write_text(run.folder / "run.toml", "")
    for candidate in CANDIDATES:
        run.write_candidate(candidate)
    return run


def evaluate(
    run: Run,
    candidates: Sequence[Candidate] = CANDIDATES,
    stage: Stage = STAGE,
    workers: int = 2,
    by: Callable[[Job], Trained | Failed] = answer,
) -> tuple[list[Evaluated], list[list[str]]]:
    """Results, and the candidates of each cohort that was submitted."""
    executor = ScriptedExecutor(by)
    evaluation = Evaluation(run, executor, PLAN, Share(workers, 32))
    results = asyncio.run(evaluation.train_all(candidates, stage))
    return results, [[folder.parent.name for folder in folders] for folders in executor.submitted]


def job(run: Run, id: str, seed: int = 0) -> Job:
    return files.read_json(run.job_folder(id, seed) / "job.json", Job)


def test_every_candidate_is_trained_on_every_seed_in_cohorts_by_index(run: Run) -> None:
    results, cohorts = evaluate(run, CANDIDATES[:3], Stage((0, 100), (7,)))
    assert [each.candidate.id for each in results] == ["g0-00", "g0-01", "g0-02"]
    assert [each.fitness for each in results] == [50.0, None, 50.0]
    assert cohorts == [["g0-00", "g0-00", "g0-01"], ["g0-01", "g0-02", "g0-02"]]
    assert job(run, "g0-00").cohort == ("g0-00/seed-0", "g0-00/seed-100", "g0-01/seed-0")


@pytest.mark.parametrize("made_here", [True, False])
@pytest.mark.parametrize("stage", [STAGE, REPORT])
def test_only_trainings_of_the_search_keep_an_episode_and_begin_with_recorded_ones(
    run: Run, stage: Stage, made_here: bool
) -> None:
    """Another's recorded transitions make no training of one's own."""
    plan = replace(PLAN, training=replace(PLAN.training, bank=True))
    if made_here:
        provenance.mark(run.folder, provenance.RUN)
    begin_with = [run.task_folder / "random-0.npz"]
    evaluation = Evaluation(run, ScriptedExecutor(answer), plan, Share(2, 32), lambda _: begin_with)
    asyncio.run(evaluation.train_all(CANDIDATES[:1], stage))
    found = job(run, "g0-00", stage.training[0])
    assert found.keep_episode is not stage.report
    wanted = made_here and not stage.report
    assert found.begin_with == (("../../../task/random-0.npz",) if wanted else ())


def test_finished_trainings_are_not_repeated(run: Run) -> None:
    before, _ = evaluate(run, CANDIDATES[:2])
    after, cohorts = evaluate(run, CANDIDATES[:3])
    assert cohorts == [["g0-02"]]
    assert after[:2] == before


@pytest.mark.parametrize("lost", [["g0-03"], ["g0-02", "g0-03"]])
def test_an_interrupted_cohort_begins_again_as_a_whole(run: Run, lost: list[str]) -> None:
    """Also with other workers than before, and where its plan has changed since."""
    evaluate(run)
    for id in lost:
        (run.job_folder(id, 0) / "result.json").unlink()
    assert evaluate(run, workers=1)[1] == [["g0-02", "g0-03"]]
    trained = [event["id"] for event in run.events() if event["event"] in ("trained", "failed")]
    assert sorted(trained) == ["g0-00", "g0-01", "g0-02", "g0-03"], "each result has one event"


def test_more_seeds_later_leave_what_is_there_as_it_is(run: Run) -> None:
    """`eureka compare` with more seeds."""
    few, many = (Stage(seeds("report_training", 0, n), (7,), report=True) for n in (2, 4))
    evaluate(run, CANDIDATES[2:], few, workers=1)
    begun = job(run, "g0-02", few.training[0]).cohort
    (run.job_folder("g0-02", few.training[0]) / "result.json").unlink()
    assert list(map(len, evaluate(run, CANDIDATES[2:], many, workers=1)[1])) == [4, 4]
    assert job(run, "g0-02", few.training[0]).cohort == begun
    assert evaluate(run, CANDIDATES[2:], many, workers=1)[1] == []


def test_refused_candidates_are_not_trained(run: Run) -> None:
    run.fail(Failed("g0-00", "refused", "Line 1: no"))
    results, cohorts = evaluate(run, CANDIDATES[:3])
    assert results[0].failures[0].kind == "refused"
    assert cohorts == [["g0-01", "g0-02"]]


def test_a_result_with_a_lost_event_gets_it_on_resume(run: Run) -> None:
    """Killed between result.json and the event."""
    evaluate(run, CANDIDATES[:1])
    (run.folder / "events.jsonl").unlink()
    for _ in range(2):
        evaluate(run, CANDIDATES[:1])
        assert [event["event"] for event in run.events()] == ["trained"]


def test_a_floor_that_fails_is_left_out_and_said_and_tried_again_on_resume(run: Run) -> None:
    def judge(by: Callable[[Job], Trained | Failed]) -> None:
        evaluation = Evaluation(run, ScriptedExecutor(by), PLAN, Share(2, 32))
        asyncio.run(evaluation.judge_floors())

    files.write_text(run.folder / "run.toml", "judge_episodes = 2\nseed = 3")
    judge(lambda job: crashing(job) if job.candidate == "random" else answer(job))
    floors = [
        "zero actions (not made here)",
        "an untrained policy (not made here)",
    ]  # the executor trains nothing
    assert list(run.floors()) == floors
    assert [each.message for each in run.failed_floors()] == ["killed by signal 9"]
    asked = files.read_json(run.folder / "floors" / "zero" / "job.json", Job)
    assert (asked.seed, asked.judge_seeds) == (3, seeds("report", 3, 2)), "the report's episodes"
    told = [(each["name"], each["message"]) for each in run.events() if each["event"] == "floor_failed"]
    assert told == [("random actions", "killed by signal 9")]
    judge(answer)
    assert (len(run.floors()), run.failed_floors()) == (3, [])


def test_progress_comes_through_files(run: Run) -> None:
    def slow(job: Job) -> Trained | Failed:
        files.append_line(run.job_folder(job.candidate, job.seed) / "progress.jsonl", {"step": 5})
        return answer(job)

    events: list[tuple[object, ...]] = []
    run.listen(lambda event: events.append(tuple(event.get(name) for name in ("event", "id", "step"))))
    evaluate(run, CANDIDATES[:1], by=slow)
    assert events == [("training", "g0-00", None), ("progress", "g0-00", 5), ("trained", "g0-00", None)]


@pytest.mark.parametrize("stage", [STAGE, REPORT])
def test_a_crash_is_tried_again(run: Run, stage: Stage) -> None:
    evaluate(run, CANDIDATES[:2], stage, by=crashing)
    assert evaluate(run, CANDIDATES[:2], stage)[1] == [["g0-00"], ["g0-01"]]
    assert isinstance(run.result("g0-00", stage.training[0]), Trained)
    assert evaluate(run, CANDIDATES[:2], stage)[1] == [], "g0-01 failed by itself"
