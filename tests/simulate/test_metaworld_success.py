"""Batched Meta-World calls itself done where the env does, driven by Meta-World's own scripted policies.

Random actions never get there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.metaworld_vectorised import OBSERVED
from eureka_loop.envs.registry import find_domain, find_task, installed
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.simulate.recorded import RecordedVecEnv

STEPS = 250
SEEDS = {"soccer": 4, "peg-insert-side": 5}  # of a start from which the policy gets there; else 3
SAMPLE = ("drawer-open", "hammer", "push")  # the others are slow

CASES = [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.slow]) for name in OBSERVED]


@pytest.mark.filterwarnings("ignore:Constant")  # a policy asks for more than an action can be
@pytest.mark.skipif(not installed("metaworld"), reason="needs the extra 'metaworld'")
@pytest.mark.parametrize("name", CASES)
def test_done_where_the_env_is(name: str) -> None:
    from metaworld.policies import ENV_POLICY_MAP

    task, policy = find_task(f"metaworld-{name}"), ENV_POLICY_MAP[f"{name}-v3"]()
    domain, seed = find_domain(task.env_id), SEEDS.get(name, 3)
    batched = BatchedEnvs(task, domain, ["info_success"], 1, seed)
    single = RecordedVecEnv(task, domain, ["info_success"], 1, seed)
    batched.reset()
    obs: Any = single.reset()
    for _ in range(STEPS):
        action = np.clip(policy.get_action(obs[0]), -1.0, 1.0).astype(np.float32)[None]
        step, (obs, *_) = batched.step(action), single.step(action)
        np.testing.assert_allclose(step.obs, obs, rtol=1e-6, atol=1e-6)
    got = batched.take().columns["info_success"]
    np.testing.assert_array_equal(got, single.buffer.take().columns["info_success"])
    assert got.any()
