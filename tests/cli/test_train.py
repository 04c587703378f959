"""Settings of `eureka train`: those of a file, and those of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.cli import run
from eureka_loop.config import RunConfig


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
        "max_hours = 2.5\nsteps = 300\nreport_seeds = 3\nhalving = 3\n[hyperparameters]\nn_steps = 64\n"
    )
    words = f"{tmp_path}/mine.py --task hopper-hop --config {tmp_path}/run.toml --seeds 2".split()
    with pytest.raises(Created):
        run.train(words)
    (config,) = found
    assert (config.max_hours, config.steps, config.seeds, config.report_seeds) == (2.5, 300, 2, 0)
    assert (config.hyperparameters, config.halving, config.samples) == ({"n_steps": 64}, 1, 1)
