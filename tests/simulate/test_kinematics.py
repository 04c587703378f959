from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import pytest

from eureka_loop.simulate.kinematics import multiply, rotation_vector, yaw_change


def quaternions(count: int, seed: int = 0) -> Any:
    raw = np.random.default_rng(seed).normal(size=(count, 4))
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def about(axis: tuple[float, float, float], angle: float) -> Any:
    quat = np.zeros(4)
    mujoco.mju_axisAngle2Quat(quat, np.array(axis), angle)
    return quat[None]


def test_products_and_rotation_vectors_are_mujocos() -> None:
    for a, b in zip(quaternions(50), quaternions(50, 1), strict=True):
        product, vector = np.zeros(4), np.zeros(3)
        mujoco.mju_mulQuat(product, a, b)
        mujoco.mju_quat2Vel(vector, a, 1.0)
        np.testing.assert_allclose(multiply(a[None], b[None])[0], product, atol=1e-15)
        np.testing.assert_allclose(rotation_vector(a[None])[0], vector, atol=1e-12)


def test_a_wobbling_full_turn_adds_two_pi_exactly() -> None:
    yaws = np.linspace(0.0, 2 * np.pi, 90)
    wobbles = [about((0.6, 0.8, 0.0), 0.5 * np.sin(5 * yaw)) for yaw in yaws]
    quats = np.concatenate(
        [multiply(about((0, 0, 1), yaw), tilt) for yaw, tilt in zip(yaws, wobbles, strict=True)]
    )
    rotation = np.zeros((90, 9))
    for row, quat in zip(rotation, quats, strict=True):
        mujoco.mju_quat2Mat(row, quat)
    forward = rotation.reshape(-1, 3, 3)[:, :, 0]
    total = yaw_change(quats[:-1], quats[1:], forward[:-1], forward[1:]).sum()
    assert total == pytest.approx(2 * np.pi, abs=1e-9)
