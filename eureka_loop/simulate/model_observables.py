"""Observables of any MuJoCo env: its steps and `info`, the whole state, bodies, joints, sites, sensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.definitions import (
    ContactSum,
    DataSlice,
    Definition,
    InfoValue,
    StepValue,
    automatic,
    element,
    running_sum,
    time_since,
)
from eureka_loop.simulate.env import GOAL_KEYS, is_goal, width
from eureka_loop.simulate.kinematics import point_velocity, rotation_vector, turned, yaw_change
from eureka_loop.simulate.model import (
    BALL,
    FREE,
    SLIDE,
    Model,
    Namer,
    direction,
    family,
    identifier,
    static_bodies,
)

REWARD_KEYS = ("reward", "penalty", "cost")  # in the keys of `info` that hold parts of the env's own reward
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


def step_observables(env: gymnasium.Env[Any, Any], dt: float, horizon: int | None) -> Iterator[Definition]:
    """The step's arguments and results, a goal env's two goals, and the clock."""
    define = partial(automatic, frame="", group="episode")
    yield define("obs", "", "the policy's observation, flattened", StepValue("obs", (width(env, "obs"),)))
    text = "action applied in this step, as the env got it; prev_action is 0 at first"
    action = StepValue("action", (int(gymnasium.spaces.flatdim(env.action_space)),))
    yield define("action", "", text, action)
    text = "1 where the env ended the episode itself (not by its time limit), else 0"
    yield define("terminated", "", text, StepValue("terminated"))
    steps = StepValue("steps")
    yield define("dt", "s", "duration of a step", steps, function=lambda steps: np.full_like(steps, dt))
    yield define("time", "s", "since the episode's start", steps, function=lambda steps: steps * dt)
    if horizon is not None:
        text = "until the time limit cuts the episode off"
        yield define("time_left", "s", text, steps, function=lambda steps: (horizon - steps) * dt)
    if is_goal(env.observation_space):
        texts = ("where the goal's object is now", "where it should be")
        for key, text in zip(GOAL_KEYS, texts, strict=True):
            yield automatic(key, "", text, StepValue(key, (width(env, key),)), frame="", group="goal")


def info_observables(infos: tuple[Mapping[str, Any], ...]) -> Iterator[Definition]:
    """Numbers of `info`, as a reset and a step returned them; the env's own reward is hidden."""
    native = partial(automatic, frame="", group="native", hidden=True)
    yield native("native_reward", "", "the env's own reward", StepValue("reward"))
    merged = {key: np.asarray(value) for info in infos for key, value in info.items() if _is_numeric(value)}
    for key, array in sorted(merged.items()):
        missing = "" if all(key in info for info in infos) else "; 0 where the env doesn't give it"
        name, value = f"info_{identifier(key)}", InfoValue(key, array.shape)
        if any(word in key for word in REWARD_KEYS):
            yield native(name, "", f"part of the env's own reward{missing}", value)
        else:
            yield automatic(name, "", f"the env's info[{key!r}]{missing}", value, frame="", group="info")


def state_observables(model: Model, dt: float) -> Iterator[Definition]:
    """The state as a whole, for what has no name of its own."""
    mj = model.mj
    for name, size, text in (
        ("qpos", mj.nq, "all joint positions, in the model's order (free and ball joints as quaternions)"),
        ("qvel", mj.nv, "all joint velocities, in the model's order"),
        ("ctrl", mj.nu, "control the actuators got"),
        ("actuator_force", mj.nu, "force or torque of each actuator"),
    ):
        if size:
            yield automatic(name, "", text, DataSlice(name, 0, size, (size,)), frame="")
    yield automatic("com_pos", "m", "centre of mass of everything", element("subtree_com", 0, 3))
    yield _com_linvel(model)
    text = (
        "MuJoCo's external wrench on each body (world first): torque, then force, of contacts and connections"
    )
    yield automatic("cfrc_ext", "N m, N", text, DataSlice("cfrc_ext", 0, mj.nbody * 6, (mj.nbody, 6)))
    yield air_time("air_time", "state", 0, dt, "anything last touched the ground")


def air_time(name: str, group: str, body: int, dt: float, since: str) -> Definition:
    """Seconds off the ground."""
    text = f"time since {since}, or since the episode's start; 0 while it touches, seen at each step's end"
    touches = ContactSum("touch", body)
    return automatic(name, "s", text, touches, frame="", group=group, accumulate=time_since(dt))


def _com_linvel(model: Model) -> Definition:
    """Momentum over mass: MuJoCo computes `subtree_linvel` only for models with a sensor for it."""
    mj, count = model.mj, model.mj.nbody
    roots, share = mj.body_rootid.copy(), mj.body_mass / mj.body_mass.sum()

    def velocity(cvel: Array, centres: Array, places: Array) -> Array:
        return np.asarray(np.einsum("b,nbi->ni", share, point_velocity(cvel, centres[:, roots], places)))

    needs = tuple(
        DataSlice(field, 0, count * size, (count, size))
        for field, size in (("cvel", 6), ("subtree_com", 3), ("xipos", 3))
    )
    text = "velocity of the centre of mass of everything"
    return automatic("com_linvel", "m/s", text, *needs, shape=(3,), function=velocity)


def _is_numeric(value: object) -> bool:
    if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        return False
    array = np.asarray(value)
    return array.dtype.kind in "biuf" and array.size > 0


def model_observables(model: Model, joints: dict[int, str], namer: Namer, dt: float) -> Iterator[Definition]:
    """All of them, in the model's order; `joints` as `joint_names` returns them, `dt` seconds a step."""
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
    define = partial(automatic, frame="joint", group=group)
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    position, velocity = DataSlice("qpos", qpos, qpos + 1, ()), DataSlice("qvel", qvel, qvel + 1, ())
    if model.mj.jnt_type[joint] == SLIDE:
        quantity, unit = "position", "m"
        sign = f"positive: toward the world's {direction(model.pose.xaxis[joint])}"
    else:
        quantity, unit, sign = "angle", "rad", _hinge_sign(model, joint)
    yield define(f"{name}_{quantity}", unit, f"{quantity} of joint {name}; {sign}", position)
    yield define(f"{name}_velocity", f"{unit}/s", f"velocity of joint {name}; {sign}", velocity)


def _ball(model: Model, joint: int, name: str, group: str) -> Iterator[Definition]:
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    rotation, velocity = DataSlice("qpos", qpos, qpos + 4, (4,)), DataSlice("qvel", qvel, qvel + 3, (3,))
    text = f"rotation vector (axis times angle, at most pi) of ball joint {name} from its rest orientation"
    yield automatic(
        f"{name}_angle", "rad", text, rotation,
        shape=(3,), frame="parent body", group=group, function=rotation_vector,
    )  # fmt: skip
    text = f"angular velocity of ball joint {name}"
    yield automatic(f"{name}_velocity", "rad/s", text, velocity, frame="child body", group=group)


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
    static = static_bodies(model.mj).tolist()
    for body in range(1, model.mj.nbody):
        name = namer.name(model.name("body", body), "body", body, patterns)
        yield from _pose(name, body, _described(model, body, name))
        if not static[body]:
            yield from _motion(name, body, int(model.mj.body_rootid[body]))
        if model.collides(body):
            yield from _contact(name, body, dt, static=static[body])


def _described(model: Model, body: int, name: str) -> str:
    """The body; a nameless one by what is fixed to it."""
    if model.name("body", body):
        return f"body {name}"
    joints = range(model.mj.body_jntadr[body], model.mj.body_jntadr[body] + model.mj.body_jntnum[body])
    parts = [f"joint {model.name('joint', joint)}" for joint in joints]
    parts += [f"geom {model.name('geom', geom)}" for geom in model.geoms(body)]
    return f"{name}, a nameless body ({', '.join(part for part in parts if not part.endswith(' '))})"


def _pose(name: str, body: int, described: str) -> Iterator[Definition]:
    define = partial(automatic, group=name)
    yield define(f"{name}_pos", "m", f"position of the origin of {described}", element("xpos", body, 3))
    yield define(f"{name}_quat", "", f"orientation of {name} (w, x, y, z)", element("xquat", body, 4))
    xmat = element("xmat", body, 9, (3, 3))
    for axis, suffix in ((2, "up"), (0, "forward"), (1, "left")):
        text = f"unit vector: {name}'s own {'xyz'[axis]} axis, as it points in the world"
        column = partial(np.take, indices=axis, axis=2)
        yield define(f"{name}_{suffix}", "", text, xmat, shape=(3,), function=column)


def _motion(name: str, body: int, root: int) -> Iterator[Definition]:
    define = partial(automatic, group=name)
    cvel = element("cvel", body, 6)
    needs = (cvel, element("subtree_com", root, 3), element("xpos", body, 3))
    text = f"velocity of the origin of {name}"
    yield define(f"{name}_linvel", "m/s", text, *needs, shape=(3,), function=point_velocity)
    text = f"angular velocity of {name}, right-handed about the world's axes"
    yield define(f"{name}_angvel", "rad/s", text, DataSlice("cvel", cvel.start, cvel.start + 3, (3,)))
    text = (
        f"angle {name} has turned about the world's x, y, z axes since the episode's start, unwrapped: "
        "a full turn adds 2 pi, turning back takes it off; right-handed, so +z is to the left seen from above"
    )
    quats, axes = (f"prev_{name}_quat", f"{name}_quat"), (f"prev_{name}_forward", f"{name}_forward")
    yield define(f"{name}_turn", "rad", text, *quats, shape=(3,), function=turned, accumulate=running_sum)
    text = (
        f"how far {name} has turned to the left, seen from above, since the episode's start, unwrapped: "
        "a full turn adds 2 pi; negative: to the right; somersaults don't count"
    )
    yield define(f"{name}_yaw_total", "rad", text, *quats, *axes, function=yaw_change, accumulate=running_sum)


def _contact(name: str, body: int, dt: float, *, static: bool) -> Iterator[Definition]:
    define = partial(automatic, group=name)
    text = f"net force of all contacts on {name}, at the step's end"
    yield define(f"{name}_contact_force", "N", text, ContactSum("net", body))
    if not static:
        text = (
            f"force on {name} from the ground and other fixed geoms only, at the step's end; +z pushes it up"
        )
        yield define(f"{name}_ground_force", "N", text, ContactSum("ground", body))
        yield air_time(f"{name}_air_time", name, body, dt, f"{name} last touched the ground")


def _sites_and_geoms(model: Model, namer: Namer) -> Iterator[Definition]:
    """Positions of the named ones; a body's origin is often its joint, its geom the limb. No planes."""
    for site in range(model.mj.nsite):
        if named := model.name("site", site):
            name = namer.name(named, "site", site, ["{}_pos"])
            raw = element("site_xpos", site, 3)
            yield automatic(f"{name}_pos", "m", f"position of site {name}", raw, group="sites")
    for geom in range(model.mj.ngeom):
        named = model.name("geom", geom)
        if named and model.mj.geom_type[geom] != mujoco.mjtGeom.mjGEOM_PLANE:
            name = namer.name(named, "geom", geom, ["{}_geom_pos"])
            text, raw = f"position of the centre of geom {name}", element("geom_xpos", geom, 3)
            yield automatic(f"{name}_geom_pos", "m", text, raw, group="geoms")


def _sensors(model: Model, namer: Namer) -> Iterator[Definition]:
    for sensor in range(model.mj.nsensor):
        name = namer.name(model.name("sensor", sensor), "sensor", sensor, ["sensor_{}"])
        start, width = int(model.mj.sensor_adr[sensor]), int(model.mj.sensor_dim[sensor])
        kind = mujoco.mjtSensor(model.mj.sensor_type[sensor]).name.removeprefix("mjSENS_").lower()
        raw = DataSlice("sensordata", start, start + width, () if width == 1 else (width,))
        unit, text = SENSOR_UNITS.get(kind, ""), f"the model's {kind} sensor {name}"
        yield automatic(f"sensor_{name}", unit, text, raw, frame="", group="sensors")
