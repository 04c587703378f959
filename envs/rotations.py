"""Rotations as Gymnasium-Robotics writes them in observations (its utils/rotations.py), all rows at once."""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array

LOCKED = 4.0 * np.finfo(np.float64).eps  # cosine of the middle angle at which the first is taken to be 0


def matrix(quat: Array) -> Array:
    """Rotation matrices (N, 3, 3) of quaternions (N, 4), w first."""
    w, x, y, z = quat.T
    double = 2.0 / np.square(quat).sum(axis=1)
    result = np.empty((len(quat), 3, 3))
    result[:, 0, 0], result[:, 1, 1] = 1.0 - double * (y * y + z * z), 1.0 - double * (x * x + z * z)
    result[:, 2, 2] = 1.0 - double * (x * x + y * y)
    result[:, 0, 1], result[:, 1, 0] = double * (x * y - w * z), double * (x * y + w * z)
    result[:, 0, 2], result[:, 2, 0] = double * (x * z + w * y), double * (x * z - w * y)
    result[:, 1, 2], result[:, 2, 1] = double * (y * z - w * x), double * (y * z + w * x)
    return result


def euler_angles(turn: Array) -> Array:
    """(N, 3) rad, about x, y, z in turn, of rotation matrices (N, 3, 3): `mat2euler`."""
    cosine = np.sqrt(np.square(turn[:, 2, 2]) + np.square(turn[:, 1, 2]))
    free = cosine > LOCKED
    first = np.where(free, -np.arctan2(turn[:, 1, 2], turn[:, 2, 2]), 0.0)
    middle = np.arctan2(turn[:, 0, 2], cosine)
    last = np.where(free, -np.arctan2(turn[:, 0, 1], turn[:, 0, 0]), np.arctan2(turn[:, 1, 0], turn[:, 1, 1]))
    return np.stack([first, middle, last], axis=1)
