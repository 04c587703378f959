"""A whole run with the trajectory bank: what it leaves on disk, and that it changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.judge.trajectory import FILE, Trajectory
from eureka_loop.store import Run

from .program import eureka, outcome, the_run

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "run invertedpendulum-balance --designer templates --samples 2 --steps 400 --report-seeds 0 "
    "--judge-episodes 2 --jobs 1"
).split()


def finished(cwd: Path, *options: str) -> Run:
    code, _, err = eureka(*SMALL, *options, cwd=cwd)
    assert (code, err) == (0, "")
    return the_run(cwd)


def test_with_a_bank_and_without(tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    kept = finished(tmp_path / "with", "--bank", "--generations", "2")
    bare = finished(tmp_path / "without", "--no-bank", "--generations", "1")
    ids = [f"g{generation}-{sample:02}" for generation in range(2) for sample in range(2)]

    assert len(list(kept.task_folder.glob("random-*.npz"))) == 3
    episodes = sorted(kept.folder.glob(f"candidates/**/{FILE}"))
    assert [path.parts[-3] for path in episodes] == ids, "one of each policy"
    found = Trajectory(episodes[0]).columns(["action", "prev_obs"])
    assert found["prev_obs"].shape == (len(found["action"]), 4)
    said = [kept.screened(id) for id in ids]
    assert [each.policies for each in said if each is not None] == [1, 1, 3, 3]

    assert not list(bare.folder.rglob(FILE))
    assert not list(bare.folder.rglob("bank.json"))
    assert outcome(bare).items() < outcome(kept).items()
