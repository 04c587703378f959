from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from eureka_loop import RewardFunction, wrap, wrap_vec
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import BadInput, Refused, RewardFailure, UnknownName
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv

HOP = """
def compute_reward(forward_velocity, healthy, action, prev_action, qpos, init_qpos, *, speed=1.0):
    return {
        "speed": speed * forward_velocity,
        "survive": healthy,
        "smooth": -0.1 * np.square(action - prev_action).sum(axis=1),
        "_far": qpos[:, 0] - init_qpos[:, 0],
    }
"""
ANT = """
def compute_reward(torso_yaw_total, prev_torso_yaw_total, torso_turn, air_time, init_torso_pos, torso_pos, time_left,
                   info_x_velocity, prev_info_x_velocity, torso_contact_force, front_left_leg_ground_force):
    return {
        "turn": torso_yaw_total - prev_torso_yaw_total + torso_turn[:, 1],
        "air": air_time,
        "far": norm(torso_pos - init_torso_pos) * time_left,
        "faster": info_x_velocity - prev_info_x_velocity,
        "force": norm(torso_contact_force) + norm(front_left_leg_ground_force),
    }
"""
REACH = """
def compute_reward(achieved_goal, desired_goal, prev_achieved_goal, info_is_success, terminated, obs, native_reward):
    return {
        "near": -norm(achieved_goal - desired_goal),
        "moved": norm(achieved_goal - prev_achieved_goal) + terminated,
        "there": info_is_success + native_reward,
        "_seen": obs[:, 0],
    }
"""
PROGRAMS = {
    "hopper-hop": HOP,
    "ant-run": ANT,
    "fetch-reach": REACH,
    "reacher-reach": None,
    "humanoid-run": None,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reward.py"
    path.write_text(HOP)
    return path


@pytest.mark.parametrize("trusted", [False, True], ids=["locked", "trusted"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_terms_are_those_of_training(
    name: str, trusted: bool, tmp_path: Path, fork_server: ForkServer
) -> None:
    task = find_task(name)
    if task.env_id.startswith("Fetch"):
        pytest.importorskip("gymnasium_robotics")
    source = PROGRAMS[name] or task.human
    assert source
    (tmp_path / "reward.py").write_text(source)
    short = partial(gymnasium.wrappers.TimeLimit, max_episode_steps=60)
    inner = short(make_env(task))
    registry = ObservableRegistry(inner, find_domain(task.env_id))
    program = check(source, registry.vocabulary, hidden=True)
    buffer = registry.buffer(program.parameters, 1)
    recorded, env = (
        RecordedEnv(inner, buffer),
        wrap(short(make_env(task)), tmp_path / "reward.py", trusted=trusted),
    )
    env.action_space.seed(0)
    recorded.reset(seed=3)
    env.reset(seed=3)
    rewards, terms, logged = [], [], []
    for _ in range(150):
        action = env.action_space.sample()
        _, _, terminated, truncated, _ = recorded.step(action)
        _, reward, *_, info = env.step(action)
        rewards.append(reward)
        terms.append(info["reward_terms"])
        logged.append(info.get("reward_diagnostics", {}))
        if terminated or truncated:
            recorded.reset()
            env.reset()
    env.close()
    recorded.close()
    columns = buffer.take().columns
    shapes = registry.vocabulary.shapes(program.parameters, hidden=True)
    with fork_server.start(program, shapes, rows=150) as process:
        expected = process.evaluate(columns)
    np.testing.assert_allclose(rewards, expected.total, rtol=0, atol=1e-9)
    for key, values in expected.named().items():
        found = logged if key.startswith("_") else terms
        np.testing.assert_allclose([each[key] for each in found], values, rtol=0, atol=1e-9, err_msg=key)


def plain(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else np.asarray(value)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("trusted", [False, True], ids=["locked", "trusted"])
def test_environments_together_are_rewarded_as_each_alone(mode: str, trusted: bool, file: Path) -> None:
    """Gymnasium's own vector environments of wrapped environments are the reference."""
    options: Any = {"num_envs": 3, "vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": mode}}
    together = wrap_vec(gymnasium.make_vec("Hopper-v5", **options), file, trusted=trusted)
    each = partial(wrap, reward=file, trusted=True)
    alone = gymnasium.make_vec("Hopper-v5", wrappers=[each], **options)
    together.reset(seed=5)
    alone.reset(seed=5)
    together.action_space.seed(0)
    ended = 0
    for _ in range(120):
        action = together.action_space.sample()
        found, wanted = together.step(action), alone.step(action)
        ended += int(found[2].sum())
        if mode == "NextStep" or not found[2].any():  # else the terms are in `final_info` there
            for key in ("reward_terms", "reward_diagnostics"):
                for name, values in wanted[4][key].items():
                    np.testing.assert_allclose(plain(found[4][key][name]), values, atol=1e-9, err_msg=name)
                np.testing.assert_array_equal(found[4][f"_{key}"], wanted[4][f"_{key}"])
        np.testing.assert_allclose(found[1], wanted[1], rtol=0, atol=1e-9)
    assert ended > 3
    together.close()
    alone.close()


def test_environments_in_processes_of_their_own(file: Path) -> None:
    wrapped = partial(wrap, reward=file)
    envs = gymnasium.make_vec("Hopper-v5", 2, vectorization_mode="async", wrappers=[wrapped])
    alone = wrap(gymnasium.make("Hopper-v5"), file)
    envs.reset(seed=7)
    alone.reset(seed=7)
    envs.action_space.seed(0)
    for _ in range(5):
        action = envs.action_space.sample()
        _, rewards, *_, infos = envs.step(action)
        _, reward, *_, info = alone.step(action[0])
        assert rewards[0] == pytest.approx(reward, abs=1e-9)
        assert infos["reward_terms"]["speed"][0] == pytest.approx(info["reward_terms"]["speed"], abs=1e-9)
    envs.close()
    alone.close()
    unwrapped = gymnasium.make_vec("Hopper-v5", 2, vectorization_mode="async")
    with pytest.raises(BadInput, match=r"not AsyncVectorEnv.*wrappers=\[partial\(wrap, reward=FILE\)\]"):
        wrap_vec(unwrapped, file)
    unwrapped.close()


def test_sb3_trains_with_it(file: Path) -> None:
    seen: list[float] = []

    def look(local: dict[str, Any], _: Any) -> bool:
        for reward, info in zip(local["rewards"], local["infos"], strict=True):
            seen.append(float(reward) - sum(info["reward_terms"].values()))
        return True

    envs = make_vec_env("Hopper-v5", 2, seed=0, wrapper_class=wrap, wrapper_kwargs={"reward": file})
    model = PPO("MlpPolicy", envs, n_steps=64, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(256, callback=look)
    envs.close()
    assert len(seen) == 256
    np.testing.assert_allclose(seen, 0.0, atol=1e-6)  # SB3 keeps float32
    assert model.ep_info_buffer
    assert all(np.isfinite(each["r"]) for each in model.ep_info_buffer)


def test_a_loop_like_cleanrls_learns_what_the_reward_pays_for(tmp_path: Path) -> None:
    """A linear policy by evolution: the mean of the reward rises, with statistics by Gymnasium's wrapper."""
    (tmp_path / "still.py").write_text(
        'def compute_reward(action):\n    return {"still": -np.square(action - 0.5).sum(axis=1)}\n'
    )
    envs: Any = wrap_vec(
        gymnasium.make_vec("Reacher-v5", 8, vectorization_mode="sync"), tmp_path / "still.py"
    )
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    random, mean = np.random.default_rng(0), np.zeros(2)
    envs.reset(seed=0)
    for _ in range(150):
        actions = np.clip(mean + 0.3 * random.standard_normal((8, 2)), -1.0, 1.0)
        _, rewards, _, _, infos = envs.step(actions.astype(np.float32))
        live = infos["_reward_terms"] if "_reward_terms" in infos else np.zeros(8, bool)
        if live.all():
            mean = actions[np.argsort(rewards)[-3:]].mean(axis=0)
    envs.close()
    np.testing.assert_allclose(mean, 0.5, atol=0.25)
    assert len(envs.return_queue) >= 16


def test_the_environments_streams_of_random_numbers_go_on(file: Path) -> None:
    plain_env, env = gymnasium.make("Hopper-v5"), gymnasium.make("Hopper-v5")
    for each in (plain_env, env):
        each.reset(seed=11)
        each.action_space.seed(11)
    wrapped = wrap(env, file, trusted=True)
    np.testing.assert_array_equal(wrapped.action_space.sample(), plain_env.action_space.sample())
    np.testing.assert_array_equal(wrapped.reset()[0], plain_env.reset()[0])
    starts = [wrap(gymnasium.make("Hopper-v5"), file, trusted=True).reset()[0] for _ in range(2)]
    assert (starts[0] != starts[1]).any()


def test_a_reward_function_takes_columns(file: Path) -> None:
    env = gymnasium.make("Hopper-v5")
    reward = RewardFunction(file, env, rows=4)
    assert reward.program.weights == {"speed": 1.0}
    shapes = {"action": (4, 3), "prev_action": (4, 3), "qpos": (4, 6), "init_qpos": (4, 6)}
    columns = {"forward_velocity": np.arange(4.0), "healthy": np.ones(4)}
    terms = reward({**columns, **{name: np.zeros(shape) for name, shape in shapes.items()}})
    assert terms.names == ("speed", "survive", "smooth", "_far")
    np.testing.assert_array_equal(terms.total, np.arange(4.0) + 1.0)
    reward.close()
    reward.close()
    env.close()


@pytest.mark.parametrize("trusted", [False, True], ids=["locked", "trusted"])
@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("import os\ndef compute_reward(obs):\n    return {'a': obs[:, 0]}\n", Refused, "Line 1"),
        (
            "def compute_reward(forward_speed):\n    return {'a': forward_speed}\n",
            Refused,
            "forward_velocity",
        ),
        ("def compute_reward(obs):\n    return {'a': obs}\n", RewardFailure, r"shape \(N, 11\)"),
        ("def compute_reward(obs):\n    return {'a': np.log(obs[:, 0] * 0.0)}\n", RewardFailure, "-inf"),
        (
            "def compute_reward(obs):\n    obs[:] = 0.0\n    return {'a': obs[:, 0]}\n",
            RewardFailure,
            "Line 2",
        ),
    ],
    ids=["import", "name", "shape", "infinite", "writes"],
)
def test_a_bad_file_is_refused(
    source: str, error: type[Exception], text: str, trusted: bool, file: Path
) -> None:
    file.write_text(source)

    def used() -> None:  # some fail when they load
        with closing(wrap(gymnasium.make("Hopper-v5"), file, trusted=trusted)) as env:
            env.reset()
            env.step(env.action_space.sample())

    with pytest.raises(error, match=text):
        used()
    with pytest.raises(BadInput, match="can't read"):
        wrap(gymnasium.make("Hopper-v5"), file.with_name("none.py"), trusted=trusted)


def test_a_locked_file_that_never_ends_is_killed(file: Path) -> None:
    loops = "\n".join(f"{'    ' * n}for i{n} in range(1000):" for n in range(1, 5))
    body = f"def compute_reward(obs):\n    x = 0.0\n{loops}\n{'    ' * 5}x = x + 1.0\n"
    file.write_text(body + "    return {'a': obs[:, 0] + x}\n")
    env = wrap(gymnasium.make("Hopper-v5"), file)
    env.reset()
    with pytest.raises(RewardFailure, match="took longer than 1 s"):
        env.step(env.action_space.sample())
    env.close()


def test_importing_the_package_stays_light() -> None:
    code = "import sys, eureka_loop; print([m for m in ('numpy', 'gymnasium', 'mujoco') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(ImportError):
        from eureka_loop import unwrap  # noqa: F401


def test_another_kind_of_environment_is_refused(file: Path) -> None:
    with pytest.raises((BadInput, UnknownName)):
        wrap(gymnasium.make("CartPole-v1"), file)
