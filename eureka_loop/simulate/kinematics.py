"""Rotations and spatial velocities, all rows at once. Quaternions are (w, x, y, z), as MuJoCo's."""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array


def rotation_vector(quat: Array) -> Array:
    """Axis times angle (..., 3) in rad of unit quaternions (..., 4); the short way round, so at most pi."""
    flip = np.where(quat[..., :1] < 0.0, -1.0, 1.0)
    w, v = flip[..., 0] * quat[..., 0], flip * quat[..., 1:]
    sine = np.sqrt(np.square(v).sum(axis=-1))
    angle = 2.0 * np.arctan2(sine, w)
    small = sine < 1e-12  # sin(angle / 2) ~ angle / 2
    scale = np.where(small, 2.0, angle / np.where(small, 1.0, sine))
    return np.asarray(scale[..., None] * v)


def cross(a: Array, b: Array) -> Array:
    """Vector products (..., 3); `np.cross` takes three times as long on a few rows."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product (..., 4): first the rotation b, then a."""
    aw, av = a[..., :1], a[..., 1:]
    bw, bv = b[..., :1], b[..., 1:]
    w = aw * bw - (av * bv).sum(axis=-1, keepdims=True)
    return np.concatenate([w, aw * bv + bw * av + cross(av, bv)], axis=-1)


def conjugate(quat: Array) -> Array:
    """The inverse rotation (..., 4) of unit quaternions."""
    return np.asarray(quat * np.array([1.0, -1.0, -1.0, -1.0]))


def turned(before: Array, after: Array) -> Array:
    """World-frame rotation vector (N, 3) in rad that takes orientation `before` to `after`, both (N, 4)."""
    return rotation_vector(multiply(after, conjugate(before)))


def twist(before: Array, after: Array) -> Array:
    """The part (N,) in rad of the turn from one orientation to the next that is about the world's z axis."""
    turn = multiply(after, conjugate(before))
    return wrap(2.0 * np.arctan2(turn[:, 3], turn[:, 0]))


def yaw_change(before: Array, after: Array, forward_before: Array, forward_after: Array) -> Array:
    """How far (N,) in rad a body turned to the left, seen from above, between two rows.

    The change of its x axis' heading, so that a full turn adds 2 pi exactly, however it wobbled. Where that
    axis is steep or tips over, heading jumps by pi, and the twist about z is taken instead.
    """
    change = wrap(heading(forward_after) - heading(forward_before))
    level = np.minimum(_level(forward_before), _level(forward_after)) > 0.5
    return np.where(level & (np.abs(change) < np.pi / 2), change, twist(before, after))


def _level(axis: Array) -> Array:
    return np.asarray(np.hypot(axis[:, 0], axis[:, 1]))


def heading(forward: Array) -> Array:
    """Direction (N,) in rad of world vectors (N, 3) seen from above: 0 along +x, positive to +y."""
    return np.arctan2(forward[:, 1], forward[:, 0])


def wrap(angle: Array) -> Array:
    """The same angle in [-pi, pi)."""
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)


def point_velocity(cvel: Array, centre: Array, point: Array) -> Array:
    """World-frame velocity (..., 3) in m/s of points carried by bodies.

    Args:
        cvel: MuJoCo's (..., 6), angular then linear, taken at `centre`.
        centre: `subtree_com` (..., 3) of the body's kinematic tree root.
        point: (..., 3), world.
    """
    return cvel[..., 3:] + cross(cvel[..., :3], point - centre)
