"""The contract of every domain with hindsight: columns recomputed for another goal are the env's with that goal.

An env is stepped twice with the same actions, the second time towards a place that the first time reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import domains, installed
from eureka_loop.records import Array
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.hindsight import ACHIEVED, Hindsight, stated_of
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv

STEPS, REACHED = 12, 8  # of the episode; the step whose end becomes the goal
EXACT = 1e-9
AS_WRITTEN = 1e-6  # what hand-written rewards are held to, whatever the goal


def case(domain: Domain) -> Any:
    marks = [] if installed(domain.extra) else [pytest.mark.skip(f"needs the extra {domain.extra!r}")]
    return pytest.param(domain, id=domain.name, marks=marks)


@pytest.mark.parametrize("domain", [case(each) for each in domains() if each.hindsight is not None])
def test_every_column_and_the_reward_are_as_if_the_env_had_that_goal(
    domain: Domain, fork_server: ForkServer
) -> None:
    """All that a designer may ask for, with what it was before the step and at the start."""
    own, registry, hindsight = stepped(domain, None)
    goal = own[ACHIEVED][REACHED]
    other, _, _ = stepped(domain, goal)
    recomputed = hindsight.columns({each: own[each] for each in hindsight.kept}, np.tile(goal, (STEPS, 1)))
    for name, column in recomputed.items():
        assert np.abs(column - other[name]).max() <= EXACT, name
    assert not other["terminated"].any()
    assert (other["desired_goal"] == other["desired_goal"][0]).all()
    for name in ("desired_goal", *(domain.hindsight or ())):  # else the statement is out of date
        assert not np.array_equal(own[name], other[name]), name
    task = domain.tasks[0]
    assert task.human is not None
    program = check(task.human, registry.vocabulary)
    shapes = registry.vocabulary.shapes(program.parameters)
    with fork_server.start(program, shapes, rows=STEPS) as process:
        total = process.evaluate({name: recomputed[name] for name in program.parameters}).total
    assert np.abs(total - other["native_reward"]).max() <= AS_WRITTEN
    assert np.abs(total - own["native_reward"]).max() > AS_WRITTEN


def stepped(domain: Domain, goal: Array | None) -> tuple[Mapping[str, Array], ObservableRegistry, Hindsight]:
    """Some steps with random actions, the same whatever the goal; None: as the env draws it."""
    task = domain.tasks[0]
    env = make_env(task)
    registry = ObservableRegistry(env, domain)
    names = registry.vocabulary.names()
    wanted = [*names, *(prefix + name for prefix in PREFIXES for name in names)]
    hindsight = Hindsight(registry.definitions, stated_of(task, domain), wanted)
    buffer = registry.buffer([*wanted, *hindsight.kept, "native_reward"], 1)
    recorded = RecordedEnv(env if goal is None else OtherGoal(env, goal), buffer)
    recorded.action_space.seed(0)
    recorded.reset(seed=0)
    for _ in range(STEPS):
        recorded.step(recorded.action_space.sample())
    env.close()
    return buffer.take().columns, registry, hindsight


class OtherGoal(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An env whose episodes ask for this goal, whatever the reset has drawn."""

    def __init__(self, env: gymnasium.Env[Any, Any], goal: Array) -> None:
        super().__init__(env)
        self.goal = goal

    def reset(self, **options: Any) -> Any:
        return asked_for(self.env.unwrapped, self.goal, *self.env.reset(**options))


def asked_for(env: Any, goal: Array, obs: dict[str, Any], info: dict[str, Any]) -> tuple[Any, Any]:
    """Give an env that was just reset another goal, and say what the reset would have returned."""
    env.goal = goal.copy()
    if hasattr(env, "update_target_site_pos"):  # mazes move their marker at once
        env.update_target_site_pos()
        mujoco.mj_kinematics(env.model, env.data)
        info = {**info, "success": np.linalg.norm(obs[ACHIEVED] - goal) <= 0.45}
    return {**obs, "desired_goal": goal.copy()}, info
