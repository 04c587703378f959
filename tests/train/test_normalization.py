"""Beside SB3's `VecNormalize`."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.train.hyperparameters import SpacesOnly
from eureka_loop.train.normalization import ObservationScale, RewardScale

GAMMA = 0.9
LEARNERS = 3
BOX = gymnasium.spaces.Box(-1.0, 1.0, (4,))


def test_variance_is_vec_normalizes() -> None:
    """40 steps of two envs in two batches, episodes ending in both."""
    rewards, done = np.random.default_rng(0).normal(2.0, 50.0, size=(40, 2)), np.zeros((40, 2), bool)
    done[[6, 7, 32, 19], [0, 0, 0, 1]] = True
    model = VecNormalize(DummyVecEnv([lambda: SpacesOnly(BOX, BOX)] * 2), gamma=GAMMA)
    for step in range(40):  # as in its `step_wait`
        model._update_reward(rewards[step])
        model.returns[done[step]] = 0
    scale = RewardScale(1, 2, GAMMA)
    scale.update(rewards[:25, None], done[:25, None])
    scale.update(rewards[25:, None], done[25:, None])
    assert scale.statistics.var[0] == pytest.approx(model.ret_rms.var, rel=1e-6)
    assert scale.apply(rewards) == pytest.approx(model.normalize_reward(rewards), rel=1e-6)


def test_clips_at_ten_standard_deviations() -> None:
    scale = RewardScale(1, 1, GAMMA)
    scale.update(np.random.default_rng(0).normal(size=(1000, 1, 1)), np.ones((1000, 1, 1), bool))
    assert scale.apply(np.array([[-1e6, 1e6]])).tolist() == [[-10.0, 10.0]]


@pytest.mark.parametrize("n_envs", [1, 3])
def test_observation_scales(n_envs: int) -> None:
    """As SB3's `VecNormalize`."""
    random = np.random.default_rng(2)
    ours = ObservationScale(LEARNERS, 4)
    theirs = [
        VecNormalize(DummyVecEnv([lambda: SpacesOnly(BOX, BOX)] * n_envs), norm_reward=False)
        for _ in range(LEARNERS)
    ]
    for _ in range(30):
        seen = random.normal(5.0, [0.1, 1.0, 10.0, 0.0], size=(LEARNERS, n_envs, 4))
        ours.update(seen)
        scaled = ours.apply(seen)
        for learner, envs in enumerate(theirs):
            envs.obs_rms.update(seen[learner])  # type: ignore[union-attr]
            assert np.allclose(scaled[learner], envs.normalize_obs(seen[learner]), rtol=1e-6, atol=1e-6)
    for learner, envs in enumerate(theirs):
        found: Any = ours.statistics.of(learner)
        assert found.count == envs.obs_rms.count  # type: ignore[union-attr]
        assert np.allclose(found.var, envs.obs_rms.var, rtol=1e-9)  # type: ignore[union-attr]
    assert ours.finite().all()
    seen[1, 0, 2] = np.nan
    ours.update(seen)
    assert ours.finite().tolist() == [True, False, True]
