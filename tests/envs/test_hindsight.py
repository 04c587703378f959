"""The contract of every domain with hindsight: columns recomputed for another goal are the env's with that goal.

An env is stepped twice with the same actions, the second time towards a place that the first time reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import domains, installed
from eureka_loop.records import Array
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary
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


GOALS = pytest.mark.parametrize("domain", [case(each) for each in domains() if each.hindsight is not None])


class Recomputed(NamedTuple):
    """One episode: with its own goal, with another, and recomputed for that other; every name."""

    vocabulary: Vocabulary
    own: Mapping[str, Array]
    other: Mapping[str, Array]
    recomputed: Mapping[str, Array]


@GOALS
def test_every_column_is_as_if_the_env_had_that_goal(domain: Domain) -> None:
    """All that a designer may ask for, with what it was before the step and at the start."""
    seen = episodes(domain.name)
    for name, column in seen.recomputed.items():
        assert np.abs(column - seen.other[name]).max() <= EXACT, name
    assert not seen.other["terminated"].any()
    assert (seen.other["desired_goal"] == seen.other["desired_goal"][0]).all()


@GOALS
def test_what_is_stated_follows_the_goal(domain: Domain) -> None:
    """Otherwise the statement is out of date."""
    seen = episodes(domain.name)
    for name in (
        "goal_position" if "goal_position" in seen.own else "desired_goal",
        *(domain.hindsight or ()),
    ):
        assert not np.array_equal(seen.own[name], seen.other[name]), name


@GOALS
def test_the_reward_is_the_env_s_own_for_that_goal(domain: Domain, fork_server: ForkServer) -> None:
    task, seen = domain.tasks[0], episodes(domain.name)
    assert task.human is not None
    program = check(task.human, seen.vocabulary)
    shapes = {name: seen.vocabulary.resolve(name).shape for name in program.parameters}
    with fork_server.start(program, shapes, rows=STEPS) as process:
        recomputed, other = (process.evaluate(columns).total for columns in (seen.recomputed, seen.other))
    assert np.abs(recomputed - other).max() <= EXACT
    assert np.abs(recomputed - seen.other["native_reward"]).max() <= AS_WRITTEN
    assert np.abs(recomputed - seen.own["native_reward"]).max() > AS_WRITTEN


@cache
def episodes(name: str) -> Recomputed:
    domain = next(each for each in domains() if each.name == name)
    own, registry, hindsight = stepped(domain, None)
    goal = own[ACHIEVED][REACHED]
    other, _, _ = stepped(domain, goal)
    recomputed = hindsight.columns({each: own[each] for each in hindsight.kept}, np.tile(goal, (STEPS, 1)))
    return Recomputed(registry.vocabulary, own, other, recomputed)


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
