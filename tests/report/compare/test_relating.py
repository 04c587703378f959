"""What is recorded and drawn once is not done again; a video that could not be made may come later."""

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
from eureka_loop.execute.recording import TRANSITIONS, is_recorded
from eureka_loop.records import Rollout
from eureka_loop.report.compare import relating
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import Contest, agreements, films
from eureka_loop.report.compare.relating import relate
from eureka_loop.results import Trained, judged_episode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.store import Run

ROWS = 20
FAST = 'def compute_reward(forward_velocity):\n    return {"fast": forward_velocity}\n'
FAILS = 'def compute_reward(forward_velocity):\n    return {"root": np.sqrt(-1.0 - forward_velocity ** 2)}\n'
CONTENDERS = (
    Contender("a", "a.py", FAST),
    Contender("b", "b.py", FAST.replace('"fast": ', '"slow": -')),
    Contender("c", "c.py", FAILS),
)
CONTEST = Contest("", "hopper-hop", CONTENDERS, ("ppo",), 100, 1, 0, 1, "eureka compare")


@dataclass
class Workers:
    """Stand in for whoever records and draws; they count what they are asked for."""

    recorded: int = 0
    drawn: int = 0
    why: str = ""

    def record(self, rollout: Rollout, folder: Path) -> None:
        self.recorded += 1
        files.write_json(folder / "rollout.json", rollout)
        columns = columns_of(len(rollout.policies))
        np.savez(folder / TRANSITIONS, **columns)

    def film(self, folder: Path) -> str:
        self.drawn += 1
        for index in range(len(files.read_json(folder / "rollout.json", Rollout).policies)):
            if not self.why:
                (folder / f"film-{index}.mp4").write_bytes(b"film")
        return self.why


def columns_of(policies: int) -> dict[str, np.ndarray]:
    rows = ROWS * policies
    speed = np.random.default_rng(policies).normal(size=rows)
    return {
        "forward_velocity": speed, "qpos": np.zeros((rows, 2)), "policy": np.repeat(np.arange(policies), ROWS) * 1.0,
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "ppo")
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(RunConfig(task="hopper-hop"))))
    observables = Observable("forward_velocity", ()), Observable("qpos", (2,)), Observable("time", ())
    files.write_json(run.task_folder / "vocabulary.json", Vocabulary("Hopper-v5", observables))
    files.write_json(run.task_folder / "task.json", find_task("hopper-hop"))
    probe = {
        "forward_velocity": np.linspace(-1, 1, ROWS),
        "qpos": np.zeros((ROWS, 2)),
        "time": np.zeros(ROWS),
    }
    np.savez(run.task_folder / "probe.npz", **probe)
    for each in CONTENDERS[:2]:
        trains(run, each.id)
    return run


def trains(run: Run, id: str) -> None:
    seed = CONTEST.training_seeds[0]
    folder = run.job_folder(id, seed)
    files.write_json(
        folder / "result.json", Trained(id, seed, 100, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1)
    )
    (folder / "policy.zip").write_bytes(b"policy")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    found = Workers()
    monkeypatch.setattr(relating, "record", found.record)
    monkeypatch.setattr(relating, "filmed", found.film)
    return found


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def test_who_fails_has_no_part_in_it_and_costs_nothing_later(
    run: Run, workers: Workers, fork_server: ForkServer
) -> None:
    relate(CONTEST, run, fork_server)
    relate(CONTEST, run, fork_server)
    (found,) = agreements(run)
    assert (found.ours, found.theirs, found.pearson, found.rows) == ("a", "b", pytest.approx(-1.0), 3 * ROWS)
    assert (workers.recorded, workers.drawn) == (1, 1)
    assert films(run).labels == ("a.py", "b.py")


def test_videos_may_come_later(run: Run, workers: Workers, fork_server: ForkServer) -> None:
    workers.why = "videos are turned off"
    contest = replace(CONTEST, contenders=CONTENDERS[:2])
    relate(contest, run, fork_server)
    assert (films(run).labels, films(run).why_not) == ((), "videos are turned off")
    workers.why = ""
    relate(contest, run, fork_server)
    assert (films(run).labels, films(run).why_not) == (("a.py", "b.py"), "")
    assert (workers.recorded, workers.drawn) == (1, 2)
    (run.folder / "shared" / "film-1.mp4").unlink()
    relate(contest, run, fork_server)
    assert (workers.recorded, workers.drawn) == (1, 3)


def test_who_comes_later_is_recorded_with_all(run: Run, workers: Workers, fork_server: ForkServer) -> None:
    relate(replace(CONTEST, contenders=CONTENDERS[:2]), run, fork_server)
    trains(run, "c")
    contenders = (*CONTENDERS[:2], replace(CONTENDERS[2], source=FAST))
    relate(replace(CONTEST, contenders=contenders), run, fork_server)
    assert [(each.theirs, each.rows) for each in agreements(run)] == [("b", 4 * ROWS), ("c", 4 * ROWS)]
    assert films(run).labels == ("a.py", "b.py", "c.py")
    assert (workers.recorded, workers.drawn) == (2, 2)


def test_without_a_policy_random_actions_are_all_there_is(
    run: Run, workers: Workers, fork_server: ForkServer
) -> None:
    relate(replace(CONTEST, seeds=1, seed=1, contenders=CONTENDERS[:2]), run, fork_server)
    assert agreements(run)[0].sources == ("random actions",)
    assert films(run).why_not == "no policy was trained here"
    assert (workers.recorded, workers.drawn) == (0, 0)


def test_what_was_broken_off_is_not_taken_for_recorded(tmp_path: Path) -> None:
    rollout = Rollout(find_task("hopper-hop"), "ppo", ("x",), 3, ("qpos",))
    files.write_json(tmp_path / "rollout.json", rollout)
    assert not is_recorded(rollout, tmp_path)
    (tmp_path / TRANSITIONS).write_bytes(b"")
    assert is_recorded(rollout, tmp_path)
    assert not is_recorded(replace(rollout, seed=4), tmp_path)
