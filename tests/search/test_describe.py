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


def test_a_catalogues_task_leaves_another_ones_env_and_fitness_behind() -> None:
    hop = of_its_own(replace(OWN, task="hopper-hop"), OWN)
    assert task_of(hop).env_id == "Hopper-v5"
    assert of_its_own(replace(OWN, task="walk on"), OWN).env == "Walker2d-v5"
    assert of_its_own(OWN, OWN) == OWN


def test_what_is_said_twice_is_refused() -> None:
    both = of_its_own(replace(OWN, task="hopper-hop", env="Ant-v5"), OWN)
    with pytest.raises(
        BadInput, match="'hopper-hop' is in the catalogue, with env and fitness: leave those out"
    ):
        task_of(both)
    written = replace(OWN, task="hopper-hop")
    with pytest.raises(BadInput, match="in a --config file"):
        task_of(of_its_own(written, written))


def chosen(folder: Path, lacking: str = "", **settings: Any) -> Training:
    """After a survey that found this lacking."""
    files.write_json(folder / "trainer.json", Support(lacking))
    return with_trainer(Training("ppo", {}), RunConfig(**settings), folder)


def test_the_population_trainer_where_nothing_is_lacking(tmp_path: Path) -> None:
    assert chosen(tmp_path, halving=3).trainer == "population"
    assert chosen(tmp_path, "no SAC").trainer == "sb3"
    assert chosen(tmp_path, "no SAC").why == "no SAC"


@pytest.mark.parametrize(
    ("lacking", "trainer", "why"), [("", "sb3", "--trainer sb3 was given"), ("no SAC", None, "no SAC")]
)
def test_halving_needs_it_and_says_so_in_one_line(
    lacking: str, trainer: str | None, why: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="--halving 3 needs the population trainer") as refused:
        chosen(tmp_path, lacking, trainer=trainer, halving=3)
    assert f"({why})" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert chosen(tmp_path, lacking, trainer=trainer, halving=1).trainer == "sb3"


@pytest.mark.parametrize(
    ("settings", "tuned", "why"),
    [
        ({"bank": True}, {}, "needs SAC, since PPO learns from its own transitions alone"),
        ({"algo": "sac"}, {}, "needs --bank, which keeps the transitions"),
        ({"algo": "sac", "bank": True}, {"her": True}, "set the hyperparameter her = false"),
    ],
)
def test_relabelling_needs_transitions_that_the_learner_can_use(
    settings: dict[str, Any], tuned: dict[str, object], why: str
) -> None:
    require_relabelling(RunConfig(**settings), tuned)
    with pytest.raises(BadInput, match="--relabel 500 needs") as refused:
        require_relabelling(RunConfig(**settings, relabel=500), tuned)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_relabelling_with_all_it_needs() -> None:
    require_relabelling(RunConfig(algo="sac", bank=True, relabel=500), {"her": False})
