"""What a run says of the machine it uses."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.execute.machine import Machine, Share
from eureka_loop.records import Task, Training
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import assemble as wiring
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


def told(run: Run) -> list[tuple[object, ...]]:
    return [tuple(each.get(name) for name in ("event", "jobs", "cores", "memory")) for each in run.events()]


def test_another_share_is_told_once(run: Run) -> None:
    """`eureka resume --jobs`, or another machine."""
    machine, first, second = Machine(8, 16e9), Share(8, 1), Share(3, 1)
    for share in (first, first, second, second, first):
        wiring.announce(run, machine, share)
    assert told(run) == [
        ("started", 8, 8, first.memory),
        ("shared", 3, 8, second.memory),
        ("shared", 8, 8, first.memory),
    ]


def test_what_is_told_is_what_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is looked at once: the next moment it may have other memory free. Buffers of 5.6 GB each."""
    looks = [Machine(8, 16e9), Machine(8, 64e9)]
    used: list[Share] = []

    class Engine:
        def __init__(self, share: Share) -> None:
            used.append(share)

        def __enter__(self) -> Engine:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(wiring.machine, "look", lambda: looks.pop(0))
    monkeypatch.setattr(wiring, "LocalEngine", Engine)
    monkeypatch.setattr(Run, "probe", lambda run: {})
    with wiring.stages(run, 2) as stages:
        stages.announce()
    assert told(run) == [("started", 2, 8, used[0].memory)]
    with wiring.stages(run) as stages:
        stages.announce()
    assert used[1].workers == 8
    assert used[1].memory > 8 * 5.5e9
