"""A MuJoCo model as naming and describing need it: elements, identifiers, directions and limits as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.errors import BadInput
from eureka_loop.numbers import compact

FREE, BALL, SLIDE, HINGE = (int(kind) for kind in mujoco.mjtJoint.__members__.values())
OBJECTS = {
    "body": mujoco.mjtObj.mjOBJ_BODY,
    "joint": mujoco.mjtObj.mjOBJ_JOINT,
    "site": mujoco.mjtObj.mjOBJ_SITE,
    "geom": mujoco.mjtObj.mjOBJ_GEOM,
    "sensor": mujoco.mjtObj.mjOBJ_SENSOR,
    "actuator": mujoco.mjtObj.mjOBJ_ACTUATOR,
}


@dataclass(frozen=True, slots=True)
class Model:
    """The compiled model, and its kinematics in the pose an episode starts from."""

    mj: Any  # mujoco.MjModel
    pose: Any  # mujoco.MjData at the starting pose, before any noise

    def name(self, kind: str, index: int) -> str:
        """The element's name; "" for a nameless one."""
        return mujoco.mj_id2name(self.mj, OBJECTS[kind], index) or ""

    def geoms(self, body: int) -> range:
        first = int(self.mj.body_geomadr[body])
        return range(first, first + int(self.mj.body_geomnum[body])) if first >= 0 else range(0)

    def collides(self, body: int) -> bool:
        """Whether any contact can act on the body."""
        paired = {*self.mj.pair_geom1.tolist(), *self.mj.pair_geom2.tolist()}
        masks = self.mj.geom_contype | self.mj.geom_conaffinity
        return any(masks[geom] or geom in paired for geom in self.geoms(body))


def static_bodies(mj: Any) -> npt.NDArray[np.bool_]:
    """(nbody,) which bodies are fixed to the world; a mocap body is not, since it can be moved."""
    return np.asarray((mj.body_weldid == 0) & (mj.body_mocapid[mj.body_rootid] < 0))


def model_of(env: gymnasium.Env[Any, Any]) -> Model:
    """
    Raises:
        BadInput: the env isn't backed by MuJoCo.
    """
    inner = env.unwrapped
    mj, data = getattr(inner, "model", None), getattr(inner, "data", None)
    if not isinstance(mj, mujoco.MjModel) or not isinstance(data, mujoco.MjData):
        name = env.spec.id if env.spec else type(inner).__name__
        raise BadInput(
            f"env {name!r} has no MuJoCo model and data; only envs simulated by MuJoCo can be used"
        )
    pose = mujoco.MjData(mj)
    start = getattr(inner, "init_qpos", None)
    if isinstance(start, np.ndarray) and start.size == mj.nq:
        pose.qpos[:] = start.reshape(-1)
    mujoco.mj_kinematics(mj, pose)
    mujoco.mj_comPos(mj, pose)
    return Model(mj, pose)


def identifier(name: str) -> str:
    """Colons, dots and the like become underscores."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def family(name: str) -> str:
    """The common stem of siblings: "right_hip" of "right_hip_x", "robot0_FFJ" of "robot0_FFJ3"."""
    return re.sub(r"(_[xyz]|_?\d+)$", "", name) or name


class Namer:
    """Gives each element an identifier; of two with one name the later gets its kind as a suffix."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def name(self, element: str, kind: str, index: int, patterns: Sequence[str]) -> str:
        """The identifier of an element ("robot0:palm" → "robot0_palm"), free in every pattern ("{}_pos").

        Args:
            element: its name in the model; "" for a nameless one.
            kind: "body", "joint", "site", "geom" or "sensor".
            index: the model's, the last resort of two elements of one kind.
        """
        clean = identifier(element) if element else f"{kind}{index}"
        clean = f"{kind}_{clean}" if clean[0].isdigit() and not patterns[0].startswith("sensor_") else clean
        for name in (clean, f"{clean}_{kind}", f"{clean}_{kind}{index}"):
            names = {pattern.format(name) for pattern in patterns}
            if not names & self._taken:
                break
        self._taken |= names
        return name


def direction(vector: Any) -> str:
    """A world direction as text: "+x", "up (+z)", "(0.71, 0.00, 0.71)"."""
    unit = np.asarray(vector) / max(float(np.linalg.norm(vector)), 1e-12)
    main = int(np.abs(unit).argmax())
    if abs(unit[main]) < 0.9:
        return "({:.2f}, {:.2f}, {:.2f})".format(*unit)
    axis = ("+" if unit[main] > 0 else "-") + "xyz"[main]
    return f"{'up' if unit[main] > 0 else 'down'} ({axis})" if main == 2 else axis


def constants(model: Model, joints: dict[int, str], dt: float, *, lags: bool) -> dict[str, str]:
    """Facts beside the table, name → text: "joint 'bthigh'" → "-0.52 to 1.05 rad"."""
    mj = model.mj
    facts = {"step": f"{compact(dt, 4)} s", "mass": f"{compact(mj.body_mass.sum())} kg in all"}
    for joint, name in joints.items():
        if mj.jnt_limited[joint]:
            low, high = mj.jnt_range[joint]
            unit = "m" if mj.jnt_type[joint] == SLIDE else "rad"
            ball = mj.jnt_type[joint] == BALL
            facts[f"joint {name!r}"] = (
                f"turns at most {high:.2f} rad" if ball else f"{low:.2f} to {high:.2f} {unit}"
            )
    for actuator in range(mj.nu):
        name = identifier(model.name("actuator", actuator)) or str(actuator)
        facts[f"actuator {name!r}"] = f"ctrl[:, {actuator}], {_control_limit(mj, actuator)}"
    if lags:
        facts["lag"] = (
            "what bodies, sites, geoms, sensors and contacts show is from the start of the step's last "
            f"physics substep, {compact(mj.opt.timestep, 4)} s before qpos, qvel and the joints' own names"
        )
    return facts


def _control_limit(mj: mujoco.MjModel, actuator: int) -> str:
    text = f"gear {compact(mj.actuator_gear[actuator, 0], 6)}"
    if mj.actuator_ctrllimited[actuator]:
        low, high = mj.actuator_ctrlrange[actuator]
        text = f"{compact(low, 6)} to {compact(high, 6)}, {text}"
    if mj.actuator_forcelimited[actuator]:
        low, high = mj.actuator_forcerange[actuator]
        text += f", force {compact(low, 6)} to {compact(high, 6)}"
    return text
