from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.records import Task
from eureka_loop.simulate.recorded import RecordedVecEnv


def task(env_id: str, **env_kwargs: Any) -> Task:
    return Task("toy", env_id, "", "", env_kwargs=env_kwargs)


def test_it_is_sb3s_own_with_rewards_of_0_and_every_step_recorded_before_the_reset(domain_of: Any) -> None:
    limited = task("HalfCheetah-v5", max_episode_steps=5)
    ours = RecordedVecEnv(limited, domain_of(), ["obs", "native_reward"], n_envs=2, seed=5)
    theirs = DummyVecEnv([lambda: gymnasium.make("HalfCheetah-v5", max_episode_steps=5) for _ in range(2)])
    theirs.seed(5)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    seen: list[list[Any]] = [[], []]
    rewards: list[list[float]] = [[], []]
    for _ in range(12):
        obs, reward, done, infos = ours.step(np.ones((2, 6)))
        expected = theirs.step(np.ones((2, 6)))
        np.testing.assert_array_equal(obs, expected[0])
        np.testing.assert_array_equal(reward, 0.0)
        np.testing.assert_array_equal(done, expected[2])
        for i in range(2):
            seen[i].append(infos[i]["terminal_observation"] if done[i] else obs[i])
            rewards[i].append(expected[1][i])
    taken = ours.buffer.take()
    np.testing.assert_array_equal(taken.columns["obs"], np.concatenate(seen))
    np.testing.assert_allclose(taken.columns["native_reward"], np.concatenate(rewards), rtol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(taken.done), [4, 9, 16, 21])
    np.testing.assert_array_equal(np.flatnonzero(taken.episode_start), [0, 5, 10, 12, 17, 22])
    assert taken.truncated[taken.done].all()
    assert "torso_pos" in ours.vocabulary.names()


def test_no_env_starts_as_an_env_of_another_training_does(domain_of: Any) -> None:
    """Training seeds are a hundred apart; see `eureka_loop.seeds`."""
    first, second = (
        RecordedVecEnv(task("InvertedPendulum-v5"), domain_of(), ["obs"], n_envs=n_envs, seed=seed)
        for n_envs, seed in ((101, 0), (1, 100))
    )
    starts: Any = first.reset()
    assert not (starts[:, None] == second.reset()[None]).all(axis=-1).any()
    first.seed(0)
    np.testing.assert_array_equal(first.reset(), starts)
