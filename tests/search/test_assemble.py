"""A run's share of the machine, and its record."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.errors import Damaged
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Machine, Share
from eureka_loop.records import Task, Training
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import assemble
from eureka_loop.store import Run

VOCABULARY = Vocabulary("E-v0", (Observable("obs", (348,)), Observable("action", (17,))), horizon=1000)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path, "task")
    config = RunConfig(task="t", designer="templates", algo="sac", steps=1_000_000)
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(config)))
    task = Task("t", "E-v0", "x", "def fitness(obs):\n    return obs.mean()\n")
    files.write_json(run.task_folder / "task.json", task)
    files.write_json(run.task_folder / "vocabulary.json", VOCABULARY)
    files.write_json(run.task_folder / "training.json", Training("sac", {}))
    return run


def recorded(run: Run) -> list[tuple[object, ...]]:
    return [tuple(each.get(name) for name in ("event", "jobs", "cores", "memory")) for each in run.events()]


def test_the_recorded_share_is_the_one_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is looked at once: the next moment it may have other memory free."""
    looks = [Machine(8, 16e9), Machine(8, 64e9)]
    used: list[Share] = []

    class Noted(ScriptedExecutor):
        def __init__(self, share: Share) -> None:
            used.append(share)

    monkeypatch.setattr(assemble.machine, "look", lambda: looks.pop(0))
    monkeypatch.setattr(assemble.EXECUTORS, "load", lambda name: Noted)
    monkeypatch.setattr(Run, "probe", lambda run: {})
    for jobs in (2, None):
        with assemble.assembled(run, jobs) as assembly:
            assemble.announce(run, assembly.machine, assembly.share)
    assert used[0].workers == 2
    assert used[1].workers == 8
    assert used[1].memory > 8 * 5.5e9
    assert recorded(run) == [("started", 2, 8, used[0].memory), ("shared", 8, 8, used[1].memory)]


def test_another_share_is_recorded_once_and_changes_no_cohort(run: Run) -> None:
    """`eureka resume --jobs`, or another machine."""
    assert assemble.planned_share(run) is None
    for share in (Share(8, 6), Share(8, 6), Share(3, 1), Share(3, 1), Share(8, 6)):
        assemble.announce(run, Machine(8, 16e9), share)
        assert assemble.planned_share(run) == Share(8, 6)
    assert [each[:2] for each in recorded(run)] == [("started", 8), ("shared", 3), ("shared", 8)]


def test_a_run_whose_share_is_lost_is_damaged(run: Run) -> None:
    run.event("started", learners=6)
    with pytest.raises(Damaged, match=r"events\.jsonl is damaged: the event 'started' names no jobs"):
        assemble.planned_share(run)
