"""What a short training is made of; that it is measured is in the test of a whole bench."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_task
from eureka_loop.execute.machine import Share
from eureka_loop.records import Training
from eureka_loop.report.bench.calibrate import (
    COLLECTED,
    UPDATES,
    at_once,
    enough,
    learners,
    prompt_tokens,
    shortened,
)
from eureka_loop.reward.vocabulary import Observable, Vocabulary

CONFIG = RunConfig(samples=8, seeds=2)
SHARE = Share(workers=2, learners=3)
POPULATION = Training("ppo", {"n_steps": 512, "n_envs": 1}, "population")


@pytest.mark.parametrize(
    ("given", "steps"),
    [({"n_steps": 512}, 1024), ({"n_steps": 1024, "n_envs": 4}, 4096), ({"n_steps": 32}, 1024), ({}, 2048)],
)
def test_ppo_is_measured_over_whole_rollouts(given: dict[str, int], steps: int) -> None:
    assert enough(Training("ppo", given), 100_000) == steps
    assert enough(Training("ppo", given), 500) == 500  # never longer than a training of the bench


def test_sac_is_measured_while_it_learns() -> None:
    slow = Training("sac", {"learning_starts": 10_000})
    assert shortened(slow).hyperparameters["learning_starts"] == COLLECTED
    assert enough(shortened(slow), 100_000) == COLLECTED + UPDATES
    soon = Training("sac", {"learning_starts": 50})
    assert shortened(soon) == soon
    assert shortened(POPULATION) == POPULATION


def test_as_many_train_at_once_as_in_a_search() -> None:
    assert (at_once(POPULATION, SHARE), learners(POPULATION, CONFIG, SHARE)) == (6, 6)
    assert learners(POPULATION, replace(CONFIG, samples=2, seeds=1), SHARE) == 2
    alone = replace(POPULATION, trainer="sb3")
    assert (at_once(alone, SHARE), learners(alone, CONFIG, SHARE)) == (2, 2)


def test_a_prompts_tokens_grow_with_the_vocabulary() -> None:
    def tokens(observables: int) -> int:
        names = (f"thing_{number}" for number in range(observables))
        seen = Vocabulary("Hopper-v5", tuple(Observable(name, (), "m", group="things") for name in names))
        return prompt_tokens(find_task("hopper-hop"), seen, POPULATION, CONFIG)

    assert 500 < tokens(1) < tokens(50) < 10_000
