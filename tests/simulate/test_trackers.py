"""Trackers since the start, on motions with a known result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv

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


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pen_spun_three_times_about_the_palms_normal(toy: Any, domain_of: Any, sign: float) -> None:
    env = toy(PEN)
    steps = 100  # of 0.01 s
    env.start_qvel[5] = sign * 6 * np.pi  # rad/s about its own z, which is the palm's normal
    columns = record(
        env, ["pen_turn", "prev_pen_turn", "robot0_palm_up", "pen_yaw_total"], steps, domain_of()
    )
    spin = (columns["pen_turn"] * columns["robot0_palm_up"]).sum(axis=1)
    assert spin[-1] == pytest.approx(sign * 6 * np.pi, rel=1e-6)
    np.testing.assert_allclose(spin, sign * 6 * np.pi * np.arange(1, steps + 1) / steps, rtol=1e-6)
    increment = ((columns["pen_turn"] - columns["prev_pen_turn"]) * columns["robot0_palm_up"]).sum(axis=1)
    np.testing.assert_allclose(increment, sign * 6 * np.pi / steps, rtol=1e-6)


def test_without_an_update_the_kinematics_lag_one_substep(toy: Any, domain_of: Any) -> None:
    env = toy(PEN, lag=True)
    env.start_qvel[5] = 2.0
    columns = record(env, ["pen_turn", "robot0_palm_up"], 50, domain_of())
    spin = (columns["pen_turn"] * columns["robot0_palm_up"]).sum(axis=1)
    assert spin[-1] == pytest.approx(2.0 * (0.5 - 0.002), rel=1e-9)


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
