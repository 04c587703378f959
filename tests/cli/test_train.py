"""Settings of `eureka train` and `resume`: those of a file, and those of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from eureka_loop.cli import run
from eureka_loop.config import RunConfig, as_table, load
from eureka_loop.errors import BadInput


def test_a_file_gives_its_time_limit_and_hyperparameters_but_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Created(Exception):
        pass

    found: list[RunConfig] = []

    def created(config: RunConfig, **_: object) -> None:
        found.append(config)
        raise Created

    monkeypatch.setattr(run, "_created", created)
    (tmp_path / "run.toml").write_text(
        "max_hours = 2.5\nsteps = 300\nreport_seeds = 3\nhalving = 1\n[hyperparameters]\nn_steps = 64\n"
    )
    words = f"{tmp_path}/mine.py --task hopper-hop --config {tmp_path}/run.toml --seeds 2".split()
    with pytest.raises(Created):
        run.train(words)
    (config,) = found
    assert (config.max_hours, config.steps, config.seeds, config.report_seeds) == (2.5, 300, 2, 0)
    assert (config.hyperparameters, config.samples) == ({"n_steps": 64}, 1)
    assert (config.confirm, config.minutes) == (1, 0), "trained as often as --seeds says"


def test_a_resumed_run_may_have_another_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig(task="hopper-hop", designer="llm", model="old", base_url="http://127.0.0.1:1/v1")
    (tmp_path / "run.toml").write_text(tomli_w.dumps(as_table(config)))
    monkeypatch.setattr(run, "_go", lambda resumed, jobs, **_: 0)
    url = "http://127.0.0.1:2/v1"
    assert run.resume([str(tmp_path), "--model", "new", "--base-url", url, "--max-tokens", "9000"]) == 0
    changed = load(tmp_path / "run.toml")
    assert (changed.model, changed.base_url, changed.max_tokens, changed.task) == (
        "new",
        url,
        9000,
        "hopper-hop",
    )


def test_only_a_run_by_hand_has_prompts(tmp_path: Path) -> None:
    config = RunConfig(task="hopper-hop", designer="templates")
    (tmp_path / "run.toml").write_text(tomli_w.dumps(as_table(config)))
    with pytest.raises(BadInput, match="has no prompts to answer: its designer is templates, not manual"):
        run.propose(["--jobs", "1", str(tmp_path)])
