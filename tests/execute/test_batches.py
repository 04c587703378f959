"""Which jobs are trained together."""

import pytest

from eureka_loop.execute.batches import batches
from eureka_loop.execute.machine import Share
from tests.execute.conftest import MakeJob


def test_sb3_takes_one_at_a_time(make_job: MakeJob) -> None:
    folders = [make_job(f"g0-{i:02d}") for i in range(3)]
    assert batches(folders, Share(2, 4)) == [(folder,) for folder in folders]


@pytest.mark.parametrize(
    ("jobs", "workers", "sizes"),
    [(1, 2, [1]), (2, 2, [1, 1]), (7, 2, [3, 4]), (4, 1, [4]), (8, 2, [4, 4])],
)
def test_the_population_is_shared_evenly(
    make_job: MakeJob, jobs: int, workers: int, sizes: list[int]
) -> None:
    folders = [make_job(f"g0-{i:02d}", trainer="population") for i in range(jobs)]
    made = batches(folders, Share(workers, 4))
    assert [len(batch) for batch in made] == sizes
    assert [folder for batch in made for folder in batch] == folders


def test_no_cohort_is_above_the_limit_and_every_round_keeps_all_busy(make_job: MakeJob) -> None:
    folders = [make_job(f"g0-{i:03d}", trainer="population") for i in range(9)]
    sizes = [len(batch) for batch in batches(folders, Share(2, 4))]
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    "other", [{"steps": 20}, {"hyperparameters": {"gamma": 0.9}}, {"judge_seeds": (1, 2)}]
)
def test_a_cohort_differs_in_programs_and_seeds_alone(make_job: MakeJob, other: dict[str, object]) -> None:
    alike = [make_job("a", trainer="population"), make_job("b", trainer="population", source="t", seed=5)]
    apart = make_job("c", trainer="population", **other)
    assert batches([*alike, apart], Share(1, 4)) == [tuple(alike), (apart,)]


@pytest.mark.parametrize(("jobs", "sizes"), [(1, [1]), (7, [7]), (9, [4, 5])])
def test_a_gpu_has_all_in_one_worker(make_job: MakeJob, jobs: int, sizes: list[int]) -> None:
    """As many as two workers of four could hold together."""
    on_gpu = {"trainer": "population", "hyperparameters": {"device": "cuda"}}
    folders = [make_job(f"g0-{i:02d}", **on_gpu) for i in range(jobs)]
    assert [len(batch) for batch in batches(folders, Share(2, 4))] == sizes


def test_sb3_takes_one_at_a_time_on_a_gpu_too(make_job: MakeJob) -> None:
    folders = [make_job(f"g0-{i:02d}", hyperparameters={"device": "cuda"}) for i in range(3)]
    assert batches(folders, Share(2, 4)) == [(folder,) for folder in folders]
