"""The complete domain of docs/writing-a-domain.md, as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.batched import why_not_batched
from eureka_loop.simulate.observables import ObservableRegistry

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-domain.md").read_text()


@pytest.fixture
def installed_package(monkeypatch: pytest.MonkeyPatch, register_domain: Any) -> Iterator[None]:
    """The page's file in a package that registers the environment and the entry point."""
    module = ModuleType("my_robots_long_pole")
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    register_domain("long_pole", f"{module.__name__}:DOMAIN")
    gymnasium.register(
        "LongPole-v0",
        "gymnasium.envs.mujoco.inverted_pendulum_v5:InvertedPendulumEnv",
        max_episode_steps=50,
        kwargs={"reset_noise_scale": 0.05},
    )
    yield
    del gymnasium.registry["LongPole-v0"]


def test_it_is_in_the_catalogue_and_can_be_batched(installed_package: None) -> None:
    task = find_task("longpole-balance")
    domain = find_domain(task.env_id)
    assert suites()["long_pole"] == (task,)
    assert why_not_batched(task, domain, ["pole_angle", "mean_cart_velocity", "balanced"]) == ""


def test_its_programs_pass_and_the_hand_written_one_is_the_native_reward(
    installed_package: None, fork_server: ForkServer, rollout_of: Any
) -> None:
    task = find_task("longpole-balance")
    vocabulary = ObservableRegistry.of_task(task, find_domain(task.env_id)).vocabulary
    assert vocabulary.names()[:3] == ["pole_angle", "mean_cart_velocity", "balanced"]
    assert task.success is not None
    assert task.sparse is not None
    assert task.human is not None
    check(task.fitness, vocabulary, "fitness")
    check(task.success, vocabulary, "success")
    check(task.sparse, vocabulary)
    program = check(task.human, vocabulary)
    columns = rollout_of(task, 100).transitions.columns
    shapes = vocabulary.shapes(program.parameters)
    with fork_server.start(program, shapes, rows=100) as process:
        total = process.evaluate({name: columns[name] for name in program.parameters}).total
    np.testing.assert_allclose(total, columns["native_reward"], atol=1e-6)
