from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import pytest

from eureka_loop.simulate.physics import yaw_change


def test_a_wobbling_full_turn_adds_two_pi_exactly() -> None:
    yaws: Any = np.linspace(0.0, 2 * np.pi, 90)
    quats, rotations = np.zeros((90, 4)), np.zeros((90, 9))
    for yaw, quat, rotation in zip(yaws, quats, rotations, strict=True):
        turn, tilt = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, np.array([0.0, 0.0, 1.0]), yaw)
        mujoco.mju_axisAngle2Quat(tilt, np.array([0.6, 0.8, 0.0]), 0.5 * np.sin(5 * yaw))
        mujoco.mju_mulQuat(quat, turn, tilt)
        mujoco.mju_quat2Mat(rotation, quat)
    forward = rotations[:, ::3]
    total = yaw_change(quats[:-1], quats[1:], forward[:-1], forward[1:]).sum()
    assert total == pytest.approx(2 * np.pi, abs=1e-9)
