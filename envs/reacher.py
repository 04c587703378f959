"""Reacher-v5: a two-joint arm on a table, with a target somewhere in reach; 1 s an episode.

Model and native reward: gymnasium/envs/mujoco/reacher_v5.py, assets/reacher.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, observable
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

PLANE = slice(0, 2)  # x and y: fingertip and target share their height
ARM, GOAL = slice(0, 2), slice(2, 4)  # of qpos and qvel


@observable(unit="m", frame="world", shape=(2,))
def fingertip_to_target(fingertip_pos: Array, target_pos: Array) -> Array:
    """Way from the fingertip to the target along x and y."""
    return target_pos[:, PLANE] - fingertip_pos[:, PLANE]


@observable(unit="m")
def target_distance(fingertip_pos: Array, target_pos: Array) -> Array:
    """Distance between fingertip and target; 0: there."""
    return np.asarray(np.linalg.norm(target_pos - fingertip_pos, axis=1))


@observable(unit="m/s", frame="world")
def fingertip_speed(fingertip_linvel: Array) -> Array:
    """Speed of the fingertip, whatever its direction."""
    return np.asarray(np.linalg.norm(fingertip_linvel, axis=1))


@observable(unit="rad", frame="world")
def shoulder_angle(joint0_angle: Array) -> Array:
    """Angle of the upper arm from +x, not wrapped; positive: anticlockwise from above."""
    return joint0_angle


@observable(unit="rad", frame="upper arm")
def elbow_angle(joint1_angle: Array) -> Array:
    """Bend of the elbow; 0 straight, positive: forearm turned anticlockwise."""
    return joint1_angle


@observable(unit="rad/s", frame="world")
def shoulder_velocity(joint0_velocity: Array) -> Array:
    """Rate of shoulder_angle; positive: anticlockwise from above."""
    return joint0_velocity


@observable(unit="rad/s", frame="upper arm")
def elbow_velocity(joint1_velocity: Array) -> Array:
    """Rate of elbow_angle; positive: forearm turning anticlockwise."""
    return joint1_velocity


REACH = Task(
    name="reacher-reach",
    env_id="Reacher-v5",
    text="Move the arm's fingertip to the target and keep it there.",
    fitness='''\
HELD = 10  # steps, 0.2 s

def fitness(target_distance):
    """Minus the mean distance to the target over the last 0.2 s, m: get there and stay."""
    return -target_distance[-HELD:].mean()
''',
    success='''\
CLOSE = 0.05  # m

def success(target_distance):
    """The fingertip ends within 5 cm of the target."""
    return float(target_distance[-1] <= CLOSE)
''',
    sparse='''\
CLOSE = 0.05  # m

def compute_reward(target_distance):
    """1 while the fingertip is within 5 cm of the target."""
    return {"there": np.where(target_distance <= CLOSE, 1.0, 0.0)}
''',
    human='''\
def compute_reward(target_distance, action, *, distance=1.0, control=1.0):
    """Bring the fingertip to the target, waste no torque."""
    return {
        "distance": -distance * target_distance,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, reacher_v5.py, ReacherEnv._get_rew",
)

PPO = {
    "n_envs": 1,
    "batch_size": 32,
    "n_steps": 512,
    "gamma": 0.9,
    "learning_rate": 0.000104019,
    "ent_coef": 7.52585e-08,
    "clip_range": 0.3,
    "n_epochs": 5,
    "gae_lambda": 1.0,
    "max_grad_norm": 0.9,
    "vf_coef": 0.950368,
}


def policy_observation(qpos: Array, qvel: Array, fingertip_pos: Array, target_pos: Array) -> Array:
    """ReacherEnv._get_obs: (N, 10)."""
    angles, places = qpos[:, ARM], qpos[:, GOAL]
    offset = (fingertip_pos - target_pos)[:, PLANE]
    return np.concatenate([np.cos(angles), np.sin(angles), places, qvel[:, ARM], offset], axis=1)


VECTORISED = Vectorised(observation=policy_observation)

DOMAIN = Domain(
    name="reacher",
    env_id="Reacher-v5",
    observables=(
        fingertip_to_target,
        target_distance,
        fingertip_speed,
        shoulder_angle,
        elbow_angle,
        shoulder_velocity,
        elbow_velocity,
    ),
    tasks=(REACH,),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Reacher-v2 (tuned)", sac="has no Reacher, HalfCheetah-v4 stands in"),
    tuned={"ppo": short_ppo(gamma=0.95, gae_lambda=0.9, log_std_init=-1.0)},
    tuned_source=SOURCE,
    steps={"ppo": 200_000},
    vectorised=VECTORISED,
)
