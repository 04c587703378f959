"""Automatic observables against MuJoCo's own functions, on real envs, after every step."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv

ENVS = ("HalfCheetah-v5", "Ant-v5", "Humanoid-v5", "InvertedPendulum-v5", "Reacher-v5")


def by_mujoco(model: Any, data: Any) -> dict[str, Any]:
    """MuJoCo's own values, by the names of the vocabulary."""
    seen = {name: getattr(data, name).copy() for name in ("qpos", "qvel", "ctrl", "actuator_force")}
    velocity = np.zeros(6)
    for body in range(1, model.nbody):
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_BODY, body) or f"body{body}"
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
        rotation = data.xmat[body].reshape(3, 3)
        seen |= {
            f"{name}_pos": data.xpos[body].copy(),
            f"{name}_quat": data.xquat[body].copy(),
            f"{name}_forward": rotation[:, 0].copy(),
            f"{name}_left": rotation[:, 1].copy(),
            f"{name}_up": rotation[:, 2].copy(),
            f"{name}_linvel": velocity[3:].copy(),
            f"{name}_angvel": velocity[:3].copy(),
            # These envs call mj_rnePostConstraint after each step, MuJoCo's own sum over contacts.
            f"{name}_contact_force": data.cfrc_ext[body, 3:].copy(),
        }
    for joint in range(model.njnt):
        kind, name = model.jnt_type[joint], model.joint(joint).name
        if kind in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
            suffix = "angle" if kind == mujoco.mjtJoint.mjJNT_HINGE else "position"
            seen[f"{name}_{suffix}"] = data.qpos[model.jnt_qposadr[joint]].copy()
            seen[f"{name}_velocity"] = data.qvel[model.jnt_dofadr[joint]].copy()
    mujoco.mj_subtreeVel(model, data)
    seen["com_linvel"] = data.subtree_linvel[0].copy()
    seen["com_pos"] = (model.body_mass[:, None] * data.xipos).sum(axis=0) / model.body_mass.sum()
    seen["cfrc_ext"] = data.cfrc_ext.copy()
    return seen


@pytest.mark.parametrize("env_id", ENVS)
def test_they_are_mujocos(env_id: str, roll: Any, domain_of: Any) -> None:
    env = gymnasium.make(env_id)
    inner: Any = env.unwrapped
    registry = ObservableRegistry(env, domain_of())
    offered = set(registry.vocabulary.names())
    names = [name for name in by_mujoco(inner.model, inner.data) if name in offered]
    assert len(names) > 20
    buffer = registry.buffer(names, 1)
    seen = roll(env, buffer, 60, look=lambda: by_mujoco(inner.model, inner.data))
    columns = buffer.take().columns
    for name in names:
        np.testing.assert_allclose(columns[name], [step[name] for step in seen], atol=1e-9, err_msg=name)


def test_a_standing_robots_ground_forces_carry_its_weight(domain_of: Any) -> None:
    env = gymnasium.make("Ant-v5", terminate_when_unhealthy=False)
    model: Any = env.unwrapped.model
    registry = ObservableRegistry(env, domain_of())
    names = [name for name in registry.vocabulary.names() if name.endswith("_ground_force")]
    recorded = RecordedEnv(env, registry.buffer([*names, "air_time"], 1))
    recorded.reset(seed=0)
    for _ in range(200):
        recorded.step(np.zeros(8))
    columns = recorded.buffer.take().columns
    weight = -model.body_mass.sum() * model.opt.gravity[2]
    total = sum(columns[name] for name in names)[-1]
    np.testing.assert_allclose(total, [0.0, 0.0, weight], rtol=0.02, atol=0.02 * weight)
    assert columns["air_time"][-1] == 0.0
    assert columns["air_time"].max() > 0.0  # it falls a little at first


BALL = """<mujoco><option timestep="0.002"/><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <body name="ball" pos="0 0 1"><freejoint/><geom type="sphere" size="0.1"/></body>
</worldbody></mujoco>"""


def test_what_the_step_returns(toy: Any, roll: Any, domain_of: Any) -> None:
    env = toy(BALL, goal=True)
    env.spec = gymnasium.envs.registration.EnvSpec("Toy-v0", max_episode_steps=20)
    registry = ObservableRegistry(env, domain_of())
    visible, everything = registry.vocabulary.names(), registry.vocabulary.names(hidden=True)
    buffer = registry.buffer([*everything, "init_info_late"], 1)
    roll(env, buffer, 25, cut=20)
    columns = buffer.take().columns
    assert "info_text" not in everything
    assert set(everything) - set(visible) == {"native_reward", "info_reward_part"}
    steps = np.r_[1:21, 1:6]
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
