"""Fetch: a seven-joint arm over a table, moved by its gripper's place; Gymnasium-Robotics' four goal tasks.

An action asks for a change of the gripper's place and of its opening; no pose ends an episode. The goal is in
`desired_goal`; the model's marker of it, `target0`, moves only when an image is rendered, and is left out.
Batched: the mocap body that pulls the arm is moved for all copies at once.

Model and native reward: gymnasium_robotics/envs/fetch/fetch_env.py, envs/robot_env.py,
utils/mujoco_utils.py, assets/fetch/*.xml (1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from eureka_loop.records import Array, Task

from .domain import CLOSEST, Domain, DomainObservable, Vectorised, observable
from .rotations import euler_angles
from .zoo import FROM_REACH, FUSED, GOALS, cite

TABLE = 0.425  # m, height of the object's middle when it lies on the table


@observable(unit="m", frame="world", shape=(3,))
def goal_position(desired_goal: Array) -> Array:
    """Place where the object should be (in fetch-reach: the gripper), the same for a whole episode."""
    return desired_goal


@observable(unit="m", frame="world", shape=(3,))
def gripper_position(robot0_grip_pos: Array) -> Array:
    """Place between the two fingers' tips."""
    return robot0_grip_pos


@observable(unit="m")
def goal_distance(achieved_goal: Array, desired_goal: Array) -> Array:
    """How far the object (in fetch-reach: the gripper) is from its goal; within 0.05 counts as there."""
    return np.asarray(np.linalg.norm(achieved_goal - desired_goal, axis=1))


@observable(unit="m", frame="world", shape=(3,))
def object_position(achieved_goal: Array) -> Array:
    """Place of the object's middle."""
    return achieved_goal


@observable(unit="m")
def object_distance(achieved_goal: Array, robot0_grip_pos: Array) -> Array:
    """How far the gripper is from the object's middle."""
    return np.asarray(np.linalg.norm(achieved_goal - robot0_grip_pos, axis=1))


@observable(unit="m")
def lift(achieved_goal: Array) -> Array:
    """How far the object is above where it lies on the table; 0 on it, below 0 fallen off."""
    return achieved_goal[:, 2] - TABLE


@observable(unit="m")
def finger_opening(
    robot0_l_gripper_finger_joint_position: Array, robot0_r_gripper_finger_joint_position: Array
) -> Array:
    """Gap between the fingers; 0 closed, 0.1 wide open."""
    return robot0_l_gripper_finger_joint_position + robot0_r_gripper_finger_joint_position


FITNESS = '''\
HELD = 10  # steps, 0.4 s

def fitness(goal_distance):
    """Minus the mean distance from the goal over the last 0.4 s, m: get there and stay."""
    return -goal_distance[-HELD:].mean()
'''

SUCCESS = '''\
CLOSE = 0.05  # m

def success(goal_distance):
    """Ends within 5 cm of the goal."""
    return float(goal_distance[-1] < CLOSE)
'''

PROGRESS = CLOSEST.format(gap="goal_distance", reach="object_distance")

SPARSE = '''\
CLOSE = 0.05  # m

def compute_reward(goal_distance):
    """-1 until it is within 5 cm of the goal: the env's own sparse reward."""
    return {"away": -np.where(goal_distance > CLOSE, 1.0, 0.0)}
'''

HUMAN = '''\
def compute_reward(goal_distance, *, distance=1.0):
    """Close to the goal: the env's own dense reward."""
    return {"distance": -distance * goal_distance}
'''

MAX_MOVE = np.float32(0.05)  # m that an action of 1 moves the gripper; float32 as in the env, which rounds so
TURN = np.array([1.0, 0.0, 1.0, 0.0])  # what every action adds to the gripper's quaternion
ROBOT, OBJECT = 3, 32  # the bodies at the roots of their kinematic trees
ARM = [0, 1, 2, 3, *range(6, 13)]  # degrees of freedom that move the gripper: base, torso lift, arm
FREE = list(range(15, 21))  # the object's
FINGERS = slice(13, 15)  # of qpos and qvel, right and left
TIMESTEP = 0.04  # s; observed velocities are metres a step
CLOSE = 0.05  # m from the goal, below which the env calls it reached
FINGER_JOINTS = ("robot0:l_gripper_finger_joint", "robot0:r_gripper_finger_joint")


def mocap_step(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array, ctrl: Array
) -> Mapping[str, Array]:
    """The mocap body, to which the gripper is welded, moves to the gripper plus the action."""
    move = np.clip(action, -1.0, 1.0)[:, :3].astype(np.float32) * MAX_MOVE
    place, turn = robot0_gripper_link_pos + move, robot0_gripper_link_quat + TURN
    return {"ctrl": ctrl, "mocap_pos": place[:, None], "mocap_quat": turn[:, None]}


def mocap_step_with_grip(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array, qpos: Array
) -> Mapping[str, Array]:
    """The last part of the action moves both fingers, the left one's actuator first."""
    grip = np.clip(action, -1.0, 1.0)[:, 3:]
    ctrl = qpos[:, FINGERS][:, ::-1] + grip
    return mocap_step(action, robot0_gripper_link_pos, robot0_gripper_link_quat, ctrl)


def mocap_step_without_grip(
    action: Array, robot0_gripper_link_pos: Array, robot0_gripper_link_quat: Array
) -> Mapping[str, Array]:
    """The fingers are blocked and have no actuators."""
    return mocap_step(action, robot0_gripper_link_pos, robot0_gripper_link_quat, np.zeros((len(action), 0)))


def velocity(cdof: Array, qvel: Array, chain: list[int], centre: Array, point: Array) -> tuple[Array, Array]:
    """Of a point, linear and angular (N, 3): its Jacobian times qvel; `cvel` is from before qvel.

    Args:
        chain: degrees of freedom that move the point.
        centre: centre of mass of its kinematic tree, which `cdof` is about.
    """
    turn, linear = np.split((cdof[:, chain] * qvel[:, chain, None]).sum(axis=1), 2, axis=1)
    return linear + np.cross(turn, point - centre), turn


def reach_observation(
    robot0_grip_pos: Array, qpos: Array, qvel: Array, cdof: Array, subtree_com: Array
) -> Array:
    """MujocoFetchEnv._get_obs without an object: (N, 10)."""
    speed, _ = velocity(cdof, qvel, ARM, subtree_com[:, ROBOT], robot0_grip_pos)
    fingers = qvel[:, FINGERS] * TIMESTEP
    return np.concatenate([robot0_grip_pos, qpos[:, FINGERS], speed * TIMESTEP, fingers], axis=1)


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
    grip, block = robot0_grip_pos, object0_site_pos
    speed = velocity(cdof, qvel, ARM, subtree_com[:, ROBOT], grip)[0] * TIMESTEP
    block_speed, turning = velocity(cdof, qvel, FREE, subtree_com[:, OBJECT], block)
    turn = euler_angles(np.stack([object0_forward, object0_left, object0_up], axis=2))
    own = [grip, block, block - grip, qpos[:, FINGERS], turn]
    moving = [block_speed * TIMESTEP - speed, turning * TIMESTEP, speed, qvel[:, FINGERS] * TIMESTEP]
    return np.concatenate([*own, *moving], axis=1)


def is_success(goal_distance: Array, time: Array) -> Array:
    """`info` of a step; that of a reset is empty."""
    return np.asarray((goal_distance < CLOSE) & (time > 0.0), np.float64)


REACH_VECTORISED = Vectorised(
    observation=reach_observation,
    achieved_goal=lambda robot0_grip_pos: robot0_grip_pos,
    desired_goal=lambda goal: goal,
    info={"is_success": is_success},
    applied=mocap_step_without_grip,
    held=FINGER_JOINTS,
    forward=True,
)
PUSH_VECTORISED = replace(
    REACH_VECTORISED, observation=object_observation, achieved_goal=lambda object0_site_pos: object0_site_pos
)
GRIP_VECTORISED = replace(PUSH_VECTORISED, applied=mocap_step_with_grip, held=(), forward=False)

REACHING = (goal_position, gripper_position, goal_distance)
MOVING = (*REACHING, object_position, object_distance)

SAC_REACH = {
    **GOALS,
    "batch_size": 256,
    "learning_rate": 1e-3,
    "policy_kwargs": {"net_arch": [64, 64], **FUSED["policy_kwargs"]},
}


def domain(name: str, text: str, observables: tuple[DomainObservable, ...], sac: dict[str, Any]) -> Domain:
    """One of the four; `name` as in its Gymnasium id."""
    env_id = f"Fetch{name}Dense-v4"
    task = Task(
        name=TASK_NAMES[name],
        env_id=env_id,
        text=text,
        fitness=FITNESS,
        success=SUCCESS,
        progress=None if name == "Reach" else PROGRESS,
        sparse=SPARSE,
        human=HUMAN,
        human_source="Gymnasium-Robotics 1.4, fetch_env.py, BaseFetchEnv.compute_reward, dense",
    )
    return Domain(
        name=f"fetch{name.lower()}",
        env_id=env_id,
        observables=observables,
        tasks=(task,),
        hyperparameters={"ppo": {"n_envs": 1}, "sac": sac},
        hyperparameters_source=cite(
            ppo="has no Fetch env: SB3's defaults",
            sac="FetchReach-v1" if name == "Reach" else f"FetchReach-v1's {FROM_REACH}, SB3's defaults",
        ),
        extra="robotics",
        vectorised=VECTORISED[name],
        left_out=("target0",),
        hindsight={"info_is_success": is_success},
    )


TASK_NAMES = {
    "Reach": "fetch-reach",
    "Push": "fetch-push",
    "Slide": "fetch-slide",
    "PickAndPlace": "fetch-pick-and-place",
}

VECTORISED = {
    "Reach": REACH_VECTORISED,
    "Push": PUSH_VECTORISED,
    "Slide": PUSH_VECTORISED,
    "PickAndPlace": GRIP_VECTORISED,
}

DOMAINS = (
    domain("Reach", "Move the Fetch arm's gripper to the goal and keep it there.", REACHING, SAC_REACH),
    domain(
        "Push",
        "Push the block over the table to the goal with the Fetch arm's closed gripper, and leave it there.",
        MOVING,
        GOALS,
    ),
    domain(
        "Slide",
        "Hit the puck with the Fetch arm's closed gripper so that it slides to the goal, out of the arm's "
        "reach, and comes to rest there.",
        MOVING,
        GOALS,
    ),
    domain(
        "PickAndPlace",
        "Grasp the block with the Fetch arm's gripper and bring it to the goal, on the table or in the air.",
        (*MOVING, lift, finger_opening),
        GOALS,
    ),
)
