"""Facts of a model that belong beside the table: limits, controls, mass."""

from __future__ import annotations

import mujoco

from eureka_loop.simulate.joints import BALL, SLIDE
from eureka_loop.simulate.model import Model
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.trial import Trial


def constants(model: Model, joints: dict[int, str], trial: Trial) -> dict[str, str]:
    """Name → text: "joint 'bthigh'" → "-0.52 to 1.05 rad"."""
    mj = model.mj
    facts = {"step": f"{trial.dt:.4g} s", "mass": f"{mj.body_mass.sum():.3g} kg in all"}
    for joint, word in joints.items():
        if mj.jnt_limited[joint]:
            facts[f"joint {word!r}"] = _joint_limit(mj, joint)
    for actuator in range(mj.nu):
        named = model.name(mujoco.mjtObj.mjOBJ_ACTUATOR, actuator)
        word = identifier(named) if named else str(actuator)
        facts[f"actuator {word!r}"] = f"ctrl[:, {actuator}], {_control_limit(mj, actuator)}"
    if trial.lags:
        facts["lag"] = (
            "what bodies, sites, geoms, sensors and contacts show is from the start of the step's last "
            f"physics substep, {mj.opt.timestep:.4g} s before qpos, qvel and the joints' own names"
        )
    return facts


def _joint_limit(mj: mujoco.MjModel, joint: int) -> str:
    low, high = mj.jnt_range[joint]
    if mj.jnt_type[joint] == BALL:
        return f"turns at most {high:.2f} rad"
    return f"{low:.2f} to {high:.2f} {'m' if mj.jnt_type[joint] == SLIDE else 'rad'}"


def _control_limit(mj: mujoco.MjModel, actuator: int) -> str:
    gear = mj.actuator_gear[actuator, 0]
    text = f"gear {gear:g}"
    if mj.actuator_ctrllimited[actuator]:
        low, high = mj.actuator_ctrlrange[actuator]
        text = f"{low:g} to {high:g}, {text}"
    if mj.actuator_forcelimited[actuator]:
        low, high = mj.actuator_forcerange[actuator]
        text += f", force {low:g} to {high:g}"
    return text
