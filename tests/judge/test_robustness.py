from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.judge.robustness import CONDITIONS, Condition, Robustness, robustness
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.observables import ObservableRegistry

REACH = find_task("reacher-reach")
DOMAIN = find_domain(REACH.env_id)
SEEDS = (7, 8, 9)
Measured = Callable[..., list[Robustness]]


@pytest.fixture
def measured(fork_server: ForkServer) -> Measured:
    def run(policy: Any, *conditions: Condition, fitness: str = REACH.fitness) -> list[Robustness]:
        task = replace(REACH, fitness=fitness)
        return list(robustness(task, DOMAIN, [policy], SEEDS, fork_server, conditions))

    return run


def counting() -> Callable[[Any], Any]:
    """A policy whose actions say how many came before in all, in hundredths."""
    given: list[int] = []

    def act(_: Any) -> Any:
        given.append(0)
        return np.array([0.0, 0.01 * (len(given) - 1)], np.float32)

    return act


def constant(_: Any) -> Any:
    return np.array([0.5, 0.5], np.float32)


def test_unchanged_is_as_judged(measured: Measured, fork_server: ForkServer) -> None:
    vocabulary = ObservableRegistry.of_task(REACH, DOMAIN).vocabulary
    with TaskJudge(fork_server, REACH, vocabulary) as judge:
        judged = judge_policy(constant, REACH, DOMAIN, SEEDS, judge)
    (found,) = measured(constant, CONDITIONS[0])
    np.testing.assert_array_equal(found.fitness[0], [each.fitness for each in judged])
    assert found.success is not None
    np.testing.assert_array_equal(found.success[0], [each.score("success") for each in judged])


def test_heavier_bodies_are_slower(measured: Measured) -> None:
    speed = "def fitness(joint0_velocity):\n    return joint0_velocity[1]\n"
    light, usual, heavy = measured(
        constant, *(Condition("", mass=factor) for factor in (0.5, 1.0, 2.0)), fitness=speed
    )
    assert (light.fitness > usual.fitness).all()
    assert (usual.fitness > heavy.fitness).all()


def test_friction_is_the_floors_and_the_bodies(fork_server: ForkServer) -> None:
    """A cheetah thrown about by one constant action slides otherwise on another floor."""
    task = find_task("halfcheetah-run")
    slow = replace(task, success=None, env_kwargs={**task.env_kwargs, "max_episode_steps": 60})
    conditions = [Condition("", friction=factor) for factor in (1.0, 1.0, 0.1)]
    action = np.full(6, 0.8, np.float32)
    same, again, ice = robustness(
        slow, find_domain(task.env_id), [lambda _: action], SEEDS, fork_server, conditions
    )
    np.testing.assert_array_equal(same.fitness, again.fitness)
    assert (np.abs(same.fitness - ice.fitness) > 1e-3).all()


@pytest.mark.parametrize("late", [0, 1, 3])
def test_actions_come_late(late: int, measured: Measured) -> None:
    fitness = "def fitness(action):\n    return action[5, 1] - action[0, 1]\n"
    (found,) = measured(counting(), Condition("", latency=late), fitness=fitness)
    np.testing.assert_allclose(found.fitness, 0.01 * (5 - late), atol=1e-6)


def test_noise_is_a_share_of_what_is_seen(measured: Measured) -> None:
    """The policy's first action tells the joint's speed that it has seen, in a size that moves nothing."""
    seen: list[float] = []

    def act(observation: Any) -> Any:
        seen.append(float(observation[6]))
        return np.array([1e-4 * observation[6], 0.5], np.float32)

    fitness = "def fitness(obs, action):\n    return np.std(1e4 * action[1:, 0] - obs[:-1, 6])\n"
    conditions = [Condition("as trained"), *(Condition("", noise=share) for share in (0.1, 0.2))]
    exact, little, much = measured(act, *conditions, fitness=fitness)
    np.testing.assert_allclose(exact.fitness, 0.0, atol=1e-5)
    np.testing.assert_allclose(much.fitness, 2.0 * little.fitness, rtol=0.05)
    np.testing.assert_allclose(much.fitness.mean(), 0.2 * np.std(seen[: len(seen) // 3]), rtol=0.2)
    seen.clear()
    again = measured(act, *conditions, fitness=fitness)[1]
    np.testing.assert_array_equal(little.fitness, again.fitness)


def test_a_start_that_differs(measured: Measured) -> None:
    fitness = "def fitness(action):\n    return (np.abs(action - 0.5) > 1e-6).any(axis=1).sum()\n"
    (found,) = measured(constant, Condition("", start=10), fitness=fitness)
    np.testing.assert_array_equal(found.fitness, 10.0)
