"""Raw columns as sensors: which ones hold a part of MjData, and how it is computed from their values.

What a sensor says is from the start of a physics step, as MjData's own arrays are afterwards, but with the
Runge-Kutta integrator (see `runge_kutta`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import static_geoms
from eureka_loop.simulate.joints import HINGE, SLIDE
from eureka_loop.simulate.kinematics import cross
from eureka_loop.simulate.quantities import FromContacts, Raw, Slice

SENSOR, OBJECT, FIELDS = mujoco.mjtSensor, mujoco.mjtObj, mujoco.mjtConDataField
FORCE = 1 << int(FIELDS.mjCONDATA_FORCE)
WRENCH = FORCE | 1 << int(FIELDS.mjCONDATA_TORQUE) | 1 << int(FIELDS.mjCONDATA_POS)
STRONGEST, NET = 2, 3  # how a contact sensor makes one of many contacts; NET is along the world's axes


class Sensor(NamedTuple):
    """A sensor of one object; for contacts also the other object (-1: any), how many contacts become one, and
    which facts of it are read.
    """

    kind: Any
    object_kind: Any
    at: int  # the model's index
    other: int = -1
    reduction: int = 0
    fields: int = FORCE


class Plan(NamedTuple):
    """How to read a raw column.

    Attributes:
        groups: sensors of equal width in each.
        read: the groups' values, (N, sensors, width) each → (N, ...) in the order of the MjData array.
        cut: what the column takes of that, flattened.
    """

    groups: list[list[Sensor]]
    read: Callable[[list[Array]], Array]
    cut: slice = slice(None)


# MjData's arrays that a sensor holds element by element: its kind, of what, numbers an element.
PLAIN = {
    "xpos": (SENSOR.mjSENS_FRAMEPOS, OBJECT.mjOBJ_XBODY, 3),
    "xipos": (SENSOR.mjSENS_FRAMEPOS, OBJECT.mjOBJ_BODY, 3),
    "xquat": (SENSOR.mjSENS_FRAMEQUAT, OBJECT.mjOBJ_XBODY, 4),
    "geom_xpos": (SENSOR.mjSENS_FRAMEPOS, OBJECT.mjOBJ_GEOM, 3),
    "site_xpos": (SENSOR.mjSENS_FRAMEPOS, OBJECT.mjOBJ_SITE, 3),
    "subtree_com": (SENSOR.mjSENS_SUBTREECOM, OBJECT.mjOBJ_BODY, 3),
    "actuator_force": (SENSOR.mjSENS_ACTUATORFRC, OBJECT.mjOBJ_ACTUATOR, 1),
    "ten_length": (SENSOR.mjSENS_TENDONPOS, OBJECT.mjOBJ_TENDON, 1),
    "ten_velocity": (SENSOR.mjSENS_TENDONVEL, OBJECT.mjOBJ_TENDON, 1),
}
WIDTHS = {"xmat": 9, "cvel": 6, "cinert": 10, "cfrc_ext": 6}  # of elements that take more than one sensor
AXES = (SENSOR.mjSENS_FRAMEXAXIS, SENSOR.mjSENS_FRAMEYAXIS, SENSOR.mjSENS_FRAMEZAXIS)


def plan_of(raw: Raw, mj: Any) -> Plan | None:
    """How sensors give a raw column; None where they can't."""
    if isinstance(raw, FromContacts):
        return _contact(raw, mj)
    if not isinstance(raw, Slice):
        return None
    if raw.field in PLAIN:
        kind, object_kind, width = PLAIN[raw.field]
        elements, cut = _elements(raw, width)
        return Plan([[Sensor(kind, object_kind, index) for index in elements]], _only, cut)
    if raw.field == "qfrc_actuator":
        return _actuation(raw, mj)
    if raw.field == "qfrc_constraint":
        return _limits(raw, mj)
    if raw.field not in WIDTHS or (raw.field == "cfrc_ext" and mj.neq):  # what equalities pull isn't sensed
        return None
    elements, cut = _elements(raw, WIDTHS[raw.field])
    if raw.field == "xmat":
        return Plan([_bodies(axis, elements) for axis in AXES], _matrices, cut)
    if raw.field == "cinert":
        return _inertia(elements, mj, cut)
    if raw.field == "cfrc_ext":
        return _wrenches(elements, mj, cut)
    return _velocities(elements, mj, cut)


def _elements(raw: Slice, width: int) -> tuple[range, slice]:
    """The elements of an array that a slice touches, and what it cuts out of them."""
    first, last = raw.start // width, -(-raw.stop // width)
    return range(first, last), slice(raw.start - first * width, raw.stop - first * width)


def _bodies(kind: Any, bodies: Iterable[int], object_kind: Any = OBJECT.mjOBJ_XBODY) -> list[Sensor]:
    return [Sensor(kind, object_kind, body) for body in bodies]


def _centres(bodies: Iterable[int], mj: Any) -> list[Sensor]:
    """The centres of mass of the bodies' trees."""
    return _bodies(SENSOR.mjSENS_SUBTREECOM, mj.body_rootid[list(bodies)].tolist(), OBJECT.mjOBJ_BODY)


def _only(values: list[Array]) -> Array:
    return values[0]


def _matrices(values: list[Array]) -> Array:
    """A body's axes are the columns of its matrix."""
    return np.stack(values, axis=3)


def _velocities(bodies: range, mj: Any, cut: slice) -> Plan:
    """`cvel`: angular velocity, then that of the body's point at its tree's centre of mass."""
    turning = _bodies(SENSOR.mjSENS_FRAMEANGVEL, bodies)
    if len(bodies) == 1 and cut.stop <= 3:
        return Plan([turning], _only, cut)

    def read(values: list[Array]) -> Array:
        turn, speed, place, centre = values
        return np.concatenate([turn, speed + cross(turn, centre - place)], axis=2)

    moving, places = (_bodies(kind, bodies) for kind in (SENSOR.mjSENS_FRAMELINVEL, SENSOR.mjSENS_FRAMEPOS))
    return Plan([turning, moving, places, _centres(bodies, mj)], read, cut)


def _inertia(bodies: range, mj: Any, cut: slice) -> Plan:
    """`cinert` as `mju_inertCom` computes it: xx, yy, zz, xy, xz, yz about the tree's centre, m d (3), m."""
    chosen = list(bodies)
    principal, mass = mj.body_inertia[chosen], mj.body_mass[chosen]

    def read(values: list[Array]) -> Array:
        *axes, place, centre = values
        turn, way = np.stack(axes, axis=3), place - centre
        square = (turn * principal[:, None, :]) @ turn.swapaxes(2, 3)
        square += mass[:, None, None] * (
            np.square(way).sum(axis=2)[..., None, None] * np.eye(3) - way[..., :, None] * way[..., None, :]
        )
        rows, columns = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
        masses = np.broadcast_to(mass[:, None], (*way.shape[:2], 1))
        return np.concatenate([square[..., rows, columns], mass[:, None] * way, masses], axis=2)

    kinds = (*AXES, SENSOR.mjSENS_FRAMEPOS)
    groups = [_bodies(kind, bodies, OBJECT.mjOBJ_BODY) for kind in kinds]
    return Plan([*groups, _centres(bodies, mj)], read, cut)


def _wrenches(bodies: range, mj: Any, cut: slice) -> Plan | None:
    """`cfrc_ext`: torque about its tree's centre of mass, then force, of all contacts on each body."""
    moving = [body for body in bodies if body]  # MuJoCo leaves the world at 0

    def read(values: list[Array]) -> Array:
        contact, centre = values
        force, torque, place = -contact[..., :3], -contact[..., 3:6], contact[..., 6:]
        wrench = np.zeros((len(contact), len(bodies), 6))
        wrench[:, len(bodies) - len(moving) :, :3] = torque + cross(place - centre, force)
        wrench[:, len(bodies) - len(moving) :, 3:] = force
        return wrench

    kind = SENSOR.mjSENS_CONTACT
    contacts = [Sensor(kind, OBJECT.mjOBJ_BODY, body, -1, NET, WRENCH) for body in moving]
    return Plan([contacts, _centres(moving, mj)], read, cut) if moving else None


def _actuation(raw: Slice, mj: Any) -> Plan | None:
    """`qfrc_actuator`: a sensor a hinge or slide; of other joints it is 0 where no actuator acts on them."""
    dofs = range(raw.start, raw.stop)
    joints = mj.dof_jntid[list(dofs)]
    single = np.isin(mj.jnt_type[joints], (HINGE, SLIDE))
    if np.any(mj.actuator_trntype != mujoco.mjtTrn.mjTRN_JOINT):
        return None  # what acts on tendons or sites may act on any joint
    if not single.any() or np.isin(joints[~single], mj.actuator_trnid[:, 0]).any():
        return None

    def read(values: list[Array]) -> Array:
        forces = np.zeros((len(values[0]), len(dofs)))
        forces[:, single] = values[0][..., 0]
        return forces

    sensors = [
        Sensor(SENSOR.mjSENS_JOINTACTFRC, OBJECT.mjOBJ_JOINT, joint) for joint in joints[single].tolist()
    ]
    return Plan([sensors], read)


def _limits(raw: Slice, mj: Any) -> Plan | None:
    """`qfrc_constraint` of a model whose only constraints are the limits of hinges and slides."""
    collides = (mj.geom_contype[:, None] & mj.geom_conaffinity).any() or mj.npair
    others = mj.neq or mj.dof_frictionloss.any() or mj.tendon_limited.any() or mj.tendon_frictionloss.any()
    if collides or others or not np.isin(mj.jnt_type, (HINGE, SLIDE)).all():
        return None
    joints = range(raw.start, raw.stop)  # one a degree of freedom
    limited = [joint for joint in joints if mj.jnt_limited[joint]]
    middle = mj.jnt_range[limited].mean(axis=1)

    def read(values: list[Array]) -> Array:
        force, place = (value[..., 0] for value in values)
        pushes = np.zeros((len(force), len(joints)))
        pushes[:, np.array(limited, np.intp) - raw.start] = np.where(place < middle, force, -force)
        return pushes

    kinds = (SENSOR.mjSENS_JOINTLIMITFRC, SENSOR.mjSENS_JOINTPOS)
    groups = [[Sensor(kind, OBJECT.mjOBJ_JOINT, joint) for joint in limited] for kind in kinds]
    return Plan(groups, read) if limited else None


def _contact(raw: FromContacts, mj: Any) -> Plan | None:
    """The sensor's force is that of its first body on the other."""
    ground = sorted({int(mj.geom_bodyid[geom]) for geom in np.flatnonzero(static_geoms(mj))})

    def sensor(body: int, other: int, reduction: int) -> Sensor:
        return Sensor(SENSOR.mjSENS_CONTACT, OBJECT.mjOBJ_BODY, body, other, reduction)

    if not ground and raw.what != "net":
        return None
    if raw.what == "touch":
        pairs = [(raw.body, each) if raw.body else (each, -1) for each in ground]
        strongest = [sensor(body, other, STRONGEST) for body, other in pairs]
        return Plan([strongest], lambda values: (values[0][..., 0] != 0.0).any(axis=1))
    others = [-1] if raw.what == "net" else ground
    return Plan([[sensor(raw.body, other, NET) for other in others]], lambda values: -values[0].sum(axis=1))
