"""Names of a MuJoCo model's elements, and their directions and limits as text.

`pose` is everywhere MjData in the pose an episode starts from; `pose.model` is the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mujoco
import numpy as np

from eureka_loop.numbers import compact
from eureka_loop.records import letters

FREE, BALL, SLIDE, HINGE = (int(kind) for kind in mujoco.mjtJoint.__members__.values())
ROOT_TURNS = {
    "+x": "rolls to its right",
    "-x": "rolls to its left",
    "+y": "nose down",
    "-y": "nose up",
    "up (+z)": "turns left",
    "down (-z)": "turns right",
}


def identifier(name: str) -> str:
    """Letters of any script stay; colons, dots and the like become underscores; "" where nothing else is."""
    clean = letters(name, "_")
    return clean if clean.strip("_") else ""


def identifiers(model: Any, kind: str, index: int) -> tuple[str, str, str]:
    """Identifiers for a "body", "joint", ... ("robot0:palm" → "robot0_palm"), in order of preference."""
    clean = identifier(getattr(model, kind)(index).name) or f"{kind}{index}"
    clean = clean if clean.isidentifier() else f"{kind}_{clean}"
    return clean, f"{clean}_{kind}", f"{clean}_{kind}{index}"


def joints(model: Any) -> Iterator[tuple[int, str]]:
    """Index and identifier; free joints left out: the pose and velocities of their body say the same."""
    for joint in np.flatnonzero(model.jnt_type != FREE).tolist():
        yield joint, identifiers(model, "joint", joint)[0]


def family(name: str) -> str:
    """The common stem of siblings: "right_hip" of "right_hip_x", "robot0_FFJ" of "robot0_FFJ3"."""
    return re.sub(r"(_[xyz]|_?\d+)$", "", name) or name


def described(model: Any, body: int, name: str) -> str:
    """The body; a nameless one by what is fixed to it."""
    if model.body(body).name:
        return f"body {name}"
    parts = [f"joint {model.joint(each).name}" for each in np.flatnonzero(model.jnt_bodyid == body)]
    parts += [f"geom {model.geom(each).name}" for each in np.flatnonzero(model.geom_bodyid == body)]
    return f"{name}, a nameless body ({', '.join(part for part in parts if not part.endswith(' '))})"


def direction(vector: Any) -> str:
    """A world direction as text: "+x", "up (+z)", "(0.71, 0.00, 0.71)"."""
    unit = np.asarray(vector) / max(float(np.linalg.norm(vector)), 1e-12)
    main = int(np.abs(unit).argmax())
    if abs(unit[main]) < 0.9:
        return "({:.2f}, {:.2f}, {:.2f})".format(*unit)
    axis = ("+" if unit[main] > 0 else "-") + "xyz"[main]
    return f"{'up' if unit[main] > 0 else 'down'} ({axis})" if main == 2 else axis


def hinge_sign(pose: Any, joint: int) -> str:
    """Where the part that a hinge carries goes when the angle grows, in the starting pose."""
    model, axis, body = pose.model, pose.xaxis[joint], int(pose.model.jnt_bodyid[joint])
    about, mass = direction(axis), model.body_subtreemass
    if model.body_parentid[body] == 0 and mass[body] > 0.5 * mass[0] and about in ROOT_TURNS:
        return f"{ROOT_TURNS[about]} (right-handed about the world's {about})"
    text = f"right-handed about {about} in the starting pose"
    motion = np.cross(axis, pose.subtree_com[body] - pose.xanchor[joint])
    if np.linalg.norm(motion) < 0.01:  # the part's mass lies on the axis: it twists in place
        return text
    return f"moves what it carries toward {direction(motion)} ({text})"


def constants(model: Any, dt: float, *, lags: bool) -> dict[str, str]:
    """Facts beside the table, name → text: "joint 'bthigh'" → "-0.52 to 1.05 rad"."""
    facts = {"step": f"{compact(dt, 4)} s", "mass": f"{compact(model.body_mass.sum())} kg in all"}
    for joint, name in joints(model):
        (low, high), kind = model.jnt_range[joint], model.jnt_type[joint]
        limits = f"{low:.2f} to {high:.2f} {'m' if kind == SLIDE else 'rad'}"
        if model.jnt_limited[joint]:
            facts[f"joint {name!r}"] = f"turns at most {high:.2f} rad" if kind == BALL else limits
    for actuator in range(model.nu):
        text = f"ctrl[:, {actuator}]"
        if model.actuator_ctrllimited[actuator]:
            text += f", {_interval(model.actuator_ctrlrange[actuator])}"
        text += f", gear {compact(model.actuator_gear[actuator, 0], 6)}"
        if model.actuator_forcelimited[actuator]:
            text += f", force {_interval(model.actuator_forcerange[actuator])}"
        name = identifier(model.actuator(actuator).name) or str(actuator)
        facts[f"actuator {name!r}"] = text
    if lags:
        facts["lag"] = (
            "what bodies, sites, geoms, sensors and contacts show is from the start of the step's last "
            f"physics substep, {compact(model.opt.timestep, 4)} s before qpos, qvel and the joints' own names"
        )
    return facts


def _interval(bounds: Any) -> str:
    return f"{compact(bounds[0], 6)} to {compact(bounds[1], 6)}"
