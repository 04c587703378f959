"""What is on disk is not trained again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.budget import Deadline, time_worked
from eureka_loop.execute.engine import ScriptedEngine, Watch
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.group import Stretch
from eureka_loop.records import SNAPSHOT, Candidate, Job, Later, Rung, Task, Training
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.search.halving import Halving, ladder
from eureka_loop.seeds import seeds
from eureka_loop.store import Run, read_result

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}), 10)
CANDIDATES = [Candidate(f"g0-0{n}", 0, f"source {n}", "scripted") for n in range(3)]


def answer(job: Job) -> Trained | Failed:
    if job.candidate == "g0-01":
        return Failed(job.candidate, "diverged", "nan", seed=job.seed)
    return Trained(
        job.candidate, job.seed, job.steps, (judged_episode(7, float(job.seed), None, 1),), (), {}, 0.1
    )


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


def test_the_searchs_trainings_alone_leave_an_episode_for_the_bank(run: Run) -> None:
    plan = replace(PLAN, training=replace(PLAN.training, bank=True))
    evaluation = Evaluation(run, ScriptedEngine(answer), plan, Deadline(None))
    search, report = 100, seeds("report_training", 0, 1)[0]
    evaluation.evaluate(CANDIDATES[:1], (search,), (7,))
    evaluation.evaluate(CANDIDATES[:1], (report,), (7,), report=True)
    jobs = [files.read_json(run.job_folder("g0-00", seed) / "job.json", Job) for seed in (search, report)]
    assert [job.keep_episode for job in jobs] == [True, False]


def test_the_searchs_trainings_alone_begin_with_recorded_transitions(run: Run) -> None:
    """Named from the job's own folder, so that a worker needs nothing else; the report compares from scratch."""
    asked: list[int] = []

    def begin_with(generation: int) -> list[Path]:
        asked.append(generation)
        return [run.task_folder / "random-0.npz"]

    evaluation = Evaluation(run, ScriptedEngine(answer), PLAN, Deadline(None), begin_with)
    search, report = 100, seeds("report_training", 0, 1)[0]
    evaluation.evaluate(CANDIDATES[:1], (search,), (7,))
    evaluation.evaluate(CANDIDATES[:1], (report,), (7,), report=True)
    evaluation.evaluate(CANDIDATES[:1], (search,), (7,))
    folders = [run.job_folder("g0-00", seed) for seed in (search, report)]
    (episode,), none = (files.read_json(folder / "job.json", Job).begin_with for folder in folders)
    assert (folders[0] / episode).resolve() == (run.task_folder / "random-0.npz").resolve()
    assert not Path(episode).is_absolute()
    assert none == ()
    assert asked == [0], "neither for the report nor for what is finished"


def test_finished_trainings_are_not_repeated(run: Run) -> None:
    first, second = ScriptedEngine(answer), ScriptedEngine(answer)
    before = Evaluation(run, first, PLAN, Deadline(None)).evaluate(CANDIDATES[:2], (0,), (7,))
    after = Evaluation(run, second, PLAN, Deadline(None)).evaluate(CANDIDATES, (0,), (7,))
    assert [folder.parent.name for folder in second.ran] == ["g0-02"]
    assert after[:2] == before


def test_what_failed_the_gate_is_not_trained(run: Run) -> None:
    run.fail(Failed("g0-00", "refused", "Line 1: no"))
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


def crashing(job: Job) -> Failed:
    return Failed(job.candidate, "crashed", "killed by signal 9", seed=job.seed)


def ran(run: Run, candidates: list[Candidate], seed: int, *, report: bool = False) -> list[str]:
    """Whose training is made now; this time nothing crashes."""
    engine = ScriptedEngine(answer)
    Evaluation(run, engine, PLAN, Deadline(None)).evaluate(candidates, (seed,), (7,), report=report)
    return [folder.parent.name for folder in engine.ran]


def test_a_crash_in_the_report_is_tried_again(run: Run) -> None:
    seed = seeds("report_training", 0, 1)[0]
    crashed = Evaluation(run, ScriptedEngine(crashing), PLAN, Deadline(None))
    crashed.evaluate(CANDIDATES[:2], (seed,), (7,), report=True)
    run.event("ranked", generation=0, order=["g0-02"])
    assert ran(run, CANDIDATES[:2], seed, report=True) == ["g0-00", "g0-01"]
    assert isinstance(run.result("g0-00", seed), Trained)
    assert isinstance(run.result("g0-01", seed), Failed)
    assert ran(run, CANDIDATES[:2], seed, report=True) == [], "what failed by itself has failed"
    assert [event["event"] for event in run.events() if event.get("id") == "g0-00"][-2:] == [
        "training",
        "trained",
    ]


def test_a_crash_in_the_search_is_tried_again_until_the_search_has_gone_on(run: Run) -> None:
    crashed = Evaluation(run, ScriptedEngine(crashing), PLAN, Deadline(None))
    crashed.evaluate([CANDIDATES[0]], (0,), (7,))
    run.event("ranked", generation=0, order=[])
    assert ran(run, [CANDIDATES[0]], 0) == ["g0-00"], (
        "a generation in which nothing was trained taught nothing"
    )
    crashed.evaluate([CANDIDATES[2]], (0,), (7,))
    run.event("ranked", generation=0, order=["g0-00"])
    assert ran(run, [CANDIDATES[2]], 0) == []


def test_a_crash_is_not_tried_again_where_others_were_halted(run: Run) -> None:
    crashed = Evaluation(run, ScriptedEngine(crashing), PLAN, Deadline(None))
    crashed.evaluate([CANDIDATES[0]], (0,), (7,))
    run.event("halted", id="g0-01", rung=0)
    assert ran(run, [CANDIDATES[0]], 0) == []


LADDER = ladder(2, Rung(0, 8, 2, 4, 4))  # 2, 4, 8 steps; 1, 1, 2 seeds
FOUR = [Candidate(f"g0-0{n}", 0, f"source {n}", "scripted") for n in range(4)]


def climbing(job: Job) -> Trained:
    """Later candidates are better; a job leaves what going on takes."""
    fitness = float(job.candidate[-1])
    scores = tuple(judged_episode(seed, fitness, None, 1) for seed in job.judge_seeds)
    return Trained(job.candidate, job.seed, job.until or job.steps, scores, (), {}, 0.1)


class LeavingEngine(ScriptedEngine):
    """Ends after so many jobs, as a kill would."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__(climbing)
        self.most = most

    def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
        for folder in super().run(folders, watch):
            if folder is None:
                continue
            (folder / SNAPSHOT).write_text("x")
            if len(self.ran) > self.most:
                raise KeyboardInterrupt
            yield folder


def climb(run: Run, engine: ScriptedEngine) -> list[Evaluated]:
    evaluation = Evaluation(run, engine, replace(PLAN, steps=8), Deadline(None))

    def train(candidates: Iterable[Candidate | Later], rung: Rung) -> Iterator[Evaluated]:
        judging = tuple(range(rung.episodes))
        return evaluation.stream(candidates, Stretch((0, 100)[: rung.seeds], judging, rung=rung))

    return list(Halving(LADDER, train, evaluation.halt).train(FOUR))


def told(run: Run) -> list[tuple[object, ...]]:
    names = ("event", "id", "seed", "rung")
    kept = [tuple(each.get(name) for name in names) for each in run.events() if each["event"] != "training"]
    return sorted(kept, key=repr)


def test_each_rung_goes_on_from_the_one_before(run: Run) -> None:
    run.write_candidate(FOUR[3])
    engine = LeavingEngine()
    found = climb(run, engine)
    jobs = {
        path.relative_to(run.folder / "candidates"): files.read_json(path / "job.json", Job)
        for path in engine.ran
    }
    assert {str(path): (job.until, job.after) for path, job in jobs.items() if job.candidate == "g0-03"} == {
        "g0-03/rung-0/seed-0": (2, ""),
        "g0-03/rung-1/seed-0": (4, "../../rung-0/seed-0"),
        "g0-03/seed-0": (None, "../rung-1/seed-0"),
        "g0-03/seed-100": (None, ""),
    }
    assert all(job.steps == 8 for job in jobs.values())
    assert [len(job.judge_seeds) for job in jobs.values() if job.candidate == "g0-03"] == [3, 3, 4, 4]
    assert len(jobs) == 4 + 2 + 2
    assert [len(each.results) for each in found] == [1, 1, 1, 2]
    assert [each.halted.rung if each.halted else None for each in found] == [0, 0, 1, None]


def test_readers_find_the_rung_that_was_reached(run: Run) -> None:
    run.write_candidate(FOUR[3])
    assert [run.evaluated(each.candidate.id) for each in climb(run, LeavingEngine())] == climb(
        run, LeavingEngine()
    )
    assert run.evaluated("g0-00").trained[0].steps == 2
    assert run.evaluated("g0-02").trained[0].steps == 4
    assert run.evaluated("g0-03").trained[0].steps == 8


def test_what_nobody_goes_on_from_is_removed(run: Run) -> None:
    run.write_candidate(FOUR[3])
    climb(run, LeavingEngine())
    left = [path.parent.parent.name for path in run.folder.glob(f"candidates/*/*/**/{SNAPSHOT}")]
    assert [path for path in left if path.startswith("rung")] == []


@pytest.mark.parametrize("most", range(8))
def test_killed_anywhere_it_resumes_to_the_same_end(most: int, run: Run, tmp_path: Path) -> None:
    undisturbed = Run.create(tmp_path / "other", "task")
    for each in (run, undisturbed):
        for candidate in FOUR:
            each.write_candidate(candidate)
    wanted = climb(undisturbed, LeavingEngine())
    first, second = LeavingEngine(most), LeavingEngine()
    with pytest.raises(KeyboardInterrupt):
        climb(run, first)
    assert climb(run, second) == wanted
    assert len(first.ran) + len(second.ran) == 8
    assert told(run) == told(undisturbed)
    for path in second.ran:  # what it goes on from was still there
        job = files.read_json(path / "job.json", Job)
        assert not job.after or read_result(path / job.after) is not None


def test_a_halt_whose_event_was_lost_is_told_once(run: Run) -> None:
    run.write_candidate(FOUR[3])
    climb(run, LeavingEngine())
    (run.folder / "events.jsonl").unlink()
    for _ in range(2):
        climb(run, LeavingEngine())
        halted = sorted(each["id"] for each in run.events() if each["event"] == "halted")
        assert halted == ["g0-00", "g0-01", "g0-02"]


def test_a_failure_on_a_rung_is_the_candidates(run: Run) -> None:
    def answer(job: Job) -> Trained | Failed:
        broken = job.candidate == "g0-03" and job.until == 4
        return Failed("g0-03", "diverged", "nan", seed=job.seed) if broken else climbing(job)

    run.write_candidate(FOUR[3])
    found = climb(run, ScriptedEngine(answer))
    assert [type(each) for each in found[3].results] == [Failed]
    assert run.evaluated("g0-03") == found[3]
    assert run.halted("g0-03") is None
    assert found[2].trained[0].steps == 8
