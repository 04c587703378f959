"""What the Fetch envs' Python computes, as functions of whole columns.

After gymnasium_robotics/envs/fetch/fetch_env.py, envs/robot_env.py and utils/mujoco_utils.py (1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eureka_loop.records import Array

from .domain import Vectorised
from .rotations import euler_angles

FURTHEST = np.float32(0.05)  # m that an action of 1 moves the gripper; float32 as in the env, which rounds so
TURN = np.array([1.0, 0.0, 1.0, 0.0])  # what every action adds to the gripper's quaternion
ROBOT, OBJECT = 3, 32  # the bodies at the roots of their kinematic trees
ARM = [0, 1, 2, 3, *range(6, 13)]  # degrees of freedom that move the gripper: base, torso lift, arm
FREE = list(range(15, 21))  # the object's
FINGERS = slice(13, 15)  # of qpos and qvel, right and left
STEP = 0.04  # s; observed velocities are metres a step
CLOSE = 0.05  # m from the goal, below which the env calls it reached
FINGER_JOINTS = ("robot0:l_gripper_finger_joint", "robot0:r_gripper_finger_joint")


def pulled(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array, ctrl: Array
) -> Mapping[str, Array]:
    """The mocap body goes where the gripper is, moved by the action; the gripper is welded to it."""
    way = np.clip(action, -1.0, 1.0)[:, :3].astype(np.float32) * FURTHEST
    place, turn = robot0_gripper_link_pos + way, robot0_gripper_link_quat + TURN
    return {"ctrl": ctrl, "mocap_pos": place[:, None], "mocap_quat": turn[:, None]}


def pulled_and_gripping(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array, qpos: Array
) -> Mapping[str, Array]:
    """The last part of the action moves both fingers, the left one's actuator first."""
    grip = np.clip(action, -1.0, 1.0)[:, 3:]
    ctrl = qpos[:, FINGERS][:, ::-1] + grip
    return pulled(action, robot0_gripper_link_pos, robot0_gripper_link_quat, ctrl)


def pulled_only(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array
) -> Mapping[str, Array]:
    """The fingers are blocked and have no actuators."""
    return pulled(action, robot0_gripper_link_pos, robot0_gripper_link_quat, np.zeros((len(action), 0)))


def velocity(cdof: Array, qvel: Array, chain: list[int], centre: Array, point: Array) -> tuple[Array, Array]:
    """Of a point, linear and angular (N, 3): its Jacobian times qvel; `cvel` is from before qvel.

    Args:
        chain: degrees of freedom that move the point.
        centre: centre of mass of its kinematic tree, which `cdof` is about.
    """
    turn, way = np.split((cdof[:, chain] * qvel[:, chain, None]).sum(axis=1), 2, axis=1)
    return way + np.cross(turn, point - centre), turn


def reach_observation(
    robot0_grip_pos: Array, qpos: Array, qvel: Array, cdof: Array, subtree_com: Array
) -> Array:
    """MujocoFetchEnv._get_obs without an object: (N, 10)."""
    speed, _ = velocity(cdof, qvel, ARM, subtree_com[:, ROBOT], robot0_grip_pos)
    fingers = qvel[:, FINGERS] * STEP
    return np.concatenate([robot0_grip_pos, qpos[:, FINGERS], speed * STEP, fingers], axis=1)


def object_observation(
    robot0_grip_pos: Array,
    object0_site_pos: Array,
    object0_forward: Array,
    object0_left: Array,
    object0_up: Array,
    qpos: Array,
    qvel: Array,
    cdof: Array,
    subtree_com: Array,
) -> Array:
    """MujocoFetchEnv._get_obs: (N, 25)."""
    grip, thing = robot0_grip_pos, object0_site_pos
    speed = velocity(cdof, qvel, ARM, subtree_com[:, ROBOT], grip)[0] * STEP
    thing_speed, turning = velocity(cdof, qvel, FREE, subtree_com[:, OBJECT], thing)
    turn = euler_angles(np.stack([object0_forward, object0_left, object0_up], axis=2))
    own = [grip, thing, thing - grip, qpos[:, FINGERS], turn]
    moving = [thing_speed * STEP - speed, turning * STEP, speed, qvel[:, FINGERS] * STEP]
    return np.concatenate([*own, *moving], axis=1)


def is_success(goal_distance: Array, time: Array) -> Array:
    """`info` of a step; that of a reset is empty."""
    return np.asarray((goal_distance < CLOSE) & (time > 0.0), np.float64)


REACH_STEP = Vectorised(
    observation=reach_observation,
    achieved_goal=lambda robot0_grip_pos: robot0_grip_pos,
    desired_goal=lambda goal: goal,
    info={"is_success": is_success},
    applied=pulled_only,
    held=FINGER_JOINTS,
    forward=True,
)
PUSH_STEP = replace(
    REACH_STEP, observation=object_observation, achieved_goal=lambda object0_site_pos: object0_site_pos
)
GRIP_STEP = replace(PUSH_STEP, applied=pulled_and_gripping, held=(), forward=False)
