"""Rotations and spatial velocities, all rows at once. Quaternions are (w, x, y, z), as MuJoCo's."""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.functions import heading, wrap


def rotation_vector(quat: Array) -> Array:
    """Axis times angle (..., 3) in rad of unit quaternions (..., 4); the short way round, so at most pi."""
    flip = np.where(quat[..., :1] < 0.0, -1.0, 1.0)
    w, v = flip[..., 0] * quat[..., 0], flip * quat[..., 1:]
    sine = np.sqrt(np.square(v).sum(axis=-1))
    angle = 2.0 * np.arctan2(sine, w)
    small = sine < 1e-12  # sin(angle / 2) ~ angle / 2
    scale = np.where(small, 2.0, angle / np.where(small, 1.0, sine))
    return np.asarray(scale[..., None] * v)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product (..., 4): first the rotation b, then a."""
    aw, av = a[..., :1], a[..., 1:]
    bw, bv = b[..., :1], b[..., 1:]
    w = aw * bw - (av * bv).sum(axis=-1, keepdims=True)
    return np.concatenate([w, aw * bv + bw * av + np.cross(av, bv)], axis=-1)


def turn_between(before: Array, after: Array) -> Array:
    """Quaternion (N, 4) of the world-frame turn from one orientation (N, 4) to the next."""
    return multiply(after, before * np.array([1.0, -1.0, -1.0, -1.0]))


def turned(before: Array, after: Array) -> Array:
    """World-frame rotation vector (N, 3) in rad that takes orientation `before` to `after`, both (N, 4)."""
    return rotation_vector(turn_between(before, after))


def yaw_change(before: Array, after: Array, forward_before: Array, forward_after: Array) -> Array:
    """Angle (N,) in rad that a body turned to the left, seen from above, between two rows.

    The change of its x axis' heading, so that a full turn adds 2 pi exactly, however it wobbled. Where that
    axis is steep or tips over, heading jumps by pi; there it is the turn's twist about the world's z axis.
    """
    change = wrap(heading(forward_after) - heading(forward_before))
    level = np.minimum(*(np.hypot(axis[:, 0], axis[:, 1]) for axis in (forward_before, forward_after))) > 0.5
    turn = turn_between(before, after)
    twist = wrap(2.0 * np.arctan2(turn[:, 3], turn[:, 0]))
    return np.where(level & (np.abs(change) < np.pi / 2), change, twist)


def point_velocity(cvel: Array, centre: Array, point: Array) -> Array:
    """World-frame velocity (..., 3) in m/s of points carried by bodies.

    Args:
        cvel: MuJoCo's (..., 6), angular then linear, taken at `centre`.
        centre: `subtree_com` (..., 3) of the body's kinematic tree root.
        point: (..., 3), world.
    """
    return np.asarray(cvel[..., 3:] + np.cross(cvel[..., :3], point - centre))
