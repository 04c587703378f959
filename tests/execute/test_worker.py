"""Files of a worker where a training breaks, and where the machine does."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.execute import worker
from eureka_loop.execute.evaluate import MACHINE_ERROR
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained, judged_episode
from eureka_loop.store import read_result
from tests.execute.conftest import MakeJob


def test_a_machine_without_the_gpu_is_no_fault_of_the_jobs(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no result, so that another machine can go on."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    folder: Path = make_job("a", trainer="population", hyperparameters={"device": "cuda"})
    worker._work([folder], [files.read_json(folder / "job.json", Job)], None)  # type: ignore[arg-type]
    message = files.read_json(folder / MACHINE_ERROR, dict[str, str])["message"]
    assert message.startswith("device = 'cuda': torch ")
    assert not (folder / "result.json").exists()


def trained(job: Job) -> Trained:
    return Trained(job.candidate, job.seed, job.steps, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1)


Train = Callable[..., list[Trained | Failed]]


@pytest.fixture
def work(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Three jobs of a cohort by a scripted trainer: their folders."""

    def run(train: Train, **fields: Any) -> list[Path]:
        trainer = type("Scripted", (), {"train": staticmethod(train)})
        monkeypatch.setattr("eureka_loop.train.population.trainer.PopulationTrainer", trainer)
        folders = [make_job(name, trainer="population", **fields) for name in "abc"]
        jobs = [files.read_json(folder / "job.json", Job) for folder in folders]
        worker._work(folders, jobs, None)  # type: ignore[arg-type]
        return folders

    return run


def test_a_bug_is_the_failure_of_a_job_alone_and_leaves_a_cohort_without_results(
    work: Callable[..., list[Path]], make_job: MakeJob
) -> None:
    def train(jobs: Sequence[Job], *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("b")

    folders = work(train)
    assert [read_result(folder) for folder in folders] == [None] * 3
    worker._work(folders[:1], [files.read_json(folders[0] / "job.json", Job)], None)  # type: ignore[arg-type]
    failed = read_result(folders[0])
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.message) == ("crashed", "ZeroDivisionError: b")
    assert "Traceback" in failed.detail


def test_an_episode_that_can_not_be_kept_costs_no_training(
    work: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(jobs: Sequence[Job], *_: Any, **__: Any) -> Any:
        return [trained(job) for job in jobs]

    def keep(job: Job, domain: Any, folder: Path) -> None:
        if job.candidate == "b":
            raise ValueError("broken env")
        (folder / "episode.npz").write_text("x")

    monkeypatch.setattr("eureka_loop.train.saved.record_trained", keep)
    folders = work(train, keep_episode=True)
    assert all(isinstance(read_result(folder), Trained) for folder in folders)
    assert [(folder / "episode.npz").exists() for folder in folders] == [True, False, True]
