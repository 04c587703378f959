"""A whole run with the trajectory bank."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.judge.trajectory import FILE, Trajectory

from .program import eureka, the_run

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "run invertedpendulum-balance --designer templates --samples 2 --steps 400 --report-seeds 0 "
    "--judge-episodes 2 --jobs 1"
).split()


def test_what_a_bank_leaves_on_disk(tmp_path: Path) -> None:
    code, _, err = eureka(*SMALL, "--bank", "--generations", "2", cwd=tmp_path)
    assert (code, err) == (0, "")
    kept = the_run(tmp_path)
    ids = [f"g{generation}-{sample:02}" for generation in range(2) for sample in range(2)]
    assert len(list(kept.task_folder.glob("random-*.npz"))) == 3
    episodes = sorted(kept.folder.glob(f"candidates/**/{FILE}"))
    assert [path.parts[-3] for path in episodes] == ids, "one of each policy"
    found = Trajectory(episodes[0]).columns(["action", "prev_obs"])
    assert found["prev_obs"].shape == (len(found["action"]), 4)
    verdicts = [kept.screened(id) for id in ids]
    assert [each.policies for each in verdicts if each is not None] == [1, 1, 3, 3]
