"""A whole run with the trajectory bank, and with its transitions at the begin of SAC trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.judge.trajectory import FILE, read
from eureka_loop.records import Job
from eureka_loop.seeds import is_report

from .program import done, the_run

pytestmark = pytest.mark.timeout(600)

SMALL = (
    "run invertedpendulum-balance --config small.toml --designer templates --generations 2 --samples 1 "
    "--steps 150 --report-seeds 1 --judge-episodes 1 --jobs 1 --algo sac --bank --relabel 300"
).split()
NETWORKS = "[hyperparameters]\nlearning_starts = 50\nbatch_size = 16\npolicy_kwargs.net_arch = [16, 16]\n"


def test_the_search_begins_with_the_bank_and_the_report_from_scratch(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(NETWORKS)
    done(*SMALL, cwd=tmp_path)
    run = the_run(tmp_path)
    random = sorted(run.task_folder.resolve().glob("random-*.npz"))
    assert len(random) == 3
    first, second = sorted(run.folder.resolve().glob(f"candidates/**/{FILE}"))
    assert (first.parts[-3], second.parts[-3]) == ("g0-00", "g1-00"), "one of each policy"
    found = read(first, ["action", "prev_obs"])
    assert found["prev_obs"].shape == (len(found["action"]), 4)
    verdicts = [run.screened(id) for id in ("g0-00", "g1-00")]
    assert [each.policies for each in verdicts if each is not None] == [1, 2]
    paths = list(run.folder.glob("candidates/*/seed-*/job.json"))
    jobs = {path.parent: files.read_json(path, Job) for path in paths}
    assert all(run.result(job.candidate, job.seed) is not None for job in jobs.values())
    begun = {
        job.candidate: sorted((folder / path).resolve() for path in job.begin_with)
        for folder, job in jobs.items()
        if not is_report(job.seed)
    }
    assert begun == {"g0-00": random, "g1-00": sorted([*random, first])}
    scratch = [job for job in jobs.values() if is_report(job.seed)]
    assert [job.begin_with for job in scratch] == [()] * 3, (
        "the winner, the hand-written and the sparse reward"
    )
