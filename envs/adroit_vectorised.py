"""Observations, ends and resets of the Adroit envs, as functions of whole columns.

After gymnasium_robotics/envs/adroit_hand/adroit_*.py (1.4), `step` and `_get_obs`; the parameters' capitals
are the model's.
"""
# ruff: noqa: N803

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eureka_loop.records import Array

from .domain import Vectorised
from .rotations import euler_angles, matrix


def rescaled(action: Array, act_mean: Array, act_rng: Array) -> Mapping[str, Array]:
    """An action of 1 is the end of an actuator's range, 0 its middle."""
    return {"ctrl": act_mean + np.clip(action, -1.0, 1.0) * act_rng}


def door_observation(qpos: Array, S_grasp_pos: Array, S_handle_pos: Array) -> Array:
    """AdroitHandDoorEnv._get_obs: (N, 39)."""
    hinge, latch = qpos[:, -2:-1], qpos[:, -1:]
    opened = np.where(hinge > 1.0, 1.0, -1.0)
    parts = [qpos[:, 1:-2], latch, hinge, S_grasp_pos, S_handle_pos, S_grasp_pos - S_handle_pos, opened]
    return np.concatenate(parts, axis=1)


def hammer_observation(
    qpos: Array,
    qvel: Array,
    S_grasp_pos: Array,
    Object_pos: Array,
    Object_quat: Array,
    S_target_pos: Array,
    sensor_S_nail: Array,
) -> Array:
    """AdroitHandHammerEnv._get_obs: (N, 46)."""
    speed, struck = np.clip(qvel[:, -6:], -1.0, 1.0), np.clip(sensor_S_nail, -1.0, 1.0)[:, None]
    turned = euler_angles(matrix(Object_quat))
    return np.concatenate(
        [qpos[:, :-6], speed, S_grasp_pos, Object_pos, turned, S_target_pos, struck], axis=1
    )


def pen_observation(
    qpos: Array,
    qvel: Array,
    Object_pos: Array,
    eps_ball_pos: Array,
    object_top_pos: Array,
    object_bottom_pos: Array,
    target_top_pos: Array,
    target_bottom_pos: Array,
    pen_length: Array,
    tar_length: Array,
) -> Array:
    """AdroitHandPenEnv._get_obs: (N, 45)."""
    pen = (object_top_pos - object_bottom_pos) / pen_length[:, None]
    target = (target_top_pos - target_bottom_pos) / tar_length[:, None]
    place = Object_pos - eps_ball_pos
    return np.concatenate([qpos[:, :-6], Object_pos, qvel[:, -6:], pen, target, place, pen - target], axis=1)


def relocate_observation(qpos: Array, S_grasp_pos: Array, Object_pos: Array, target_pos: Array) -> Array:
    """AdroitHandRelocateEnv._get_obs: (N, 39)."""
    ways = [S_grasp_pos - Object_pos, S_grasp_pos - target_pos, Object_pos - target_pos]
    return np.concatenate([qpos[:, :-6], *ways], axis=1)


DOOR = Vectorised(
    observation=door_observation,
    applied=rescaled,
    varied=("body_pos",),
    info={"success": lambda door_angle: door_angle >= 1.35},
)
HAMMER = Vectorised(
    observation=hammer_observation,
    applied=rescaled,
    varied=("body_pos",),
    info={"success": lambda nail_left: nail_left < 0.01},
)
PEN = Vectorised(
    observation=pen_observation,
    applied=rescaled,
    varied=("body_quat",),
    info={"success": lambda pen_distance, pen_alignment: (pen_distance < 0.075) & (pen_alignment > 0.95)},
)
RELOCATE = Vectorised(
    observation=relocate_observation,
    applied=rescaled,
    varied=("body_pos", "site_pos"),
    info={"success": lambda ball_to_target: ball_to_target < 0.1},
)
