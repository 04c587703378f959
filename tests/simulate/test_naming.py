"""Names, groups, descriptions and constants of the automatic vocabulary."""

from __future__ import annotations

from typing import Any

import gymnasium
import pytest

from eureka_loop.envs.registry import domains, find_domain
from eureka_loop.errors import BadInput
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.observables import ObservableRegistry

ZOO = """<mujoco><option timestep="0.002"/><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <body name="robot0:torso" pos="0 0 1">
    <freejoint name="root"/><geom name="shell" size=".1"/><site name="robot0:torso"/>
    <body name="arm.left"><joint name="shoulder" type="ball" range="0 90" limited="true"/>
      <geom name="hand" size=".05" pos="0 0 -.3"/><site name="grip"/>
      <body name="arm_left"><joint name="FFJ0" axis="0 1 0" range="-90 45" limited="true"/>
        <geom size=".05" pos="0 0 -.2"/>
        <body><joint name="FFJ1" axis="1 0 0"/><geom name="tip" size=".02" pos="0 0 -.1"/></body>
      </body></body>
  </body>
  <body name="2nd" pos="1 0 1"><joint name="rail" type="slide" axis="0 0 -1" range="-1 .5" limited="true"/>
    <geom size=".1"/></body>
</worldbody>
<actuator><motor name="m:1" joint="FFJ0" ctrlrange="-1 1" gear="50"/><motor joint="FFJ1"/></actuator>
<sensor><gyro name="imu.gyro" site="grip"/><touch name="t" site="grip"/></sensor>
</mujoco>"""


@pytest.fixture
def zoo(toy: Any, domain_of: Any) -> Vocabulary:
    return ObservableRegistry(toy(ZOO), domain_of()).vocabulary


def test_names_are_identifiers_and_clashes_get_the_kind(zoo: Vocabulary) -> None:
    names = zoo.names()
    assert all(name.isidentifier() for name in names)
    assert len(set(names)) == len(names)
    for name in (
        *("robot0_torso_pos", "robot0_torso_site_pos", "arm_left_pos", "arm_left_body_pos", "body4_pos"),
        *("body_2nd_pos", "grip_pos", "hand_geom_pos", "shell_geom_pos", "sensor_imu_gyro", "sensor_t"),
        *("shoulder_angle", "shoulder_velocity", "FFJ0_angle", "rail_position", "rail_velocity"),
    ):
        assert name in names, name
    for name in ("floor_geom_pos", "root_angle", "root_position", "rail_angle"):
        assert name not in names, name


def test_shapes_units_and_groups(zoo: Vocabulary) -> None:
    """A hand of 24 joints stays readable: siblings share a group."""
    facts = {each.name: (each.shape, each.unit, each.group) for each in zoo}
    assert facts["shoulder_angle"] == ((3,), "rad", "joints")
    assert facts["robot0_torso_turn"] == ((3,), "rad", "robot0_torso")
    assert facts["rail_velocity"] == ((), "m/s", "joints")
    assert facts["FFJ0_angle"] == ((), "rad", "joints FFJ")
    assert facts["FFJ1_velocity"] == ((), "rad/s", "joints FFJ")
    assert facts["sensor_t"] == ((), "N", "sensors")
    assert facts["sensor_imu_gyro"] == ((3,), "rad/s", "sensors")
    assert facts["qpos"] == ((7 + 4 + 3,), "", "state")
    assert facts["cfrc_ext"][0] == (6, 6)


def test_signs_and_limits_in_words(zoo: Vocabulary) -> None:
    texts = {each.name: each.description for each in zoo}
    assert "positive: moves what it carries toward -x (right-handed about +y" in texts["FFJ0_angle"]
    assert "positive: moves what it carries toward +y (right-handed about +x" in texts["FFJ1_angle"]
    assert "positive: toward the world's down (-z)" in texts["rail_position"]
    assert "nameless body (joint FFJ1, geom tip)" in texts["body4_pos"]
    assert zoo.constants["joint 'FFJ0'"] == "-1.57 to 0.79 rad"
    assert zoo.constants["joint 'rail'"] == "-1.00 to 0.50 m"
    assert zoo.constants["joint 'shoulder'"] == "turns at most 1.57 rad"
    assert zoo.constants["actuator 'm_1'"] == "ctrl[:, 0], -1 to 1, gear 50"
    assert zoo.constants["actuator '1'"] == "ctrl[:, 1], gear 1"
    assert "joint 'FFJ1'" not in zoo.constants


def test_the_domains_own_names_come_first() -> None:
    domain = find_domain("HalfCheetah-v5")
    vocabulary = ObservableRegistry(gymnasium.make("HalfCheetah-v5"), domain).vocabulary
    own = [each.name for each in domain.observables]
    assert vocabulary.names()[: len(own)] == own
    assert {each.group for each in vocabulary.observables[: len(own)]} == {domain.name}
    assert "positive: nose down" in vocabulary.resolve("rooty_angle").description
    assert vocabulary.horizon == 1000
    assert vocabulary.dt == pytest.approx(0.05)


HERE = [domain for domain in domains() if not domain.extra]  # the others: tests/envs


@pytest.mark.parametrize("domain", HERE, ids=lambda domain: domain.env_id)
def test_documentation_keeps_the_hand_written_reward_to_itself(domain: Any) -> None:
    text = ObservableRegistry(gymnasium.make(domain.env_id), domain).vocabulary.documentation
    assert "Action Space" in text
    assert "Observation Space" in text
    assert "Termination" in text
    assert "reward" not in text.lower()
    assert "_cost" not in text


def test_an_env_without_mujoco_is_refused(domain_of: Any) -> None:
    with pytest.raises(BadInput, match="'CartPole-v1' has no MuJoCo model"):
        ObservableRegistry(gymnasium.make("CartPole-v1"), domain_of())
