"""Every quantity against MuJoCo's own functions, on real envs, after every step."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv

ENVS = ("HalfCheetah-v5", "Ant-v5", "Humanoid-v5", "InvertedPendulum-v5", "Reacher-v5")


def look(model: Any, data: Any) -> dict[str, np.ndarray]:
    """What MuJoCo itself says, by the names of the vocabulary."""
    seen: dict[str, np.ndarray] = {
        name: getattr(data, name).copy() for name in ("qpos", "qvel", "ctrl", "actuator_force")
    }
    velocity = np.zeros(6)
    for body in range(1, model.nbody):
        word = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_BODY, body) or f"body{body}"
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
        rotation = data.xmat[body].reshape(3, 3)
        seen |= {
            f"{word}_pos": data.xpos[body].copy(),
            f"{word}_quat": data.xquat[body].copy(),
            f"{word}_forward": rotation[:, 0].copy(),
            f"{word}_left": rotation[:, 1].copy(),
            f"{word}_up": rotation[:, 2].copy(),
            f"{word}_linvel": velocity[3:].copy(),
            f"{word}_angvel": velocity[:3].copy(),
            # These envs call mj_rnePostConstraint after each step, MuJoCo's own sum over contacts.
            f"{word}_contact_force": data.cfrc_ext[body, 3:].copy(),
        }
    for joint in range(model.njnt):
        kind = model.jnt_type[joint]
        if kind in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
            word = model.joint(joint).name
            suffix = "angle" if kind == mujoco.mjtJoint.mjJNT_HINGE else "position"
            seen[f"{word}_{suffix}"] = data.qpos[model.jnt_qposadr[joint]].copy()
            seen[f"{word}_velocity"] = data.qvel[model.jnt_dofadr[joint]].copy()
    mujoco.mj_subtreeVel(model, data)
    seen["com_linvel"] = data.subtree_linvel[0].copy()
    seen["com_pos"] = (model.body_mass[:, None] * data.xipos).sum(axis=0) / model.body_mass.sum()
    seen["cfrc_ext"] = data.cfrc_ext.copy()
    return seen


@pytest.mark.parametrize("env_id", ENVS)
def test_quantities_are_mujocos(env_id: str, roll: Any, domain_of: Any) -> None:
    env = gymnasium.make(env_id)
    model, data = env.unwrapped.model, env.unwrapped.data
    instruments = ObservableRegistry(env, domain_of())
    offered = set(instruments.vocabulary.names())
    names = [name for name in look(model, data) if name in offered]
    assert len(names) > 20
    recorder = instruments.buffer(names, 1)
    seen = roll(env, recorder, 60, look=lambda: look(model, data))
    columns = recorder.take().columns
    for name in names:
        np.testing.assert_allclose(columns[name], [step[name] for step in seen], atol=1e-9, err_msg=name)


def test_bodies_without_contact_offer_no_contact_quantities(domain_of: Any) -> None:
    env = gymnasium.make("Reacher-v5")
    names = ObservableRegistry(env, domain_of()).vocabulary.names()
    assert "target_pos" in names
    assert "target_contact_force" not in names  # its geom collides with nothing


def test_a_standing_robots_ground_forces_carry_its_weight(domain_of: Any) -> None:
    env = gymnasium.make("Ant-v5", terminate_when_unhealthy=False)
    model = env.unwrapped.model
    instruments = ObservableRegistry(env, domain_of())
    names = [name for name in instruments.vocabulary.names() if name.endswith("_ground_force")]
    recorded = RecordedEnv(env, instruments.buffer([*names, "air_time", "body4_air_time"], 1))
    recorded.reset(seed=0)
    for _ in range(200):
        recorded.step(np.zeros(8))
    columns = recorded.buffer.take().columns
    total = sum(columns[name] for name in names)[-1]
    weight = -model.body_mass.sum() * model.opt.gravity[2]
    np.testing.assert_allclose(total, [0.0, 0.0, weight], rtol=0.02, atol=0.02 * weight)
    assert columns["air_time"][-1] == 0.0
    assert columns["air_time"].max() > 0.0  # it falls a little at first


def test_what_the_step_gives(toy: Any, roll: Any, domain_of: Any) -> None:
    env = toy(BALL, goal=True)
    env.spec = gymnasium.envs.registration.EnvSpec("Toy-v0", max_episode_steps=20)
    instruments = ObservableRegistry(env, domain_of())
    everything = instruments.vocabulary.names(hidden=True)
    recorder = instruments.buffer([*everything, "init_info_late"], 1)
    vocabulary = instruments.vocabulary
    roll(env, recorder, 25, cut=20)
    columns = recorder.take().columns
    steps = np.r_[1:21, 1:6]
    assert "info_text" not in vocabulary.names(hidden=True)
    assert {"native_reward", "info_reward_part"} == set(vocabulary.names(hidden=True)) - set(
        vocabulary.names()
    )
    np.testing.assert_allclose(columns["time"], steps * 0.01)
    np.testing.assert_allclose(columns["time_left"], (20 - steps) * 0.01)
    np.testing.assert_allclose(columns["dt"], 0.01)
    np.testing.assert_array_equal(columns["achieved_goal"], [[1.0, 2.0]] * 25)
    np.testing.assert_array_equal(columns["desired_goal"], [[3.0, 4.0]] * 25)
    assert columns["obs"].shape == (25, 7)
    np.testing.assert_array_equal(columns["native_reward"], 7.0)
    np.testing.assert_array_equal(columns["info_pair"], [[1.0, 2.0]] * 25)
    np.testing.assert_array_equal(columns["info_flag"], 1.0)
    np.testing.assert_array_equal(columns["init_info_late"], 0.0)  # resets don't give it
    assert not columns["terminated"].any()  # time limits don't count


BALL = """<mujoco><option timestep="0.002"/><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <body name="ball" pos="0 0 1"><freejoint/><geom type="sphere" size="0.1"/></body>
</worldbody></mujoco>"""
