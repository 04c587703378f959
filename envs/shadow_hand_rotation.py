"""Angles between orientations as Gymnasium-Robotics counts them.

After gymnasium_robotics/utils/rotations.py and envs/shadow_dexterous_hand/manipulate.py (1.4), whose signs
and axes are kept, so that the native reward comes out. Quaternions are (N, 4): w, x, y, z.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array

from .rotations import euler_angles, matrix


def apart(quat: Array, other: Array) -> Array:
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
