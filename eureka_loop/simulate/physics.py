"""Turns, velocities and contact forces, all rows at once. Quaternions are (w, x, y, z), as MuJoCo's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.reward.functions import heading, wrap
from eureka_loop.simulate.definitions import Raw


def rotation_vector(quat: Array) -> Array:
    """Axis times angle (..., 3) in rad of unit quaternions (..., 4); the short way round, so at most pi."""
    sine = np.linalg.norm(quat[..., 1:], axis=-1)
    angle = wrap(2.0 * np.arctan2(sine, quat[..., 0]))
    scale = np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > 1e-12)  # sin(angle / 2)
    return np.asarray(scale[..., None] * quat[..., 1:])


def turn_between(before: Array, after: Array) -> Array:
    """Quaternion (N, 4) of the world-frame turn from one orientation to the next: after · before*."""
    a, b = after[:, :1], before[:, :1]
    u, v = after[:, 1:], -before[:, 1:]
    return np.concatenate(
        [a * b - (u * v).sum(axis=1, keepdims=True), a * v + b * u + np.cross(u, v)], axis=1
    )


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
    """World-frame velocity (..., 3) in m/s of points (..., 3) of bodies.

    `cvel` is MuJoCo's (..., 6), angular, then linear at `centre`: `subtree_com` (..., 3) of the tree's root.
    """
    return np.asarray(cvel[..., 3:] + np.cross(cvel[..., :3], point - centre))


def static_bodies(model: Any) -> npt.NDArray[np.bool_]:
    """(nbody,) which bodies are fixed to the world; a mocap body is not, since it can be moved."""
    return np.asarray((model.body_weldid == 0) & (model.body_mocapid[model.body_rootid] < 0))


def collides(model: Any, body: int) -> bool:
    """Whether any contact can act on the body."""
    paired = {*model.pair_geom1.tolist(), *model.pair_geom2.tolist()}
    masks = model.geom_contype | model.geom_conaffinity
    return any(masks[geom] or geom in paired for geom in np.flatnonzero(model.geom_bodyid == body).tolist())


def read_contacts(model: Any, data: Any) -> Array:
    """The contacts of a moment, (C, 17): two geoms, three axes in the world, force and torque on geom 1.

    The axes are one after another, the first from geom 0 to geom 1; force and torque are along these axes.
    """
    rows = np.empty((data.ncon, 17))
    if data.ncon:
        rows[:, :2], rows[:, 2:11] = data.contact.geom, data.contact.frame
    for index, row in enumerate(rows):
        mujoco.mj_contactForce(model, data, index, row[11:])
    return rows


def contact_sums(model: Any, rows: Sequence[Array], wanted: Sequence[Raw]) -> dict[Raw, Array]:
    """Sum → (R, 3) or (R,), over the contacts of each row."""
    sums: dict[Raw, Array] = {raw: np.zeros((len(rows), *raw.shape)) for raw in wanted}
    contacts = np.concatenate([np.zeros((0, 17)), *rows])
    where = np.repeat(np.arange(len(rows)), np.array([len(each) for each in rows], np.intp))
    # A force of 0 is two geoms near each other, not touching; a geom below 0 is a flex, part of no body.
    acts = (contacts[:, 11] != 0.0) & (contacts[:, :2] >= 0).all(axis=1)
    where, contacts = where[acts], contacts[acts]
    geoms, frames = contacts[:, :2].astype(np.intp), contacts[:, 2:11].reshape(-1, 3, 3)
    world = np.einsum("ck,ckj->cj", contacts[:, 11:14], frames)
    body = model.geom_bodyid
    static = static_bodies(model)[body]
    for side, sign in ((0, -1.0), (1, 1.0)):
        mine, other = geoms[:, side], geoms[:, 1 - side]
        grounded = static[other] & ~static[mine]
        for raw in wanted:
            chosen = np.ones_like(grounded) if raw.key == "net" else grounded
            if raw.index:
                chosen = chosen & (body[mine] == raw.index)
            np.add.at(sums[raw], where[chosen], 1.0 if raw.key == "touch" else sign * world[chosen])
    return sums
