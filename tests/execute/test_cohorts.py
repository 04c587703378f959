"""Which jobs are trained together: a matter of their number and the machine's share alone."""

from __future__ import annotations

import pytest

from eureka_loop import files
from eureka_loop.execute.cohorts import alike, cut
from eureka_loop.records import Job
from tests.execute.conftest import MakeJob


@pytest.mark.parametrize(
    ("jobs", "workers", "sizes"),
    [(0, 2, []), (1, 2, [1]), (2, 2, [1, 1]), (7, 2, [3, 4]), (4, 1, [4]), (9, 2, [2, 2, 2, 3])],
)
def test_cohorts_are_consecutive_even_and_keep_every_worker_busy(
    jobs: int, workers: int, sizes: list[int]
) -> None:
    cohorts = cut(list(range(jobs)), workers, 4)
    assert [len(cohort) for cohort in cohorts] == sizes
    assert [job for cohort in cohorts for job in cohort] == list(range(jobs))


@pytest.mark.parametrize(
    "other", [{"steps": 20}, {"hyperparameters": {"gamma": 0.9}}, {"judge_seeds": (1, 2)}]
)
def test_a_cohort_differs_in_programs_and_seeds_alone(make_job: MakeJob, other: dict[str, object]) -> None:
    same = [make_job("a", trainer="population"), make_job("b", trainer="population", source="t", seed=5)]
    apart = make_job("c", trainer="population", **other)
    groups = alike([*same, apart], lambda folder: files.read_json(folder / "job.json", Job))
    assert groups == [same, [apart]]
