"""Files of a worker where a training breaks, and where the machine does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.execute import worker
from eureka_loop.execute.executor import ERROR
from eureka_loop.records import Job, Task
from eureka_loop.results import Failed, Trained, judged_episode
from eureka_loop.store import read_result

Train = Callable[..., list[Trained | Failed]]
Work = Callable[..., list[Path]]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Has a cohort trained by a scripted trainer; the folders of its jobs."""
    monkeypatch.setattr(worker, "_log_to", lambda folder: None)

    def run(train: Train, names: str = "abc", **fields: Any) -> list[Path]:
        trainer = type("Scripted", (), {"train": staticmethod(train)})
        monkeypatch.setattr("eureka_loop.train.population.trainer.PopulationTrainer", trainer)
        folders = [tmp_path / name for name in names]
        given = {"hyperparameters": {}, "judge_seeds": (7,), "trainer": "population", **fields}
        for folder in folders:
            job = Job(folder.name, 0, Task("t", "E-v0", "x", "f"), "s", "ppo", 10, **given)
            files.write_json(folder / "job.json", job)
        worker.work(folders, None)  # type: ignore[arg-type]
        return folders

    return run


def train(jobs: Sequence[Job], *_: Any, **__: Any) -> Any:
    episodes = (judged_episode(7, 1.0, None, 1),)
    return [Trained(job.candidate, job.seed, job.steps, episodes, (), {}, 0.1) for job in jobs]


def broken(jobs: Sequence[Job], *_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("b")


def test_a_machine_without_the_gpu_is_no_fault_of_the_jobs(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no result, so that another machine can go on."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    (folder,) = work(train, "a", hyperparameters={"device": "cuda"})
    message = files.read_json(folder / ERROR, dict[str, str])["message"]
    assert message.startswith("device = 'cuda': torch ")
    assert read_result(folder) is None


def test_a_bug_is_the_failure_of_a_job_alone_and_leaves_a_cohort_without_results(work: Work) -> None:
    assert [read_result(folder) for folder in work(broken)] == [None] * 3
    failed = read_result(work(broken, "a")[0])
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.message) == ("crashed", "ZeroDivisionError: b")
    assert "Traceback" in failed.detail


def test_an_episode_that_can_not_be_kept_costs_no_training(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(job: Job, domain: Any, folder: Path) -> None:
        if job.candidate == "b":
            raise ValueError("broken env")
        (folder / "episode.npz").write_text("x")

    monkeypatch.setattr("eureka_loop.train.saved.record_trained", keep)
    folders = work(train, keep_episode=True)
    assert all(isinstance(read_result(folder), Trained) for folder in folders)
    assert [(folder / "episode.npz").exists() for folder in folders] == [True, False, True]
