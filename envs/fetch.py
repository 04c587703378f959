"""Fetch: a seven-joint arm over a table, moved by its gripper's place; Gymnasium-Robotics' four goal tasks.

An action asks for a change of the gripper's place and of its opening; no pose ends an episode. The goal is in
`desired_goal`: the model's own marker of it, `target0`, moves only when a picture is drawn, and is left out.
Served by the batched simulator: the mocap body that pulls the arm is moved for all copies at once.

Model and native reward: gymnasium_robotics/envs/fetch/fetch_env.py, assets/fetch/*.xml (1.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, DomainObservable, observable
from .fetch_steps import GRIP_STEP, PUSH_STEP, REACH_STEP, is_success
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
        vectorised=STEPS[name],
        left_out=("target0",),
        hindsight={"info_is_success": is_success},
    )


TASK_NAMES = {
    "Reach": "fetch-reach",
    "Push": "fetch-push",
    "Slide": "fetch-slide",
    "PickAndPlace": "fetch-pick-and-place",
}

STEPS = {"Reach": REACH_STEP, "Push": PUSH_STEP, "Slide": PUSH_STEP, "PickAndPlace": GRIP_STEP}

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
