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


def quaternion_scalar_last(turn: Array) -> Array:
    """(N, 4) x, y, z, w of rotation matrices, (N, 3, 3) or (N, 9): as SciPy's `as_quat`, its sign too.

    The largest component is found first, and positive (Markley, Unit Quaternion from Rotation Matrix, 2008).
    """
    turn = turn.reshape(-1, 3, 3)
    trace = turn[:, 0, 0] + turn[:, 1, 1] + turn[:, 2, 2]
    sizes = np.stack([turn[:, 0, 0], turn[:, 1, 1], turn[:, 2, 2], trace], axis=1)
    kind = sizes.argmax(axis=1)
    columns = np.zeros((4, len(turn), 4))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        columns[i, :, i] = 1.0 - trace + 2.0 * turn[:, i, i]
        columns[i, :, j] = turn[:, j, i] + turn[:, i, j]
        columns[i, :, k] = turn[:, k, i] + turn[:, i, k]
        columns[i, :, 3] = turn[:, k, j] - turn[:, j, k]
        columns[3, :, i] = turn[:, k, j] - turn[:, j, k]
    columns[3, :, 3] = 1.0 + trace
    quat = columns[kind, np.arange(len(turn))]
    return np.asarray(quat / np.sqrt(np.square(quat).sum(axis=1, keepdims=True)))


def rotation_distance(quat: Array, other: Array) -> Array:
    """(N,) rad in [0, 2 pi]: twice the arc cosine of the real part of quat times the other's conjugate."""
    real = (quat * other).sum(axis=1)
    return np.asarray(2.0 * np.arccos(np.clip(real, -1.0, 1.0)))


def without_roll(quat: Array, other: Array) -> Array:
    """`quat` with the other's third Euler angle in place of its own."""
    euler, wanted = euler_of(quat), euler_of(other)
    return quat_of(np.stack([euler[:, 0], euler[:, 1], wanted[:, 2]], axis=1))


def euler_of(quat: Array) -> Array:
    """(N, 3), rad: `quat2euler`."""
    return euler_angles(matrix(quat))


def quat_of(euler: Array) -> Array:
    """(N, 4): `euler2quat`."""
    i, j, k = euler[:, 2] / 2.0, -euler[:, 1] / 2.0, euler[:, 0] / 2.0
    ci, cj, ck, si, sj, sk = (*np.cos([i, j, k]), *np.sin([i, j, k]))
    return np.stack(
        [
            cj * ci * ck + sj * si * sk,
            cj * ci * sk - sj * si * ck,
            -(cj * si * sk + sj * ci * ck),
            cj * si * ck - sj * ci * sk,
        ],
        axis=1,
    )
