"""Signs are as the descriptions put them: own names against the automatic vocabulary's axes and positions.

At an episode's start, where kinematics and joint state belong to the same instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.records import Array

Start = Callable[[str], Array]

CLAIMS: dict[str, tuple[str, Callable[[Start], Array], Callable[[Start], Array]]] = {
    "cheetah: pitch, positive: nose down": (
        "halfcheetah-run",
        lambda at: np.sin(at("torso_pitch")),
        lambda at: -at("torso_forward")[:, 2],
    ),
    "cheetah: height is that of the body": (
        "halfcheetah-run",
        lambda at: at("torso_height"),
        lambda at: at("torso_pos")[:, 2],
    ),
    "hopper: pitch, positive: leaning forward": (
        "hopper-hop",
        lambda at: np.sin(at("torso_pitch")),
        lambda at: at("torso_up")[:, 0],
    ),
    "hopper: height is that of the body": (
        "hopper-hop",
        lambda at: at("torso_height"),
        lambda at: at("torso_pos")[:, 2],
    ),
    "walker: pitch, positive: leaning forward": (
        "walker2d-walk",
        lambda at: np.sin(at("torso_pitch")),
        lambda at: at("torso_up")[:, 0],
    ),
    "swimmer: heading, positive: to the left": (
        "swimmer-swim",
        lambda at: np.sin(at("heading_angle")),
        lambda at: at("torso_forward")[:, 1],
    ),
    "swimmer: forward speed along the heading": (
        "swimmer-swim",
        lambda at: at("heading_velocity"),
        lambda at: (at("torso_linvel") * at("torso_forward")).sum(axis=1),
    ),
    "ant: heading, positive: to the left": (
        "ant-run",
        lambda at: np.sin(at("heading_angle")) * np.hypot(*at("torso_forward")[:, :2].T),
        lambda at: at("torso_forward")[:, 1],
    ),
    "pendulum: pole, positive: towards +x": (
        "invertedpendulum-balance",
        lambda at: np.sin(at("pole_angle")),
        lambda at: at("pole_up")[:, 0],
    ),
    "double pendulum: upper pole from the vertical, positive: towards +x": (
        "inverteddoublependulum-balance",
        lambda at: np.sin(at("upper_pole_angle")),
        lambda at: at("pole2_up")[:, 0],
    ),
    "double pendulum: the tip is where the poles put it": (
        "inverteddoublependulum-balance",
        lambda at: at("tip_position"),
        lambda at: (
            at("cart_position") + 0.6 * (np.sin(at("lower_pole_angle")) + np.sin(at("upper_pole_angle")))
        ),
    ),
    "reacher: the fingertip is at the angles given": (
        "reacher-reach",
        lambda at: (at("target_pos") - at("fingertip_pos"))[:, 0] - at("fingertip_to_target")[:, 0],
        lambda at: np.zeros(len(at("shoulder_angle"))),
    ),
    "standup: lying level on the back": (
        "humanoidstandup-standup",
        lambda at: at("torso_upright"),
        lambda at: -at("torso_forward")[:, 2],
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_sign_is_as_described(claim: str, random_steps: Callable[[str], Any]) -> None:
    name, ours, theirs = CLAIMS[claim]
    transitions = random_steps(name).transitions

    def at(observable: str) -> Array:
        return np.asarray(transitions.columns[f"init_{observable}"])

    assert np.allclose(ours(at), theirs(at), atol=1e-9)


def test_the_hands_of_the_humanoid_are_where_a_person_would_say(random_steps: Callable[[str], Any]) -> None:
    """At the start both reach forward, the left one to the left."""
    columns = random_steps("humanoid-run").transitions.columns
    left, right = columns["init_left_hand_in_torso"], columns["init_right_hand_in_torso"]
    assert (left[:, 0] > 0.2).all()
    assert (left[:, 1] > 0.1).all()
    assert (right[:, 1] < -0.1).all()


def test_the_humanoid_on_its_back_faces_up(random_steps: Callable[[str], Any]) -> None:
    columns = random_steps("humanoidstandup-standup").transitions.columns
    assert (columns["init_facing_up"] > 0.9).all()
    assert (columns["init_head_height"] < 0.2).all()


def test_the_sitting_humanoid_is_more_upright(scripted_steps: Callable[[str], Any]) -> None:
    columns = scripted_steps("humanoidstandup-standup").transitions.columns
    assert columns["torso_upright"][-100:].mean() > columns["init_torso_upright"][0] + 0.3


def test_ants_feet_are_where_their_order_says(random_steps: Callable[[str], Any]) -> None:
    """Front left, rear left, rear right, front right, in the torso's own frame at the start."""
    columns = random_steps("ant-run").transitions.columns
    for body, (front, left) in {
        "body4": (1, 1),
        "body7": (-1, 1),
        "body10": (-1, -1),
        "body13": (1, -1),
    }.items():
        way = columns[f"init_{body}_pos"] - columns["init_torso_pos"]
        assert ((way * columns["init_torso_forward"]).sum(axis=1) * front > 0).all()
        assert ((way * columns["init_torso_left"]).sum(axis=1) * left > 0).all()
