"""Which task is meant; which trainer a run has, and what it can't do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.records import Support, Training
from eureka_loop.search.describe import of_its_own, require_relabelling, task_of, with_trainer

OWN = RunConfig(task="walk backwards", env="Walker2d-v5", fitness="-forward_velocity")


def test_a_task_of_the_catalogue_drops_env_and_fitness_of_a_file() -> None:
    hop = of_its_own(replace(OWN, task="hopper-hop"), OWN)
    assert task_of(hop).env_id == "Hopper-v5"
    assert of_its_own(replace(OWN, task="walk on"), OWN).env == "Walker2d-v5"
    assert of_its_own(OWN, OWN) == OWN


def test_an_env_beside_a_task_of_the_catalogue_is_refused() -> None:
    with pytest.raises(BadInput, match="'hopper-hop' is in the catalogue, with env and fitness: leave those"):
        task_of(of_its_own(replace(OWN, task="hopper-hop", env="Ant-v5"), OWN))


def chosen(folder: Path, reason: str = "", **settings: Any) -> Training:
    """After a survey that found this reason against the population trainer."""
    files.write_json(folder / "trainer.json", Support(reason))
    return with_trainer(Training("ppo", {}), RunConfig(**settings), folder)


@pytest.mark.parametrize(
    ("reason", "trainer", "why"), [("", "sb3", "--trainer sb3 was given"), ("no SAC", None, "no SAC")]
)
def test_halving_needs_the_population_trainer(
    reason: str, trainer: str | None, why: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=rf"--halving 3 needs the population trainer.*\({why}\)"):
        chosen(tmp_path, reason, trainer=trainer, halving=3)
    assert chosen(tmp_path, reason, trainer=trainer).trainer == "sb3"
    assert chosen(tmp_path, reason, trainer=trainer).why == reason
    assert chosen(tmp_path, halving=3).trainer == "population"


@pytest.mark.parametrize(
    ("settings", "tuned", "why"),
    [
        ({"bank": True}, {}, "SAC, since PPO learns from its own transitions alone"),
        ({"algo": "sac"}, {}, "--bank, which keeps the transitions"),
        ({"algo": "sac", "bank": True}, {"her": True}, "set the hyperparameter her = false"),
    ],
)
def test_relabelling_needs_transitions_that_the_learner_can_use(
    settings: dict[str, Any], tuned: dict[str, object], why: str
) -> None:
    require_relabelling(RunConfig(**settings), tuned)
    require_relabelling(RunConfig(algo="sac", bank=True, relabel=500), {"her": False})
    with pytest.raises(BadInput, match=f"--relabel 500 needs .*{why}"):
        require_relabelling(RunConfig(**settings, relabel=500), tuned)
