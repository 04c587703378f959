"""A whole run with the trajectory bank: what it leaves on disk, and that it changes nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eureka_loop.judge.trajectory import FILE, Trajectory
from eureka_loop.store import Run

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "run invertedpendulum-balance --designer templates --samples 2 --steps 400 --report-seeds 0 "
    "--judge-episodes 2 --jobs 1"
).split()


def finished(cwd: Path, *options: str) -> Run:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}
    command = [sys.executable, "-m", "eureka_loop.cli", *SMALL, *options]
    subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, timeout=290)
    (folder,) = (cwd / "runs").iterdir()
    return Run.open(folder)


def results(run: Run) -> dict[str, str]:
    """Every result but its wall-clock."""
    found = {}
    for path in sorted(run.folder.glob("candidates/*/seed-*/result.json")):
        result = json.loads(path.read_text()) | {"seconds": None}
        found[str(path.relative_to(run.folder))] = json.dumps(result)
    return found


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
    assert results(bare).items() < results(kept).items()
