"""Through the machinery to the score: a fixed policy's fitness is the same to the last bit, whatever the reward
program does beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.records import Job
from eureka_loop.results import JudgedEpisode, Trained
from eureka_loop.reward.contract import Program
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train import sb3

TASK = find_task("hopper-hop")
DOMAIN = find_domain(TASK.env_id)
SEEDS = (11, 12)

ARMS = (
    '__builtins__.update(tolerance.__globals__["__builtins__"]); '
    'np = tolerance.__globals__["np"]; import os, sys, ctypes\n'
)
HOSTILE = {
    "says the most there is": "return {'a': x * 0 + 1e6}",
    "says now this, now that": "return {'a': np.where(np.arange(len(x)) % 2 == 0, 1e6, -1e6)}",
    "names its terms after the score": "return {'fitness': x * 0 + 1e6, 'success': x * 0 + 1.0, '_score': x}",
    "draws random numbers": "return {'a': np.frombuffer(os.urandom(len(x)), np.uint8) / 255.0}",
    "sets numpy's error state": "np.seterr(all='raise')\nreturn {'a': x * 0}",
    "replaces functions": "np.mean = np.sum = np.add = None\ntolerance.__globals__['np'].float64 = None\nreturn {'a': x * 0}",
    "replaces who answers": "sys._getframe(2).f_locals['self']._evaluate = lambda rows: (b'a', 1)\nreturn {'a': x * 0}",
    "fills the answer's memory": "sys._getframe(2).f_locals['self']._values[:] = 9e5\nreturn {'a': x * 0}",
    "writes to its inputs": "ctypes.memset(x.ctypes.data, 0, 8)\nreturn {'a': x}",
    "asks to be killed": "os.kill(os.getppid(), 9)\nreturn {'a': x}",
    "stays": "while True:\n    pass",
}
SURVIVORS = tuple(HOSTILE)[:8]


def program(lines: str, name: str) -> Program:
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return Program(
        "reward",
        f"{ARMS}def compute_reward(x):\n{body}".replace("(x):", f"({name}):\n    x = {name}"),
        (name,),
        {},
    )


def policy(observation: Any) -> Any:
    """Some torques that depend on the state, so that the least difference grows."""
    return np.tanh(np.array([observation[5], -observation[1], 3 * observation[2]]))


@pytest.fixture(scope="module")
def vocabulary():
    env = make_env(TASK)
    try:
        return ObservableRegistry(env, DOMAIN).vocabulary
    finally:
        env.close()


@pytest.fixture(scope="module")
def score(locked, vocabulary) -> Callable[[], tuple[JudgedEpisode, ...]]:
    """Judge the fixed policy, by processes of the same fork server."""

    def judged() -> tuple[JudgedEpisode, ...]:
        with TaskJudge(locked.fork_server, TASK, vocabulary) as judge:
            return judge_policy(policy, TASK, DOMAIN, SEEDS, judge)

    return judged


@pytest.fixture(scope="module")
def honest(score) -> tuple[JudgedEpisode, ...]:
    return score()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_fixed_policys_fitness_is_the_same_beside_any_program(locked, score, honest, name):
    given = {"dt": np.linspace(-1.0, 1.0, 8)}
    with locked.fork_server.start(program(HOSTILE[name], "dt"), {"dt": ()}, rows=8, deadline=0.3) as process:
        try:
            process.evaluate(given)
        except RewardFailure:
            assert name not in SURVIVORS
        assert score() == honest


@pytest.fixture
def trained(locked, monkeypatch, tmp_path) -> Callable[[str], Trained]:
    """A training that learns nothing (rate 0), with a program that no gate has seen: its policy is fixed."""
    real = sb3.check

    def train(lines: str) -> Trained:
        def unchecked(source: str, vocabulary: Any, kind: Any = "reward", *, hidden: bool = False) -> Program:
            return program(lines, "dt") if kind == "reward" else real(source, vocabulary, kind, hidden=hidden)

        monkeypatch.setattr(sb3, "check", unchecked)
        job = Job(
            candidate="g0-00",
            seed=3,
            task=replace(TASK, env_kwargs={"max_episode_steps": 60}),
            source="",
            algorithm="ppo",
            steps=128,
            hyperparameters={
                "n_steps": 64,
                "batch_size": 64,
                "n_epochs": 1,
                "n_envs": 2,
                "learning_rate": 0.0,
            },
            judge_seeds=SEEDS,
        )
        result = sb3.train_job(job, DOMAIN, locked.fork_server, tmp_path, lambda _: None)
        assert isinstance(result, Trained), result
        return result

    return train


def test_the_score_of_a_training_is_the_same_whatever_the_program_says(trained):
    honest = trained("return {'a': x}").episodes
    for name in ("says the most there is", "replaces functions"):
        assert trained(HOSTILE[name]).episodes == honest
