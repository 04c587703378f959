"""Returns, advantages and scales of many learners are those of one, as SB3 and `RewardScale` compute them."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.train.population.acting import ObservationScales
from eureka_loop.train.population.returns import RewardScales, advantages
from eureka_loop.train.reward_scale import RewardScale

LEARNERS, ENVS, STEPS = 3, 2, 50


def test_reward_scales() -> None:
    """Bit for bit, over three rollouts."""
    random = np.random.default_rng(0)
    ours = RewardScales(LEARNERS, ENVS, 0.97)
    theirs = [RewardScale(ENVS, 0.97) for _ in range(LEARNERS)]
    for _ in range(3):
        rewards = random.normal(size=(LEARNERS, ENVS, STEPS)) * [[[1.0]], [[100.0]], [[1e-3]]]
        done = random.random(rewards.shape) < 0.1
        scaled = ours.scale(rewards, done)
        for learner, scale in enumerate(theirs):
            scale.update(rewards[learner].T.copy(), done[learner].T)
            assert (scaled[learner] == scale.apply(rewards[learner])).all()
            assert ours.statistics[learner].var == scale.statistics.var


def test_rewards_stay_as_they_are_where_scaling_is_off() -> None:
    rewards = np.full((1, 1, 4), 55.0)
    assert (RewardScales(1, 1, 0.9, enabled=False).scale(rewards, rewards < 0) == 55.0).all()


def test_advantages() -> None:
    """As SB3's buffer, bit for bit."""
    random = np.random.default_rng(1)
    rewards, values = (
        random.normal(size=(LEARNERS, ENVS, length)).astype(np.float32) for length in (STEPS, STEPS + 1)
    )
    done = random.random(rewards.shape) < 0.1
    ours = advantages(rewards, values, done, 0.97, 0.9)
    for learner in range(LEARNERS):
        buffer = RolloutBuffer(STEPS, BOX, BOX, "cpu", gae_lambda=0.9, gamma=0.97, n_envs=ENVS)
        buffer.rewards[:], buffer.values[:] = rewards[learner].T, values[learner, :, :-1].T
        buffer.episode_starts[1:] = done[learner, :, :-1].T
        last = torch.from_numpy(values[learner, :, -1].copy())
        buffer.compute_returns_and_advantage(last, done[learner, :, -1])
        assert (buffer.advantages == ours[learner].T).all()


@pytest.mark.parametrize("n_envs", [1, 3])
def test_observation_scales(n_envs: int) -> None:
    """As SB3's `VecNormalize`."""
    random = np.random.default_rng(2)
    ours = ObservationScales(LEARNERS, 4)
    theirs = [VecNormalize(DummyVecEnv([Echo] * n_envs), norm_reward=False) for _ in range(LEARNERS)]
    scaled = np.zeros((LEARNERS, n_envs, 4), np.float32)
    for _ in range(30):
        seen = random.normal(5.0, [0.1, 1.0, 10.0, 0.0], size=(LEARNERS, n_envs, 4))
        ours.update(seen)
        ours.apply(seen, scaled)
        for learner, envs in enumerate(theirs):
            envs.obs_rms.update(seen[learner])  # type: ignore[union-attr]
            assert np.allclose(scaled[learner], envs.normalize_obs(seen[learner]), rtol=1e-6, atol=1e-6)
    for learner, envs in enumerate(theirs):
        found: Any = ours.statistics(learner)
        assert found.count == envs.obs_rms.count  # type: ignore[union-attr]
        assert np.allclose(found.var, envs.obs_rms.var, rtol=1e-9)  # type: ignore[union-attr]
    assert ours.finite().all()
    seen[1, 0, 2] = np.nan
    ours.update(seen)
    assert ours.finite().tolist() == [True, False, True]


BOX = gymnasium.spaces.Box(-1.0, 1.0, (4,))


class Echo(gymnasium.Env[Any, Any]):
    """Spaces only."""

    observation_space = action_space = BOX
