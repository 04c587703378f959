from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Task
from eureka_loop.simulate.recorded import RecordedVecEnv, survey


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


def test_ranges_and_probe() -> None:
    """The same each time; some of several episodes."""
    seen, again = (survey(task("HalfCheetah-v5"), find_domain("HalfCheetah-v5")) for _ in range(2))
    vocabulary, probe = seen.vocabulary, seen.probe
    assert again.vocabulary == vocabulary
    names = vocabulary.names(hidden=True)
    assert set(probe) == {prefix + name for prefix in ("", "prev_", "init_") for name in names}
    rows = len(probe["time"])
    assert rows >= 200
    assert len(np.unique(probe["init_qpos"], axis=0)) >= 10
    for observable in vocabulary:
        column = probe[observable.name]
        np.testing.assert_array_equal(column, again.probe[observable.name])
        assert column.shape == (rows, *observable.shape)
        assert np.isfinite(column).all()
        flat = column.reshape(rows, -1)
        assert observable.start is not None
        assert len(observable.start) == flat.shape[1]
        assert (flat >= observable.low).all(), observable.name
        assert (flat <= observable.high).all(), observable.name
        assert (np.array(observable.low) <= observable.start).all()
    assert vocabulary.resolve("torso_pos").start[2] == pytest.approx(0.7, abs=0.1)
    assert vocabulary.resolve("action").low[0] == pytest.approx(-1.0, abs=0.02)


@pytest.mark.parametrize(
    ("env_id", "method"), [("Hopper-v5", "def _get_rew("), ("InvertedPendulum-v5", "def step(")]
)
def test_the_envs_own_reward_is_shown_as_source(env_id: str, method: str) -> None:
    """Of the usual method, where the task names none."""
    native = survey(task(env_id), find_domain(env_id), steps=30).native
    assert native.startswith(method)
    assert native.count("def ") == 1
