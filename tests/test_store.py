"""A run is a folder: one writer, any reader, nothing half there."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import BadInput, RunError
from eureka_loop.records import Candidate, Job, Reply, Task
from eureka_loop.results import Failed, Trained, judged_episode
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

CANDIDATE = Candidate("g0-00", 0, "def compute_reward(): ...\n", "templates", ("g0-01",), "mutated")


def trained(seed: int, fitness: float) -> Trained:
    return Trained("g0-00", seed, 10, (judged_episode(1, fitness, None, 3),), (), {}, 1.0)


def test_candidates_and_replies_come_back_equal(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    run.write_candidate(CANDIDATE, feedback="do better")
    assert run.candidate("g0-00") == CANDIDATE
    assert run.feedback("g0-00") == "do better"
    reply = Reply("source", ("g0-01",), "note", exchange={"reply": "é", "n": [1]})
    for each in (reply, Reply(None, problem="prose")):
        run.write_reply("g1-02", each)
    assert run.replies("g1-02") == [reply, Reply(None, problem="prose")]
    assert run.replies("g1-03") == []
    (run.candidate_folder("g0-00") / "origin.json").unlink()  # written last
    assert run.candidate_ids() == []


def test_search_and_report_results_are_kept_apart(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    files.write_text(run.folder / "run.toml", "")
    run.write_candidate(CANDIDATE)
    searched, reported = seeds("training", 0, 1)[0], seeds("report_training", 0, 1)[0]
    for seed, fitness in ((searched, 1.0), (reported, 2.0)):
        files.write_json(run.job_folder("g0-00", seed) / "result.json", trained(seed, fitness))
    assert run.evaluated("g0-00").fitness == 1.0
    assert run.evaluated("g0-00", report=True).fitness == 2.0


def test_a_failed_seed_is_a_failure_and_not_a_score(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    run.write_candidate(CANDIDATE)
    files.write_json(run.job_folder("g0-00", 0) / "result.json", trained(0, 1.0))
    failed = Failed("g0-00", "diverged", "m", seed=100)
    files.write_json(run.job_folder("g0-00", 100) / "result.json", failed)
    evaluated = run.evaluated("g0-00")
    assert evaluated.fitness is None
    assert evaluated.failures == (failed,)


def test_a_second_writer_is_turned_away(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    with pytest.raises(RunError, match=rf"in use by another process \(pid {os.getpid()}\)"):
        Run(run.folder).lock()
    run.close()
    Run(run.folder).lock().close()


def test_an_unwritable_place_is_said_and_an_abandoned_one_is_left_as_it_was(tmp_path: Path) -> None:
    first, second = Run.create(tmp_path / "runs", "task"), Run.create(tmp_path / "runs", "task")
    assert first.folder != second.folder
    second.discard()
    assert first.folder.exists()
    first.discard()
    assert not (tmp_path / "runs").exists()
    (tmp_path / "own").mkdir()
    Run.create(tmp_path / "own", "task").discard()
    assert list((tmp_path / "own").iterdir()) == [], "the user's folder stays"
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="choose another --out"):
        Run.create(tmp_path / "file", "task")


def test_a_new_training_starts_from_an_empty_folder(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    job = Job("g0-00", 0, Task("t", "E-v0", "x", "f"), "s", "ppo", 10, {}, (1,))
    folder = run.write_job(job)
    (folder / "progress.jsonl").write_text("{}\n")
    assert [path.name for path in run.write_job(job).iterdir()] == ["job.json"]


def test_listeners_hear_events_and_passing_ones_are_not_kept(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "task")
    heard: list[str] = []
    run.listen(lambda event: heard.append(event["event"]))
    run.event("started")
    run.event("progress", step=1)
    assert heard == ["started", "progress"]
    assert [event["event"] for event in run.events()] == ["started"]


def test_events_from_many_threads_stay_whole_and_in_order(tmp_path: Path) -> None:
    run, heard = Run.create(tmp_path, "task"), list[int]()
    run.listen(lambda event: heard.append(event["n"]))
    threads = [
        threading.Thread(target=lambda first=first: [run.event("x", n=first + n) for n in range(10)])
        for first in range(0, 80, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == list(range(80))
    assert [event["n"] for event in run.events()] == heard


def test_a_run_is_blank_until_a_reply_came_or_somebody_went_on_with_it(tmp_path: Path) -> None:
    run, resumed = Run.create(tmp_path, "task"), Run.create(tmp_path, "task")
    run.event("started")
    assert run.blank
    run.write_reply("g0-00", Reply("paid for"))
    assert not run.blank
    resumed.event("resumed")
    assert not resumed.blank


@pytest.mark.parametrize("words", ["runs", "runs/20261121-1", ".", "elsewhere/x"])
def test_what_is_no_run_names_the_latest_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    for name in ("20261121-1-a", "20261121-2-b", "20261121-3-c", "20261121-4-d"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.toml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        Run.open(Path(words))
    assert (
        str(caught.value)
        == f"{words} is not a run; the latest in runs: 20261121-2-b, 20261121-3-c, 20261121-4-d"
    )


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "t")
    run.write_candidate(Candidate("g0-00", 0, "", "llm"))
    for name, read in (("reward.py", run.candidate), ("feedback.txt", run.feedback)):
        (run.candidate_folder("g0-00") / name).unlink()
        with pytest.raises(RunError, match=f"can't read .*{name}: No such file"):
            read("g0-00")


@pytest.mark.parametrize("tokens", [-1, 10**400, "a dozen", 1.5, None, float("nan")], ids=range(6))
def test_spent_tokens_that_are_no_count_are_a_damaged_file(tmp_path: Path, tokens: object) -> None:
    run = Run(tmp_path)
    line = json.dumps(
        {"event": "spent", "time": 1, "prompt_tokens": tokens, "completion_tokens": 1, "usd": None}
    )
    (tmp_path / "events.jsonl").write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"events\.jsonl, line 1, is damaged: "):
        run.spent()
