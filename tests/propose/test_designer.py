"""The designer follows from options and environment, and is checked before a run is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.propose.designer import check, choice, choose_designer, settle
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.store import Run
from tests.propose.test_replay import recorded_run


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EUREKA_MODEL", "OPENAI_BASE_URL", "EUREKA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_model_templates_write() -> None:
    config = settle(RunConfig())
    assert config.designer == "templates"
    assert "the embedded templates write" in choice(config)
    with pytest.raises(BadInput, match="--base-url must be a plain address"):
        check(RunConfig(designer="templates", base_url="http://me:hunter2@host/v1"))


def test_a_configured_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EUREKA_MODEL", "m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1/")
    config = settle(RunConfig())
    assert (config.designer, config.model, config.base_url) == ("llm", "m", "http://localhost:1/v1")
    assert choice(config) == "a model is configured: m writes the rewards"
    with pytest.raises(BadInput, match="--max-usd needs the price of model 'm'"):
        settle(RunConfig(max_usd=1.0))


def test_a_recording_is_checked(tmp_path: Path) -> None:
    recorded_run(tmp_path, (2,))
    config = RunConfig(task="hopper-hop", generations=1, samples=2, replay=tmp_path)
    assert settle(config).designer == "replay"
    for wrong in ({"samples": 3}, {"designer": "templates"}):
        with pytest.raises(BadInput):
            settle(replace(config, **wrong))
    with pytest.raises(BadInput, match="needs a recorded run: --replay RUN"):
        settle(RunConfig(designer="replay"))


def test_unknown_names_are_refused_with_the_known_ones(ask: Any) -> None:
    with pytest.raises(
        UnknownName, match="unknown designer 'oracle'; registered: templates, llm, manual, replay"
    ):
        settle(RunConfig(designer="oracle"))
    with pytest.raises(UnknownName, match=f"unknown operator 'xyz'; operators: {', '.join(OPERATORS)}"):
        ask(operator="xyz")


def test_a_users_own_program_is_the_only_proposal(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "t")
    (run.folder / "given.py").write_text("x = 1\n")
    assert choose_designer(run, RunConfig()).name == "given"
