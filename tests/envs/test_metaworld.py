"""Meta-World: its own scripted policies do its tasks, and the catalogue's programs say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.extras import installed
from eureka_loop.envs.metaworld_rewards import REWARDS
from eureka_loop.envs.metaworld_tasks import TEXTS
from eureka_loop.envs.registry import find_domain, find_task, tasks
from eureka_loop.errors import Refused
from eureka_loop.judge.fitness import Judge
from eureka_loop.program.gate import check
from eureka_loop.records import Array, Task
from eureka_loop.references import NATIVE, references
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.simulate.documentation import reward_source
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments

pytestmark = [
    pytest.mark.skipif(not installed("metaworld"), reason="needs the extra 'metaworld'"),
    pytest.mark.filterwarnings("ignore:Constant.s. may be too high"),  # what its policies say of themselves
]
STEPS = 200
SOON = [  # whose scripted policies are done within so many steps, more or less one of each kind
    *("reach", "push", "pick-place", "door-close", "drawer-open", "drawer-close", "button-press"),
    *("button-press-topdown", "coffee-button", "faucet-open", "faucet-close", "window-open", "plate-slide"),
]


@pytest.fixture(scope="module", params=SOON)
def done(request: pytest.FixtureRequest, rollout_of: Callable[..., Any]) -> tuple[Task, Any]:
    """A task, and Meta-World's own policy for it at work."""
    task = find_task(f"metaworld-{request.param}")
    short = Task("any", task.env_id, "", "", env_kwargs={**task.env_kwargs, "max_episode_steps": STEPS})
    return task, rollout_of(short, scripted(request.param), seed=0, steps=STEPS)


def scripted(name: str) -> Callable[[Any, int], Array]:
    from metaworld.policies import ENV_POLICY_MAP

    policy = ENV_POLICY_MAP[f"{name}-v3"]()
    return lambda env, _: np.asarray(policy.get_action(env._get_obs()))


def test_the_table_is_meta_worlds_own() -> None:
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    assert [f"{name}-v3" for name in TEXTS] == list(ALL_V3_ENVIRONMENTS)
    assert len([name for name in tasks() if name.startswith("metaworld-")]) == 50
    assert len(REWARDS) >= 10


def test_its_own_policy_succeeds_and_scores(done: tuple[Task, Any], zygote: Zygote) -> None:
    task, rollout = done
    with Judge(zygote, task, rollout.vocabulary) as judge:
        fitness, success = judge.score(rollout.episodes[0].columns)
    assert success == 1.0
    assert fitness > 0.05


def test_the_program_is_the_native_reward_when_the_task_is_done_well(
    done: tuple[Task, Any], zygote: Zygote
) -> None:
    task, rollout = done
    if task.human is None:
        pytest.skip("its reference is the env's own reward")
    program = check(task.human, rollout.vocabulary)
    columns = {name: rollout.transitions.columns[name] for name in program.parameters}
    shapes = {name: rollout.vocabulary.resolve(name).shape for name in columns}
    with zygote.start(program, shapes, rows=STEPS) as process:
        total = process.evaluate(columns).total
    native = rollout.transitions.columns["native_reward"]
    assert native.max() > 1.0
    assert np.abs(total - native).max() <= 1e-6


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
    vocabulary = Instruments(env, find_domain(task.env_id)).vocabulary
    env.close()
    assert check(ids["native"], vocabulary, hidden=True).parameters == ("native_reward",)
    with pytest.raises(Refused):
        check(NATIVE, vocabulary)


def test_the_envs_own_reward_can_be_read() -> None:
    task = find_task("metaworld-push")
    env = make_env(task)
    source = reward_source(env, task.native)
    env.close()
    assert "def compute_reward(" in source
    assert "def _gripper_caging_reward(" in source
    assert "target_to_obj" in source
