"""A run begins with the sandbox: it is tried, held to strict, and written down."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import SandboxError
from eureka_loop.records import Training
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.status import SandboxStatus
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import assemble
from eureka_loop.store import Run

STRICT = SandboxStatus(ALL_LAYERS, 7, {"read_file": True, "connect": True})
REDUCED = SandboxStatus(Layer.LIMITS, 0, {"read_file": True, "connect": False})
VOCABULARY = Vocabulary("Hopper-v5", (Observable("action", (3,)),), horizon=1000, dt=0.008)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    numbers = {"steps": 1000, "generations": 1, "samples": 1, "confirm": 1, "report_seeds": 0}
    return RunConfig(task="hopper-hop", designer="templates", out=tmp_path / "runs", **numbers)


@pytest.fixture(autouse=True)
def _an_env_that_needs_no_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(task: object, config: RunConfig, folder: Path) -> tuple[object, Vocabulary]:
        files.write_json(folder / "task.json", task)
        files.write_json(folder / "vocabulary.json", VOCABULARY)
        files.write_json(folder / "training.json", Training("ppo", {}))
        return task, VOCABULARY

    monkeypatch.setattr(assemble, "look", look)
    monkeypatch.setattr(Run, "probe", lambda run: {})


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Make this machine one whose sandbox is worth that much."""
    return lambda status: monkeypatch.setattr(
        "eureka_loop.reward.sandbox.status.measure", lambda fork_server: status
    )


def test_below_strict_a_run_does_not_start_and_leaves_nothing(machine, config):
    machine(REDUCED)
    with pytest.raises(SandboxError, match=r"'reduced' here.*could connect.*--allow-reduced-sandbox"):
        assemble.create(config)
    assert not config.out.exists()


def test_the_flag_overrides_it_and_what_it_is_worth_is_kept(machine, config):
    machine(REDUCED)
    with assemble.create(replace(config, allow_reduced_sandbox=True)) as run:
        record = tomllib.loads((run.folder / "run.toml").read_text())["sandbox"]
        assert record == {
            "tier": "reduced",
            "layers": ["limits"],
            "landlock_abi": 0,
            "self_test_tried": 2,
            "self_test_refused": 1,
            "not_refused": ["connect"],
        }
        with assemble.assembled(run):
            pass


def test_a_run_that_goes_on_elsewhere_is_held_to_the_same(machine, config):
    machine(STRICT)
    with assemble.create(config) as run:
        with assemble.assembled(run) as assembly:
            assemble.announce(run, assembly.machine, assembly.share)
        machine(REDUCED)
        with pytest.raises(SandboxError, match="--allow-reduced-sandbox"), assemble.assembled(run):
            pass


def test_a_strict_machine_needs_no_flag_and_one_self_test(monkeypatch, config):
    measured: list[object] = []
    monkeypatch.setattr(
        "eureka_loop.reward.sandbox.status.measure",
        lambda fork_server: measured.append(fork_server) or STRICT,
    )
    with assemble.create(config) as run, assemble.assembled(run):
        assert run.record("sandbox")["tier"] == "strict"
        assert run.config == config, "the record is no setting"
    assert len(measured) == 1
