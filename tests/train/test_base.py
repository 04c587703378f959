"""Trainers by name, and what each can train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import UnknownName
from eureka_loop.records import Job, Training
from eureka_loop.results import Failed, Trained
from eureka_loop.train.base import TRAINERS, ScriptedTrainer, Trainer, support
from eureka_loop.train.population.trainer import PopulationTrainer
from eureka_loop.train.sb3 import SB3Trainer


def test_trainers_by_name() -> None:
    assert TRAINERS.names() == ("population", "sb3")
    assert [type(TRAINERS.load(name)()) for name in TRAINERS.names()] == [PopulationTrainer, SB3Trainer]
    with pytest.raises(UnknownName, match="did you mean 'population'"):
        TRAINERS.load("populations")


def test_all_that_is_compared_has_one_trainer() -> None:
    """The env's own reward, and programs of the user: no population can train with hidden observables."""
    task, training = find_task("hopper-hop"), Training("ppo", {"n_envs": 1}, "population")
    domain = find_domain(task.env_id)
    assert support(training, task, domain) == ""
    native = replace(task, human=None, human_source="", native=("_get_rew",))
    assert support(training, native, domain) == "only the env itself computes 'native_reward'"
    plain = "def compute_reward(forward_velocity):\n    return {'v': forward_velocity}\n"
    hidden = plain.replace("forward_velocity", "info_reward_survive")
    assert support(training, task, domain, [plain]) == ""
    found = support(training, task, domain, [plain, hidden])
    assert found == "only the env itself computes 'info_reward_survive'"
    sac = replace(training, algorithm="sac")
    assert support(sac, task, domain) == "the population trainer has no SAC"


def test_the_scripted_trainer(make_job: Callable[..., Job]) -> None:
    """Fitness by seed; where there is none, the training fails."""
    trainer: Trainer = ScriptedTrainer(lambda job: None if job.seed == 1 else float(job.seed))
    jobs = [make_job(seed=seed, judge_seeds=(10, 11)) for seed in range(3)]
    domain, lines = find_domain(jobs[0].task.env_id), list[Any]()
    results = trainer.train(jobs, domain, cast(Any, None), [Path()] * 3, lambda *line: lines.append(line))
    assert isinstance(results[1], Failed)
    assert [each.fitness for each in results if isinstance(each, Trained)] == [0.0, 2.0]
    assert [index for index, _ in lines] == [0, 2]
    assert trainer.supports(Training("sac", {}), jobs[0].task, domain, ()) != ""
