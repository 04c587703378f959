"""Humanoid-v5: a human body in 3D, seventeen motors; the episode ends when its torso sinks below 1 m.

Model and native reward: gymnasium/envs/mujoco/humanoid_v5.py, assets/humanoid.xml. The torso's own axes are
forward (x), left (y) and up (z).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array, Task

from .domain import Domain, ObservableFunction, Vectorised, observable, place_info, touching, uniform_start
from .humanoid_beyond import BEYOND
from .zoo import SAC_MUJOCO, WIDE_NETWORK, cite

# The env calls the humanoid healthy, and lets the episode go on, within these.
LEAST_HEIGHT, MOST_HEIGHT = 1.0, 2.0  # m

ROOT_PLANE, ROOT_Z = slice(0, 2), 2  # of qpos
ROOT_DOFS = 6  # of qvel and forces


@observable(unit="m/s", frame="world")
def forward_velocity(com_pos: Array, prev_com_pos: Array, dt: Array) -> Array:
    """Mean speed of the centre of mass along +x over the step; positive: the way it faces at the start."""
    return (com_pos[:, 0] - prev_com_pos[:, 0]) / dt


@observable(unit="m/s", frame="world")
def sideways_velocity(com_pos: Array, prev_com_pos: Array, dt: Array) -> Array:
    """Mean speed of the centre of mass along +y over the step; positive: to the left of +x."""
    return (com_pos[:, 1] - prev_com_pos[:, 1]) / dt


@observable(unit="m", frame="world")
def torso_height(qpos: Array) -> Array:
    """Height of the torso's middle (the chest) above the floor; 1.4 at the start, 1.3 standing."""
    return qpos[:, ROOT_Z]


@observable(unit="m", frame="world")
def head_height(head_geom_pos: Array) -> Array:
    """Height of the head's middle above the floor; 1.5 standing."""
    return head_geom_pos[:, 2]


@observable(unit="m", frame="world")
def hip_height(pelvis_pos: Array) -> Array:
    """Height of the pelvis above the floor; 0.87 standing with straight legs, 0.65 with thighs level."""
    return pelvis_pos[:, 2]


@observable(unit="", frame="world")
def torso_upright(torso_up: Array) -> Array:
    """How upright the torso is: 1 upright, 0 lying, -1 upside down."""
    return torso_up[:, 2]


@observable(unit="rad", frame="world")
def heading_angle(torso_forward: Array) -> Array:
    """Where the chest faces seen from above, from +x, in [-pi, pi]; positive: turned left (anticlockwise)."""
    return np.arctan2(torso_forward[:, 1], torso_forward[:, 0])


@observable(unit="")
def right_foot_contact(right_foot_ground_force: Array) -> Array:
    """1 where the right foot touches the floor at the step's end, else 0."""
    return touching(right_foot_ground_force)


@observable(unit="")
def left_foot_contact(left_foot_ground_force: Array) -> Array:
    """1 where the left foot touches the floor at the step's end, else 0."""
    return touching(left_foot_ground_force)


@observable(unit="m", frame="torso", shape=(3,))
def right_hand_in_torso(
    right_hand_geom_pos: Array, torso_pos: Array, torso_forward: Array, torso_left: Array, torso_up: Array
) -> Array:
    """Place of the right hand from the torso's middle: how far forward, to the left, and up."""
    return in_frame(right_hand_geom_pos - torso_pos, torso_forward, torso_left, torso_up)


@observable(unit="m", frame="torso", shape=(3,))
def left_hand_in_torso(
    left_hand_geom_pos: Array, torso_pos: Array, torso_forward: Array, torso_left: Array, torso_up: Array
) -> Array:
    """Place of the left hand from the torso's middle: how far forward, to the left, and up."""
    return in_frame(left_hand_geom_pos - torso_pos, torso_forward, torso_left, torso_up)


@observable(unit="N^2")
def contact_load(cfrc_ext: Array) -> Array:
    """Sum of squares of all contact forces (N) and torques (N m) on all bodies; 0 in the air."""
    return np.asarray(np.square(cfrc_ext).sum(axis=(1, 2)))


@observable(unit="")
def healthy(qpos: Array) -> Array:
    """1 while the torso is between 1 and 2 m high, else 0; the episode ends at the first 0."""
    high = (qpos[:, ROOT_Z] > LEAST_HEIGHT) & (qpos[:, ROOT_Z] < MOST_HEIGHT)
    return np.asarray(high, dtype=np.float64)


def in_frame(vector: Array, *axes: Array) -> Array:
    """World vectors (N, 3) as components along the given axes, each (N, 3), of unit length."""
    return np.stack([(vector * axis).sum(axis=1) for axis in axes], axis=1)


FITNESS = '''\
def fitness(forward_velocity, dt, time, time_left):
    """Distance run forward by the full time an episode may last, m/s: after a fall the clock runs on."""
    return (forward_velocity * dt).sum() / (time[-1] + time_left[-1])
'''

SPARSE = '''\
def compute_reward(forward_velocity):
    """Forward speed and nothing else."""
    return {"speed": forward_velocity}
'''

HUMAN = '''\
MOST_CONTACT = 10.0

def compute_reward(
    forward_velocity, healthy, contact_load, action, *,
    forward=1.25, survive=5.0, control=0.1, contact=5e-7,
):
    """Run forward fast, stay on the feet, waste no torque, tread softly."""
    return {
        "forward": forward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
        "contact": -np.minimum(contact * contact_load, MOST_CONTACT),
    }
'''

RUN = Task(
    name="humanoid-run",
    env_id="Humanoid-v5",
    text="Make the humanoid run forward (along +x) as fast as possible without falling.",
    fitness=FITNESS,
    sparse=SPARSE,
    human=HUMAN,
    human_source="Gymnasium 1.x, humanoid_v5.py, HumanoidEnv._get_rew",
)

PPO = {
    "n_envs": 1,
    "batch_size": 256,
    "n_steps": 512,
    "gamma": 0.95,
    "learning_rate": 3.56987e-05,
    "ent_coef": 0.00238306,
    "clip_range": 0.3,
    "n_epochs": 5,
    "gae_lambda": 0.9,
    "max_grad_norm": 2,
    "vf_coef": 0.431892,
    "policy_kwargs": WIDE_NETWORK,
}


def policy_observation(
    qpos: Array, qvel: Array, cinert: Array, cvel: Array, qfrc_actuator: Array, cfrc_ext: Array
) -> Array:
    """HumanoidEnv._get_obs: (N, 348); the world itself and the root's six forces, all 0, left out."""
    spatial = [part[:, 1:].reshape(len(qpos), -1) for part in (cinert, cvel)]
    forces = [qfrc_actuator[:, ROOT_DOFS:], cfrc_ext[:, 1:].reshape(len(qpos), -1)]
    return np.concatenate([qpos[:, ROOT_PLANE.stop :], qvel, *spatial, *forces], axis=1)


def tendon_info() -> dict[str, ObservableFunction]:
    """`info` of the tendons between hips and knees."""
    return {
        "tendon_length": lambda ten_length: ten_length,
        "tendon_velocity": lambda ten_velocity: ten_velocity,
    }


def fallen(healthy: Array) -> npt.NDArray[np.bool_]:
    """(N,) whether the env ends the episode."""
    return np.asarray(healthy == 0.0)


VECTORISED = Vectorised(
    observation=policy_observation,
    start=uniform_start(1e-2),
    terminated=fallen,
    info={
        **place_info(ROOT_PLANE),
        **tendon_info(),
        "x_velocity": forward_velocity.function,
        "y_velocity": sideways_velocity.function,
    },
)

DOMAIN = Domain(
    name="humanoid",
    env_id="Humanoid-v5",
    observables=(
        forward_velocity,
        sideways_velocity,
        torso_height,
        head_height,
        hip_height,
        torso_upright,
        heading_angle,
        right_foot_contact,
        left_foot_contact,
        right_hand_in_torso,
        left_hand_in_torso,
        contact_load,
        healthy,
    ),
    tasks=(RUN, *BEYOND),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Humanoid-v4 (tuned)", sac="Humanoid-v4"),
    vectorised=VECTORISED,
)
