"""The recorded envs against SB3's own."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka_loop.records import Task
from eureka_loop.simulate.recorded import RecordedVecEnv

NAMES = ["torso_pos", "action", "obs", "time"]


def task(env_id: str, **env_kwargs: Any) -> Task:
    return Task("toy", env_id, "", "", env_kwargs=env_kwargs)


def dummy(env_id: str, n_envs: int, **env_kwargs: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: gymnasium.make(env_id, **env_kwargs) for _ in range(n_envs)])


@pytest.mark.parametrize(("env_id", "limit"), [("HalfCheetah-v5", 7), ("InvertedPendulum-v5", 20)])
def test_behaves_as_sb3s(env_id: str, limit: int, domain_of: Any) -> None:
    ours = RecordedVecEnv(task(env_id, max_episode_steps=limit), domain_of(), ["obs"], n_envs=3, seed=5)
    theirs = dummy(env_id, 3, max_episode_steps=limit)
    theirs.seed(5)
    ours.action_space.seed(0)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ended = 0
    for _ in range(60):
        actions = np.stack([ours.action_space.sample() for _ in range(3)])
        got, expected = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(got[0], expected[0])
        assert got[0].dtype == expected[0].dtype
        np.testing.assert_array_equal(got[1], np.zeros(3))
        np.testing.assert_array_equal(got[2], expected[2])
        for mine, other in zip(got[3], expected[3], strict=True):
            assert mine.keys() == other.keys()
            assert mine["TimeLimit.truncated"] == other["TimeLimit.truncated"]
            if "terminal_observation" in other:
                ended += 1
                np.testing.assert_array_equal(mine["terminal_observation"], other["terminal_observation"])
    assert ended > 3
    ours.seed(9)
    theirs.seed(9)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())


def test_no_env_begins_as_an_env_of_another_training_does(domain_of: Any) -> None:
    """Training seeds are a hundred apart; see `eureka_loop.seeds`."""
    first, second = (
        RecordedVecEnv(task("InvertedPendulum-v5"), domain_of(), ["obs"], n_envs=n_envs, seed=seed)
        for n_envs, seed in ((101, 0), (1, 100))
    )
    starts = first.reset()
    assert not (starts[:, None] == second.reset()[None]).all(axis=-1).any()
    first.seed(0)
    np.testing.assert_array_equal(first.reset(), starts)


def test_the_interface(domain_of: Any) -> None:
    envs = RecordedVecEnv(task("Reacher-v5"), domain_of(), ["obs"], n_envs=2, seed=0)
    assert envs.num_envs == 2
    assert envs.get_attr("frame_skip") == [2, 2]
    envs.set_attr("mark", 3, indices=1)
    assert envs.envs[1].mark == 3
    assert [model.nq for model in envs.get_attr("model")] == [4, 4]
    assert len(envs.env_method("get_wrapper_attr", "dt")) == 2
    assert envs.env_is_wrapped(Monitor) == [False, False]
    assert envs.render_mode is None
    assert "fingertip_pos" in envs.vocabulary.names()
    observations = envs.reset()
    kept = observations.copy()
    envs.step(np.ones((2, 2)))
    np.testing.assert_array_equal(observations, kept)  # what was handed out doesn't change
    envs.close()


def test_goal_envs_hand_out_dicts(toy: Any, domain_of: Any) -> None:
    xml = "<mujoco><worldbody><body><joint name='j'/><geom size='.1'/></body></worldbody></mujoco>"
    gymnasium.register("ToyGoal-v0", lambda: toy(xml, goal=True), max_episode_steps=4)
    try:
        envs = RecordedVecEnv(task("ToyGoal-v0"), domain_of(), ["obs", "desired_goal"], n_envs=2, seed=0)
    finally:
        del gymnasium.registry["ToyGoal-v0"]
    observations: Any = envs.reset()
    np.testing.assert_array_equal(observations["desired_goal"], [[3.0, 4.0]] * 2)
    for _ in range(4):
        observations, _, dones, infos = envs.step(np.zeros((2, 1)))
    assert dones.all()
    assert set(infos[0]["terminal_observation"]) == {"observation", "achieved_goal", "desired_goal"}
    columns = envs.buffer.take().columns
    np.testing.assert_array_equal(columns["desired_goal"], [[3.0, 4.0]] * 8)
    assert columns["obs"].shape == (8, 1)


class Keep(BaseCallback):
    """Every rollout's observations and actions."""

    def __init__(self) -> None:
        super().__init__()
        self.rollouts: list[tuple[np.ndarray, np.ndarray]] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        buffer = self.model.rollout_buffer  # type: ignore[attr-defined]
        self.rollouts.append((buffer.observations.copy(), buffer.actions.copy()))


class NoReward(gymnasium.RewardWrapper):
    def reward(self, reward: Any) -> float:
        return 0.0


def test_ppo_sees_the_same_as_with_sb3s_own(domain_of: Any) -> None:
    def train(envs: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        keep = Keep()
        PPO(
            "MlpPolicy", VecNormalize(envs, norm_reward=False), n_steps=64, batch_size=32, n_epochs=2, seed=3
        ).learn(256, callback=keep)
        return keep.rollouts

    env_id = "InvertedPendulum-v5"
    ours = train(RecordedVecEnv(task(env_id), domain_of(), ["obs", "cart_pos"], n_envs=2, seed=3))
    theirs = train(DummyVecEnv([lambda: NoReward(gymnasium.make(env_id)) for _ in range(2)]))
    assert len(ours) == len(theirs) == 2
    for (seen, done), (expected, acted) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(seen, expected)
        np.testing.assert_array_equal(done, acted)


def test_every_step_is_recorded_before_the_reset(domain_of: Any) -> None:
    envs = RecordedVecEnv(task("HalfCheetah-v5", max_episode_steps=5), domain_of(), NAMES, n_envs=2, seed=0)
    last = envs.reset()
    expected: list[list[np.ndarray]] = [[], []]
    for _ in range(12):
        last, _, dones, infos = envs.step(np.ones((2, 6)))
        for i in range(2):
            expected[i].append(infos[i]["terminal_observation"] if dones[i] else last[i])
    taken = envs.buffer.take()
    np.testing.assert_array_equal(taken.columns["obs"], np.concatenate(expected))
    np.testing.assert_array_equal(np.flatnonzero(taken.done), [4, 9, 16, 21])
    np.testing.assert_array_equal(np.flatnonzero(taken.episode_start), [0, 5, 10, 12, 17, 22])
    assert taken.truncated[taken.done].all()
