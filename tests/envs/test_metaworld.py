"""Meta-World: its own scripted policies succeed by the catalogue's programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.metaworld import TEXTS
from eureka_loop.envs.metaworld_rewards import REWARDS
from eureka_loop.envs.registry import find_domain, find_task, installed, tasks
from eureka_loop.errors import Refused
from eureka_loop.records import NATIVE, Array, references
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry

pytestmark = [
    pytest.mark.skipif(not installed("metaworld"), reason="needs the extra 'metaworld'"),
    pytest.mark.filterwarnings("ignore:Constant.s. may be too high"),  # of its policies
]

STEPS = 130  # the slowest of its policies, for the door lock, takes 119
SEEDS = {"soccer": 1, "stick-pull": 1}  # of another start: from 0 these policies never get there
GRIP = {"button-press-topdown-wall": 1.0}  # shut: for it open, as the policy leaves it, the reward is 0
LEAST = {"handle-press": 0.02}  # fitness: four steps of the 130 are successes


def scripted(name: str) -> Callable[[Any, int], Array]:
    from metaworld.policies import ENV_POLICY_MAP

    policy = ENV_POLICY_MAP[f"{name}-v3"]()

    def act(env: Any, _: int) -> Array:
        *way, grip = policy.get_action(env._get_obs())
        return np.array([*way, GRIP.get(name, grip)])

    return act


def test_the_table_is_meta_worlds_own() -> None:
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    assert [f"{name}-v3" for name in TEXTS] == list(ALL_V3_ENVIRONMENTS)
    assert len([name for name in tasks() if name.startswith("metaworld-")]) == 50
    assert len(REWARDS) >= 10


@pytest.mark.parametrize("name", TEXTS)
def test_its_own_policy_succeeds_and_scores_higher_than_at_random(
    name: str, episodes_of: Callable[..., Any], off_native: Callable[..., float], fork_server: ForkServer
) -> None:
    """Where the hand-written reward is a program, it is the native one there, too."""
    task, policies = find_task(f"metaworld-{name}"), [None, lambda *_: np.zeros(4), scripted(name)]
    random, idle, well = episodes_of(task, fork_server, policies, steps=STEPS, seed=SEEDS.get(name, 0))
    assert well.success == 1.0
    assert well.progress > max(random.progress, idle.progress) + 0.03
    assert well.fitness > max(LEAST.get(name, 0.05), random.fitness)
    if name in REWARDS:
        assert well.columns["native_reward"].max() > 1.0
        assert off_native(task, fork_server, well.vocabulary, well.columns) <= 1e-6


def test_a_seed_decides_what_is_drawn() -> None:
    env = make_env(find_task("metaworld-push"))
    one, again, other = (env.reset(seed=seed)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one[36:], other[36:])
    assert not np.allclose(env.reset()[0][36:], other[36:])
    env.close()


def test_without_a_program_the_envs_own_reward_is_the_reference() -> None:
    task = find_task("metaworld-push")
    ids = {each.id: each.source for each in references(task)}
    assert list(ids) == ["native", "sparse"]
    env = make_env(task)
    vocabulary = ObservableRegistry(env, find_domain(task.env_id)).vocabulary
    env.close()
    assert check(ids["native"], vocabulary, hidden=True).parameters == ("native_reward",)
    with pytest.raises(Refused):
        check(NATIVE, vocabulary)
