"""Automatic observables against MuJoCo's own functions, and on motions with a known result."""

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


# A palm tilted half over, and a pen lying on it; nothing pulls, nothing touches.
PEN = """<mujoco><option timestep="0.002" gravity="0 0 0"/><worldbody>
  <body name="robot0:palm" pos="0 0 1" euler="40 -30 20"><geom type="box" size=".1 .1 .01"/></body>
  <body name="pen" pos="0 0 1.5" euler="40 -30 20"><freejoint/>
    <geom type="capsule" size=".01 .1" euler="0 90 0"/></body>
</worldbody></mujoco>"""

BALL = """<mujoco><option timestep="0.001"/><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <body name="ball" pos="0 0 0.6"><freejoint/><geom type="sphere" size="0.1"/></body>
</worldbody></mujoco>"""

FLIP = """<mujoco><option timestep="0.002" gravity="0 0 0"/><worldbody>
  <body name="torso" pos="0 0 1"><joint name="rooty" axis="0 1 0"/><geom type="box" size=".3 .1 .1"/>
    <body name="top"><joint name="twist" axis="0 0 1"/><geom size=".05"/></body></body>
</worldbody></mujoco>"""


def record(env: Any, names: list[str], steps: int, domain: Any) -> dict[str, np.ndarray]:
    recorded = RecordedEnv(env, ObservableRegistry(env, domain).buffer(names, 1))
    recorded.reset(seed=0)
    for _ in range(steps):
        recorded.step(np.zeros(1))
    return dict(recorded.buffer.take().columns)


@pytest.mark.parametrize(("sign", "lag"), [(1.0, False), (-1.0, False), (1.0, True)])
def test_a_pen_spun_three_times_about_the_palms_normal(
    toy: Any, domain_of: Any, sign: float, lag: bool
) -> None:
    """Without an update after the step the kinematics lag one substep."""
    env, steps = toy(PEN, lag=lag), 100  # of 0.01 s
    env.start_qvel[5] = sign * 6 * np.pi  # rad/s about its own z, which is the palm's normal
    columns = record(env, ["pen_turn", "prev_pen_turn", "robot0_palm_up"], steps, domain_of())
    spin = (columns["pen_turn"] * columns["robot0_palm_up"]).sum(axis=1)
    seconds = 0.01 * np.arange(1, steps + 1) - 0.002 * lag
    np.testing.assert_allclose(spin, sign * 6 * np.pi * seconds, rtol=1e-6)
    before = (columns["prev_pen_turn"] * columns["robot0_palm_up"]).sum(axis=1)
    np.testing.assert_allclose(before[1:], spin[:-1], rtol=1e-6)


@pytest.mark.parametrize("lag", [True, False])
def test_the_table_says_whether_they_lag(toy: Any, domain_of: Any, lag: bool) -> None:
    constants = ObservableRegistry(toy(BALL, lag=lag), domain_of()).vocabulary.constants
    assert ("lag" in constants) == lag


def test_a_backflip_and_a_pirouette(toy: Any, domain_of: Any) -> None:
    env = toy(FLIP)
    env.start_qvel[0] = -2 * np.pi
    columns = record(env, ["torso_turn", "torso_yaw_total"], 100, domain_of())
    np.testing.assert_allclose(columns["torso_turn"][-1], [0.0, -2 * np.pi, 0.0], atol=1e-9)
    np.testing.assert_allclose(columns["torso_yaw_total"], 0.0, atol=1e-9)
    env.start_qvel[:] = [0.0, 4 * np.pi]
    columns = record(env, ["top_turn", "top_yaw_total"], 100, domain_of())
    np.testing.assert_allclose(columns["top_turn"][-1], [0.0, 0.0, 4 * np.pi], atol=1e-9)
    assert columns["top_yaw_total"][-1] == pytest.approx(4 * np.pi)


def test_a_dropped_ball_is_in_the_air_as_long_as_it_falls(toy: Any, domain_of: Any) -> None:
    env = toy(BALL)
    columns = record(
        env, ["air_time", "ball_air_time", "ball_ground_force", "time", "ball_pos"], 200, domain_of()
    )
    landed = int(np.flatnonzero(columns["ball_ground_force"][:, 2] > 0)[0])
    assert columns["time"][landed] == pytest.approx(np.sqrt(2 * 0.5 / 9.81), abs=0.006)
    np.testing.assert_allclose(columns["ball_air_time"][:landed], columns["time"][:landed])
    assert columns["ball_air_time"][landed] == 0.0
    touching = columns["ball_ground_force"][:, 2] > 0
    np.testing.assert_array_equal(columns["ball_air_time"] == 0.0, touching)
    np.testing.assert_array_equal(columns["air_time"], columns["ball_air_time"])


def test_a_flight_is_measured_from_the_last_contact_of_anything(roll: Any, domain_of: Any) -> None:
    names = ["torso_flight_move", "torso_flight_turn", "torso_turn", "prev_torso_turn", "air_time"]
    env = gymnasium.make("Hopper-v5", terminate_when_unhealthy=False)
    registry = ObservableRegistry(env, domain_of())
    buffer = registry.buffer([*names, "torso_pos", "prev_torso_pos"], 1)
    roll(env, buffer, 300)
    taken = buffer.take()
    columns, place, turn = taken.columns, np.zeros(3), np.zeros(3)
    flying = columns["air_time"] > 0.0
    assert len(np.flatnonzero(np.diff(flying))) > 6, "several flights, the first from the start on"
    for step in range(len(taken)):
        if step == 0 or not flying[step - 1]:
            place, turn = columns["prev_torso_pos"][step], columns["prev_torso_turn"][step]
        moved = columns["torso_pos"][step] - place if flying[step] else np.zeros(3)
        turned = columns["torso_turn"][step] - turn if flying[step] else np.zeros(3)
        np.testing.assert_allclose(columns["torso_flight_move"][step], moved, atol=1e-12)
        np.testing.assert_allclose(columns["torso_flight_turn"][step], turned, atol=1e-12)
    assert registry.vocabulary.find("foot_flight_turn") is None, "only of bodies that hang on no other"


def test_a_ball_on_a_ball_feels_contact_but_no_ground(toy: Any, domain_of: Any) -> None:
    xml = """<mujoco><option timestep="0.002"/><worldbody>
      <geom type="plane" size="5 5 1"/>
      <body name="low" pos="0 0 .1"><joint type="slide" axis="0 0 1"/><geom size=".1" mass="1"/></body>
      <body name="high" pos="0 0 .3"><joint type="slide" axis="0 0 1"/><geom size=".1" mass="2"/></body>
    </worldbody></mujoco>"""
    names = [
        "low_ground_force",
        "high_ground_force",
        "low_contact_force",
        "high_contact_force",
        "high_air_time",
    ]
    columns = record(toy(xml), names, 300, domain_of())
    np.testing.assert_allclose(columns["low_ground_force"][-1], [0, 0, 3 * 9.81], atol=1e-3)
    np.testing.assert_allclose(columns["low_contact_force"][-1], [0, 0, 1 * 9.81], atol=1e-3)
    np.testing.assert_allclose(columns["high_contact_force"][-1], [0, 0, 2 * 9.81], atol=1e-3)
    np.testing.assert_array_equal(columns["high_ground_force"], 0.0)
    assert columns["high_air_time"][-1] == pytest.approx(3.0)


def test_what_the_step_returns(toy: Any, roll: Any, domain_of: Any) -> None:
    env = toy(BALL, frames=10, goal=True)
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
