"""Observables of any MuJoCo model: its bodies, joints, sites, named geoms and sensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import mujoco
import numpy as np

from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.definitions import ContactSum, DataSlice, Definition, as_is, element, running_sum
from eureka_loop.simulate.env_observables import air_time
from eureka_loop.simulate.kinematics import point_velocity, rotation_vector, turned, yaw_change
from eureka_loop.simulate.model import BALL, FREE, SLIDE, Model, Namer, direction, family

BODY_SUFFIXES = (
    *("pos", "quat", "up", "forward", "left", "linvel", "angvel"),
    *("contact_force", "ground_force", "turn", "yaw_total", "air_time"),
)
JOINT_SUFFIXES = ("angle", "position", "velocity")
ROOT_TURNS = {
    "+x": "rolls to its right",
    "-x": "rolls to its left",
    "+y": "nose down",
    "-y": "nose up",
    "up (+z)": "turns left",
    "down (-z)": "turns right",
}
# What MuJoCo documents for the sensors of robots; other sensors have no unit here.
SENSOR_UNITS = {
    "touch": "N",
    "force": "N",
    "torque": "N m",
    "accelerometer": "m/s^2",
    "velocimeter": "m/s",
    "gyro": "rad/s",
    "rangefinder": "m",
    "framepos": "m",
    "framelinvel": "m/s",
    "frameangvel": "rad/s",
    "subtreecom": "m",
    "subtreelinvel": "m/s",
}


def model_observables(model: Model, joints: dict[int, str], namer: Namer, dt: float) -> Iterator[Definition]:
    """All of them, in the model's order.

    Args:
        joints: of `joint_names`.
        dt: seconds a step.
    """
    yield from _joints(model, joints)
    yield from _bodies(model, namer, dt)
    yield from _sites_and_geoms(model, namer)
    yield from _sensors(model, namer)


def joint_names(model: Model, namer: Namer) -> dict[int, str]:
    """Joint index → identifier, free joints left out: the pose and velocities of their body say the same."""
    patterns = [f"{{}}_{suffix}" for suffix in JOINT_SUFFIXES]
    return {
        joint: namer.name(model.name("joint", joint), "joint", joint, patterns)
        for joint in range(model.mj.njnt)
        if model.mj.jnt_type[joint] != FREE
    }


def _joints(model: Model, joints: dict[int, str]) -> Iterator[Definition]:
    siblings = Counter(family(name) for name in joints.values())
    for joint, name in joints.items():
        group = f"joints {family(name)}" if siblings[family(name)] > 1 else "joints"
        yield from (_ball if model.mj.jnt_type[joint] == BALL else _hinge_or_slide)(model, joint, name, group)


def _hinge_or_slide(model: Model, joint: int, name: str, group: str) -> Iterator[Definition]:
    slide = model.mj.jnt_type[joint] == SLIDE
    quantity, unit = ("position", "m") if slide else ("angle", "rad")
    sign = f"positive: toward the world's {direction(model.pose.xaxis[joint])}"
    sign = sign if slide else _hinge_sign(model, joint)
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    text = f"{quantity} of joint {name}; {sign}"
    place = Observable(f"{name}_{quantity}", (), unit, "joint", text, group)
    yield Definition(place, (DataSlice("qpos", qpos, qpos + 1, ()),), as_is)
    text = f"velocity of joint {name}; {sign}"
    speed = Observable(f"{name}_velocity", (), f"{unit}/s", "joint", text, group)
    yield Definition(speed, (DataSlice("qvel", qvel, qvel + 1, ()),), as_is)


def _ball(model: Model, joint: int, name: str, group: str) -> Iterator[Definition]:
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    text = f"rotation vector (axis times angle, at most pi) of ball joint {name} from its rest orientation"
    angle = Observable(f"{name}_angle", (3,), "rad", "parent body", text, group)
    yield Definition(angle, (DataSlice("qpos", qpos, qpos + 4, (4,)),), rotation_vector)
    text = f"angular velocity of ball joint {name}"
    speed = Observable(f"{name}_velocity", (3,), "rad/s", "child body", text, group)
    yield Definition(speed, (DataSlice("qvel", qvel, qvel + 3, (3,)),), as_is)


def _hinge_sign(model: Model, joint: int) -> str:
    """Where the part that a hinge carries goes when the angle grows, in the starting pose."""
    mj, axis, body = model.mj, model.pose.xaxis[joint], int(model.mj.jnt_bodyid[joint])
    about = direction(axis)
    moves_robot = mj.body_parentid[body] == 0 and mj.body_subtreemass[body] > 0.5 * mj.body_subtreemass[0]
    if moves_robot and about in ROOT_TURNS:
        return f"positive: {ROOT_TURNS[about]} (right-handed about the world's {about})"
    text = f"right-handed about {about} in the starting pose"
    motion = np.cross(axis, model.pose.subtree_com[body] - model.pose.xanchor[joint])
    if np.linalg.norm(motion) < 0.01:  # the part's mass lies on the axis: it twists in place
        return f"positive: {text}"
    return f"positive: moves what it carries toward {direction(motion)} ({text})"


def _bodies(model: Model, namer: Namer, dt: float) -> Iterator[Definition]:
    """The world body has none."""
    patterns = [f"{{}}_{suffix}" for suffix in BODY_SUFFIXES]
    for body in range(1, model.mj.nbody):
        name = namer.name(model.name("body", body), "body", body, patterns)
        yield from _pose(name, body, _described(model, body, name))
        if not model.is_static(body):
            yield from _motion(name, body, int(model.mj.body_rootid[body]))
        if model.collides(body):
            yield from _contact(name, body, dt, static=model.is_static(body))


def _described(model: Model, body: int, name: str) -> str:
    """The body; a nameless one by what is fixed to it."""
    if model.name("body", body):
        return f"body {name}"
    joints = range(model.mj.body_jntadr[body], model.mj.body_jntadr[body] + model.mj.body_jntnum[body])
    parts = [f"joint {model.name('joint', joint)}" for joint in joints]
    parts += [f"geom {model.name('geom', geom)}" for geom in model.geoms(body)]
    return f"{name}, a nameless body ({', '.join(part for part in parts if not part.endswith(' '))})"


def _pose(name: str, body: int, described: str) -> Iterator[Definition]:
    place = Observable(f"{name}_pos", (3,), "m", "world", f"position of the origin of {described}", name)
    yield Definition(place, (element("xpos", body, 3),), as_is)
    turn = Observable(f"{name}_quat", (4,), "", "world", f"orientation of {name} (w, x, y, z)", name)
    yield Definition(turn, (element("xquat", body, 4),), as_is)
    for axis, suffix in ((2, "up"), (0, "forward"), (1, "left")):
        text = f"unit vector: {name}'s own {'xyz'[axis]} axis, as it points in the world"
        observable = Observable(f"{name}_{suffix}", (3,), "", "world", text, name)
        xmat = element("xmat", body, 9, (3, 3))
        yield Definition(observable, (xmat,), lambda xmat, axis=axis: xmat[:, :, axis])


def _motion(name: str, body: int, root: int) -> Iterator[Definition]:
    text = f"velocity of the origin of {name}"
    linvel = Observable(f"{name}_linvel", (3,), "m/s", "world", text, name)
    needs = (element("cvel", body, 6), element("subtree_com", root, 3), element("xpos", body, 3))
    yield Definition(linvel, needs, point_velocity)
    text = f"angular velocity of {name}, right-handed about the world's axes"
    angvel = Observable(f"{name}_angvel", (3,), "rad/s", "world", text, name)
    yield Definition(angvel, (DataSlice("cvel", body * 6, body * 6 + 3, (3,)),), as_is)
    text = (
        f"angle {name} has turned about the world's x, y, z axes since the episode's start, unwrapped: "
        "a full turn adds 2 pi, turning back takes it off; right-handed, so +z is to the left seen from above"
    )
    turn = Observable(f"{name}_turn", (3,), "rad", "world", text, name)
    yield Definition(turn, (f"prev_{name}_quat", f"{name}_quat"), turned, running_sum)
    text = (
        f"how far {name} has turned to the left, seen from above, since the episode's start, unwrapped: "
        "a full turn adds 2 pi; negative: to the right; somersaults don't count"
    )
    yaw = Observable(f"{name}_yaw_total", (), "rad", "world", text, name)
    parts = (f"prev_{name}_quat", f"{name}_quat", f"prev_{name}_forward", f"{name}_forward")
    yield Definition(yaw, parts, yaw_change, running_sum)


def _contact(name: str, body: int, dt: float, *, static: bool) -> Iterator[Definition]:
    text = f"net force of all contacts on {name}, at the step's end"
    net = Observable(f"{name}_contact_force", (3,), "N", "world", text, name)
    yield Definition(net, (ContactSum("net", body),), as_is)
    if not static:
        text = (
            f"force on {name} from the ground and other fixed geoms only, at the step's end; +z pushes it up"
        )
        ground = Observable(f"{name}_ground_force", (3,), "N", "world", text, name)
        yield Definition(ground, (ContactSum("ground", body),), as_is)
        yield air_time(f"{name}_air_time", name, body, dt, f"{name} last touched the ground")


def _sites_and_geoms(model: Model, namer: Namer) -> Iterator[Definition]:
    """Positions of the named ones; a body's origin is often its joint, its geom the limb. No planes."""
    for site in range(model.mj.nsite):
        if named := model.name("site", site):
            name = namer.name(named, "site", site, ["{}_pos"])
            observable = Observable(f"{name}_pos", (3,), "m", "world", f"position of site {name}", "sites")
            yield Definition(observable, (element("site_xpos", site, 3),), as_is)
    for geom in range(model.mj.ngeom):
        named = model.name("geom", geom)
        if named and model.mj.geom_type[geom] != mujoco.mjtGeom.mjGEOM_PLANE:
            name = namer.name(named, "geom", geom, ["{}_geom_pos"])
            text = f"position of the centre of geom {name}"
            observable = Observable(f"{name}_geom_pos", (3,), "m", "world", text, "geoms")
            yield Definition(observable, (element("geom_xpos", geom, 3),), as_is)


def _sensors(model: Model, namer: Namer) -> Iterator[Definition]:
    for sensor in range(model.mj.nsensor):
        name = namer.name(model.name("sensor", sensor), "sensor", sensor, ["sensor_{}"])
        start, width = int(model.mj.sensor_adr[sensor]), int(model.mj.sensor_dim[sensor])
        kind = mujoco.mjtSensor(model.mj.sensor_type[sensor]).name.removeprefix("mjSENS_").lower()
        shape = () if width == 1 else (width,)
        unit, text = SENSOR_UNITS.get(kind, ""), f"the model's {kind} sensor {name}"
        observable = Observable(f"sensor_{name}", shape, unit, "", text, "sensors")
        yield Definition(observable, (DataSlice("sensordata", start, start + width, shape),), as_is)
