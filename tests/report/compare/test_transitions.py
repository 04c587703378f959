"""Transitions and videos are made once; a video that could not be made may come later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.envs.registry import find_task
from eureka_loop.execute.requests import TRANSITIONS
from eureka_loop.records import Rollout
from eureka_loop.report.compare import transitions
from eureka_loop.report.compare.entries import Entry
from eureka_loop.report.compare.setup import Setup
from eureka_loop.report.compare.transitions import agreements, films, relate
from eureka_loop.results import Trained, judged_episode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.store import Run

ROWS = 20
FAST = 'def compute_reward(forward_velocity):\n    return {"fast": forward_velocity}\n'
FAILS = 'def compute_reward(forward_velocity):\n    return {"root": np.sqrt(-1.0 - forward_velocity ** 2)}\n'
A, B = Entry("a", "a.py", FAST), Entry("b", "b.py", FAST.replace('"fast": ', '"slow": -'))
SETUP = Setup(find_task("hopper-hop"), (A, B), ("ppo",), RunConfig(task="hopper-hop"), 1, "eureka compare")


@dataclass
class Workers:
    """Record made-up episodes and draw empty videos; count how often they are asked to."""

    recorded: int = 0
    drawn: int = 0
    why: str = ""

    def record(self, rollout: Rollout, folder: Path) -> None:
        self.recorded += 1
        files.write_json(folder / "rollout.json", rollout)
        policies = len(rollout.policies)
        speed = np.random.default_rng(policies).normal(size=ROWS * policies)
        columns = {"forward_velocity": speed, "qpos": np.zeros((ROWS * policies, 2))}
        np.savez(folder / TRANSITIONS, policy=np.repeat(np.arange(policies), ROWS) * 1.0, **columns)

    def film(self, folder: Path) -> str:
        self.drawn += 1
        for index in range(len(files.read_json(folder / "rollout.json", Rollout).policies)):
            if not self.why:
                (folder / f"film-{index}.mp4").write_bytes(b"film")
        return self.why


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "ppo")
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(SETUP.config)))
    observables = Observable("forward_velocity", ()), Observable("qpos", (2,)), Observable("time", ())
    files.write_json(run.task_folder / "vocabulary.json", Vocabulary("Hopper-v5", observables))
    files.write_json(run.task_folder / "task.json", SETUP.task)
    speed, time = np.linspace(-1, 1, ROWS), np.zeros(ROWS)
    np.savez(run.task_folder / "probe.npz", forward_velocity=speed, qpos=np.zeros((ROWS, 2)), time=time)
    for each in (A, B):
        trains(run, each)
    return run


def trains(run: Run, entry: Entry) -> None:
    seed = SETUP.training_seeds[0]
    folder = run.job_folder(entry.id, seed)
    result = Trained(entry.id, seed, 100, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1)
    files.write_json(folder / "result.json", result)
    (folder / "policy.zip").write_bytes(b"policy")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    found = Workers()
    monkeypatch.setattr(transitions, "record", found.record)
    monkeypatch.setattr(transitions, "filmed", found.film)
    return found


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def test_a_program_that_fails_is_left_out(run: Run, workers: Workers, fork_server: ForkServer) -> None:
    setup = replace(SETUP, entries=(A, B, Entry("c", "c.py", FAILS)))
    relate(setup, run, fork_server)
    (found,) = agreements(run)
    assert (found.ours, found.theirs, found.pearson, found.rows) == ("a", "b", pytest.approx(-1.0), 3 * ROWS)
    assert films(run).labels == ("a.py", "b.py")


def test_videos_may_come_later(run: Run, workers: Workers, fork_server: ForkServer) -> None:
    workers.why = "videos are turned off"
    relate(SETUP, run, fork_server)
    assert (films(run).labels, films(run).why_not) == ((), "videos are turned off")
    workers.why = ""
    relate(SETUP, run, fork_server)
    assert (films(run).labels, films(run).why_not) == (("a.py", "b.py"), "")
    assert (workers.recorded, workers.drawn) == (1, 2)
    (run.folder / "shared" / "film-1.mp4").unlink()
    relate(SETUP, run, fork_server)
    assert (workers.recorded, workers.drawn) == (1, 3)


def test_a_later_entry_is_recorded_together_with_all(
    run: Run, workers: Workers, fork_server: ForkServer
) -> None:
    relate(SETUP, run, fork_server)
    third = Entry("c", "c.py", FAST)
    trains(run, third)
    relate(replace(SETUP, entries=(A, B, third)), run, fork_server)
    assert [(each.theirs, each.rows) for each in agreements(run)] == [("b", 4 * ROWS), ("c", 4 * ROWS)]
    assert films(run).labels == ("a.py", "b.py", "c.py")
    assert (workers.recorded, workers.drawn) == (2, 2)


def test_without_a_policy_only_random_actions_are_compared(
    run: Run, workers: Workers, fork_server: ForkServer
) -> None:
    relate(replace(SETUP, config=replace(SETUP.config, seed=1)), run, fork_server)
    assert agreements(run)[0].sources == ("random actions",)
    assert films(run).why_not == "no policy was trained here"
    assert (workers.recorded, workers.drawn) == (0, 0)
