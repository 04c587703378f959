"""Fitness and success mean what they say, judged as in a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task, installed, suites, tasks
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.fork_server import ForkServer

Steps = Callable[[str], Any]

NAMES = pytest.mark.parametrize(
    "name", [name for name, task in tasks().items() if installed(find_domain(task.env_id).extra)]
)

SCRIPTED_SUCCESS = {  # of the scripted policies
    "reacher-reach": 1.0,
    "invertedpendulum-balance": 1.0,
    "inverteddoublependulum-balance": 1.0,
    "humanoidstandup-standup": 0.0,
    "hopper-hop": 0.0,
}


def scores(name: str, rollout: Any, fork_server: ForkServer) -> list[tuple[float, float | None]]:
    with TaskJudge(fork_server, find_task(name), rollout.vocabulary) as judge:
        return [judge.measure(episode.columns) for episode in rollout.episodes]


@NAMES
def test_random_actions_get_a_score(name: str, random_steps: Steps, fork_server: ForkServer) -> None:
    for fitness, success in scores(name, random_steps(name), fork_server):
        assert np.isfinite(fitness)
        assert (success is None) == (find_task(name).success is None)
        assert success in (None, 0.0, 1.0)


@pytest.mark.parametrize("name", [task.name for task in suites()["gymnasium"]])
def test_a_better_policy_scores_higher(
    name: str, random_steps: Steps, scripted_steps: Steps, fork_server: ForkServer
) -> None:
    """Than random actions; the other suites' tasks: `test_beyond`, `test_robotics`, `test_metaworld`."""
    better = scripted_steps(name)
    if better is None:
        pytest.skip("no scripted policy; see `test_beyond`")
    ours, theirs = scores(name, better, fork_server), scores(name, random_steps(name), fork_server)
    assert np.mean([fitness for fitness, _ in ours]) > np.mean([fitness for fitness, _ in theirs]) + 0.05
    if name in SCRIPTED_SUCCESS:
        assert np.mean([success for _, success in ours]) == SCRIPTED_SUCCESS[name]


@pytest.mark.parametrize("name", ["hopper-hop", "walker2d-walk", "ant-run", "humanoid-run"])
def test_falling_early_costs(name: str, fork_server: ForkServer, random_steps: Steps) -> None:
    """The same speed for a tenth of the time is worth a tenth, not the same."""
    with TaskJudge(fork_server, find_task(name), random_steps(name).vocabulary) as judge:
        whole, short = (judge.measure(walk(steps))[0] for steps in (1000, 100))
    assert whole == pytest.approx(2.0)
    assert short == pytest.approx(0.2)


def walk(steps: int, horizon: int = 1000, dt: float = 0.01, speed: float = 2.0) -> dict[str, Array]:
    """An episode at constant speed that ends, if before the horizon, in a fall."""
    time = dt * np.arange(1, steps + 1)
    terminated = np.zeros(steps)
    terminated[-1] = steps < horizon
    return {
        "forward_velocity": np.full(steps, speed),
        "dt": np.full(steps, dt),
        "time": time,
        "time_left": horizon * dt - time,
        "terminated": terminated,
    }
