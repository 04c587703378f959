"""Floors: judged policies that learn nothing, in a run's folder and in what is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eureka_loop.envs.registry import find_domain
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.floors import judge_floor


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_floors_are_judged_in_whole_episodes(algorithm: str, make_job: Any, fork_server: ForkServer) -> None:
    found = {}
    for id in ("zero", "random", "untrained"):
        job = make_job("halfcheetah-run", algorithm, limit=50, steps=0, candidate=id, judge_seeds=(1, 2))
        floors = [judge_floor(job, find_domain(job.task.env_id), fork_server) for _ in range(2)]
        assert floors[0] == floors[1], "the same every time"
        assert isinstance(floors[0], Trained)
        assert [(each.seed, each.length) for each in floors[0].episodes] == [(1, 50), (2, 50)]
        found[id] = floors[0].fitness
    assert abs(found["zero"]) < 0.05, "it stands"
    assert len({*found.values()}) == 3


@pytest.mark.parametrize("task", ["fetch-reach", "antmaze-umaze"])
def test_an_untrained_policy_sees_a_goal_too(task: str, make_job: Any, fork_server: ForkServer) -> None:
    pytest.importorskip("gymnasium_robotics", reason="needs the extra robotics")
    job = make_job(task, "sac", limit=10, steps=0, candidate="untrained", hyperparameters={"her": True})
    assert isinstance(judge_floor(job, find_domain(job.task.env_id), fork_server), Trained)


def test_a_fitness_that_fails_is_no_floor(make_job: Any, fork_server: ForkServer) -> None:
    job = make_job("halfcheetah-run", limit=10, steps=0, candidate="zero")
    failing = "def fitness(action):\n    return 1.0 / (action.sum() * 0.0)\n"
    found = judge_floor(
        replace(job, task=replace(job.task, fitness=failing)), find_domain(job.task.env_id), fork_server
    )
    assert isinstance(found, Failed)
