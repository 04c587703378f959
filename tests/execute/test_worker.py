"""What a worker is started with, and whom it blames."""

from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.execute import worker
from eureka_loop.execute.processes import NO_FAULT, environment
from eureka_loop.records import Job
from tests.execute.conftest import MakeJob


def test_it_sees_gpus_but_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    inherited = environment()
    assert inherited["CUDA_VISIBLE_DEVICES"] == "1"
    assert "OPENAI_API_KEY" not in inherited
    assert inherited["OMP_NUM_THREADS"] == "1"


def test_a_machine_without_the_gpu_is_no_fault_of_the_jobs(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was begun with one is resumed without: no result, so that it can still be had elsewhere."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    folder: Path = make_job("a", trainer="population", hyperparameters={"device": "cuda"})
    with pytest.raises(SystemExit) as ended:
        worker._work([folder], [files.read_json(folder / "job.json", Job)], None)  # type: ignore[arg-type]
    assert ended.value.code == NO_FAULT
    assert capsys.readouterr().out.startswith("device = 'cuda': torch ")
    assert not (folder / "result.json").exists()
