"""Signs are as described: a domain's names against the automatic vocabulary's axes and positions.

At an episode's start, where kinematics and joint state belong to the same instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

CLAIMS = {  # task: expressions over the columns at the start that are equal
    "halfcheetah-run": {
        "sin(torso_pitch)": "-torso_forward[:, 2]",  # positive: nose down
        "torso_height": "torso_pos[:, 2]",
    },
    "hopper-hop": {
        "sin(torso_pitch)": "torso_up[:, 0]",  # positive: leaning forward
        "torso_height": "torso_pos[:, 2]",
    },
    "walker2d-walk": {"sin(torso_pitch)": "torso_up[:, 0]"},
    "swimmer-swim": {
        "sin(heading_angle)": "torso_forward[:, 1]",  # positive: to the left
        "heading_velocity": "(torso_linvel * torso_forward).sum(axis=1)",
    },
    "ant-run": {"sin(heading_angle) * hypot(*torso_forward[:, :2].T)": "torso_forward[:, 1]"},
    "invertedpendulum-balance": {"sin(pole_angle)": "pole_up[:, 0]"},  # positive: towards +x
    "inverteddoublependulum-balance": {
        "sin(upper_pole_angle)": "pole2_up[:, 0]",
        "tip_position": "cart_position + 0.6 * (sin(lower_pole_angle) + sin(upper_pole_angle))",
    },
    "reacher-reach": {"(target_pos - fingertip_pos)[:, 0]": "fingertip_to_target[:, 0]"},
    "humanoidstandup-standup": {"torso_upright": "-torso_forward[:, 2]"},  # lying level on the back
}
SIGNS = [(name, ours, theirs) for name, claims in CLAIMS.items() for ours, theirs in claims.items()]
Steps = Callable[[str], Any]


@pytest.mark.parametrize(("name", "ours", "theirs"), SIGNS)
def test_the_sign_is_as_described(name: str, ours: str, theirs: str, random_steps: Steps) -> None:
    columns = random_steps(name).transitions.columns
    start = {each.removeprefix("init_"): column for each, column in columns.items() if each[:5] == "init_"}
    names = {"sin": np.sin, "hypot": np.hypot, **start}
    np.testing.assert_allclose(eval(ours, names), eval(theirs, names), atol=1e-9)


def test_the_humanoid_lies_on_its_back(random_steps: Steps) -> None:
    columns = random_steps("humanoidstandup-standup").transitions.columns
    assert (columns["init_facing_up"] > 0.9).all()
    assert (columns["init_head_height"] < 0.2).all()


@pytest.mark.parametrize(
    ("body", "front", "left"), [("body4", 1, 1), ("body7", -1, 1), ("body10", -1, -1), ("body13", 1, -1)]
)
def test_ants_feet_are_in_their_stated_order(body: str, front: int, left: int, random_steps: Steps) -> None:
    """Front left, rear left, rear right, front right, in the torso's own frame at the start."""
    columns = random_steps("ant-run").transitions.columns
    offset = columns[f"init_{body}_pos"] - columns["init_torso_pos"]
    assert ((offset * columns["init_torso_forward"]).sum(axis=1) * front > 0).all()
    assert ((offset * columns["init_torso_left"]).sum(axis=1) * left > 0).all()
