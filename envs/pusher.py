"""Pusher-v5: a seven-joint arm that pushes a cylinder across a table to a mark; 5 s an episode.

Model and native reward: gymnasium/envs/mujoco/pusher_v5.py, assets/pusher_v5.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, observable
from .reacher import PPO
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

PLANE = slice(0, 2)  # x and y: the object's middle stays 4.8 cm above the mark on the table
ARM = slice(0, 7)  # of qpos and qvel; then come the object's two slides and the goal's


@observable(unit="m", frame="world", shape=(3,))
def hand_to_object(tips_arm_pos: Array, object_pos: Array) -> Array:
    """Way from the hand (the wrist, between the two prongs' roots) to the object's middle."""
    return object_pos - tips_arm_pos


@observable(unit="m")
def hand_distance(tips_arm_pos: Array, object_pos: Array) -> Array:
    """Distance between hand and object's middle."""
    return np.asarray(np.linalg.norm(object_pos - tips_arm_pos, axis=1))


@observable(unit="m", frame="world", shape=(2,))
def object_to_goal(object_pos: Array, goal_pos: Array) -> Array:
    """Way from the object to the goal along x and y."""
    return goal_pos[:, PLANE] - object_pos[:, PLANE]


@observable(unit="m")
def goal_distance(object_pos: Array, goal_pos: Array) -> Array:
    """Distance on the table between object and goal; 0: there."""
    return np.asarray(np.linalg.norm(goal_pos[:, PLANE] - object_pos[:, PLANE], axis=1))


@observable(unit="m/s", frame="world", shape=(2,))
def object_velocity(obj_slidex_velocity: Array, obj_slidey_velocity: Array) -> Array:
    """Velocity of the object along x and y."""
    return np.stack([obj_slidex_velocity, obj_slidey_velocity], axis=1)


@observable(unit="m")
def object_moved(object_pos: Array, init_object_pos: Array) -> Array:
    """How far the object is from where it stood at the start."""
    return np.asarray(np.linalg.norm(object_pos - init_object_pos, axis=1))


PUSH = Task(
    name="pusher-push",
    env_id="Pusher-v5",
    text="Push the cylinder to the goal with the robot arm.",
    fitness='''\
def fitness(goal_distance, init_goal_distance):
    """Share of the object's way to the goal that was covered: 1 there, 0 not moved, negative: further off."""
    return 1.0 - goal_distance[-1] / init_goal_distance[-1]
''',
    success='''\
CLOSE = 0.05  # m

def success(goal_distance):
    """The object ends within 5 cm of the goal."""
    return float(goal_distance[-1] <= CLOSE)
''',
    sparse='''\
CLOSE = 0.05  # m

def compute_reward(goal_distance):
    """1 while the object is within 5 cm of the goal."""
    return {"there": np.where(goal_distance <= CLOSE, 1.0, 0.0)}
''',
    human='''\
def compute_reward(hand_distance, object_pos, goal_pos, action, *, distance=1.0, near=0.5, control=0.1):
    """Bring the object to the goal, keep the hand at the object, waste no torque."""
    return {
        "distance": -distance * norm(object_pos - goal_pos),
        "near": -near * hand_distance,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, pusher_v5.py, PusherEnv._get_rew",
)


def policy_observation(
    qpos: Array, qvel: Array, tips_arm_pos: Array, object_pos: Array, goal_pos: Array
) -> Array:
    """PusherEnv._get_obs: (N, 23)."""
    return np.concatenate([qpos[:, ARM], qvel[:, ARM], tips_arm_pos, object_pos, goal_pos], axis=1)


VECTORISED = Vectorised(observation=policy_observation)

DOMAIN = Domain(
    name="pusher",
    env_id="Pusher-v5",
    observables=(
        hand_to_object,
        hand_distance,
        object_to_goal,
        goal_distance,
        object_velocity,
        object_moved,
    ),
    tasks=(PUSH,),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(
        ppo="has no Pusher, Reacher-v2 (tuned) stands in", sac="has no Pusher, HalfCheetah-v4 stands in"
    ),
    tuned={"ppo": short_ppo(gamma=0.98, log_std_init=-1.0)},
    tuned_source=SOURCE,
    steps={"ppo": 300_000},
    vectorised=VECTORISED,
)
