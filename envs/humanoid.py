"""Humanoid-v5: a human body in 3D, seventeen motors; the episode ends when its torso sinks below 1 m.

Model and native reward: gymnasium/envs/mujoco/humanoid_v5.py, assets/humanoid.xml. The torso's own axes are
forward (x), left (y) and up (z).
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import (
    OURS,
    Domain,
    ObservableFunction,
    Vectorised,
    observable,
    place_info,
    touching,
)
from .locomotion import DISTANCE, SPEED, fallen, heading_angle, torso_upright
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


RUN = Task(
    name="humanoid-run",
    env_id="Humanoid-v5",
    text="Make the humanoid run forward (along +x) as fast as possible without falling.",
    fitness=DISTANCE,
    sparse=SPEED,
    human='''\
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
''',
    human_source="Gymnasium 1.x, humanoid_v5.py, HumanoidEnv._get_rew",
)

# What else its body can do. The rewards are ours: the env's own is for its first task.

BACKWARD = Task(
    name="humanoid-backward",
    env_id="Humanoid-v5",
    text="Make the humanoid walk backward (along -x), its chest still facing forward (+x), without falling.",
    fitness='''\
FACING = 1.0  # rad from +x, either way

def fitness(forward_velocity, heading_angle, dt, time, time_left):
    """Distance walked backward by the full time an episode may last, m/s: after a fall the clock runs on.
    Facing away from +x by more than 57 degrees, only ground lost is counted.
    """
    faces = np.abs(heading_angle) <= FACING
    gained = np.where(faces, -forward_velocity, np.minimum(-forward_velocity, 0.0))
    return (gained * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
WALK_SPEED = 1.0  # m/s

def success(forward_velocity, heading_angle, terminated):
    """Never falls, never turns its chest more than 57 degrees from +x, and walks at 1 m/s on average."""
    faces = (np.abs(heading_angle) <= 1.0).all()
    return float(terminated[-1] == 0 and faces and -forward_velocity.mean() >= WALK_SPEED)
''',
    sparse='''\
def compute_reward(forward_velocity, heading_angle):
    """Backward speed, facing +x, and nothing else."""
    faces = np.abs(heading_angle) <= 1.0
    return {"speed": np.where(faces, -forward_velocity, np.minimum(-forward_velocity, 0.0))}
''',
    human='''\
def compute_reward(
    forward_velocity, heading_angle, healthy, action, *, backward=1.25, facing=1.0, survive=5.0, control=0.1
):
    """Walk backward, face +x, stay on the feet, waste no torque."""
    return {
        "backward": -backward * forward_velocity,
        "facing": facing * np.cos(heading_angle),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

STILL = Task(
    name="humanoid-stand",
    env_id="Humanoid-v5",
    text="Make the humanoid stand upright and still, on the spot where it starts, without falling.",
    fitness='''\
def fitness(
    head_height, torso_upright, com_linvel, torso_pos, init_torso_pos, dt, time, time_left
):
    """Share of an episode's full time that it stands still: head above 1.3 m, torso upright, slower than
    0.2 m/s (from there to 1 m/s it counts less and less), within 50 cm of the start.
    """
    stands = (head_height >= 1.3) & (torso_upright >= 0.9)
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= 0.5
    still = ramp(np.linalg.norm(com_linvel[:, :2], axis=1), 1.0, 0.2)
    return (stands * near * still * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
def success(head_height, com_linvel, torso_pos, init_torso_pos, terminated):
    """Up to the end on its feet, its head above 1.3 m, within 50 cm of the start, on average slower than
    0.2 m/s.
    """
    still = np.linalg.norm(com_linvel[:, :2], axis=1).mean() <= 0.2
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= 0.5
    return float(terminated[-1] == 0 and near.all() and still and (head_height >= 1.3).all())
''',
    sparse='''\
def compute_reward(head_height, torso_upright, com_linvel):
    """1 while it stands upright and still."""
    still = norm(com_linvel[:, :2]) <= 0.2
    return {"standing": (head_height >= 1.3) * (torso_upright >= 0.9) * still}
''',
    human='''\
def compute_reward(
    head_height, torso_upright, com_linvel, qvel, torso_pos, init_torso_pos, action, *,
    stand=2.0, upright=1.0, slow=0.5, spot=0.5, calm=2e-3, control=0.05,
):
    """Head high, torso upright, slow, on the spot, with calm joints and little torque."""
    return {
        "stand": stand * tolerance(head_height, bounds=(1.4, 2.0), margin=0.4),
        "upright": upright * torso_upright,
        "slow": -slow * np.minimum(norm(com_linvel[:, :2]), 2.0),
        "spot": -spot * np.minimum(norm((torso_pos - init_torso_pos)[:, :2]), 2.0),
        "calm": -calm * np.minimum(np.square(qvel[:, 6:]).sum(axis=1), 500.0),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

SQUAT = Task(
    name="humanoid-squat",
    env_id="Humanoid-v5",
    text=(
        "Make the humanoid squat and stay there: both feet on the floor, knees bent until the thighs are "
        "about level, the torso upright, without falling."
    ),
    fitness='''\
def fitness(
    hip_height, torso_upright, right_foot_contact, left_foot_contact, dt, time, time_left
):
    """Share of an episode's full time in a squat: both feet on the floor, torso less than 37 degrees from
    upright; hips at 68 cm or lower count whole, at 83 cm (nearly standing) not at all.
    """
    on_feet = right_foot_contact * left_foot_contact * (torso_upright >= 0.8)
    return (ramp(hip_height, 0.83, 0.68) * on_feet * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
LAST = 133  # steps: two seconds

def success(hip_height, torso_upright, right_foot_contact, left_foot_contact, terminated):
    """Nine tenths of the last two seconds in a squat, hips at 70 cm or lower, and no fall."""
    squats = right_foot_contact * left_foot_contact * (torso_upright >= 0.8) * (hip_height <= 0.7)
    return float(terminated[-1] == 0 and squats[-LAST:].mean() >= 0.9)
''',
    sparse='''\
def compute_reward(hip_height, torso_upright, right_foot_contact, left_foot_contact):
    """1 while it squats."""
    on_feet = right_foot_contact * left_foot_contact
    return {"squat": on_feet * (torso_upright >= 0.8) * (hip_height <= 0.7)}
''',
    human='''\
def compute_reward(
    hip_height, torso_upright, right_foot_contact, left_foot_contact, com_linvel, healthy, action, *,
    low=2.0, upright=1.0, feet=0.25, slow=0.5, survive=2.0, control=0.05,
):
    """Hips low, torso upright, both feet down, slow, without falling."""
    return {
        "low": low * tolerance(hip_height, bounds=(0.62, 0.68), margin=0.2, sigmoid="linear"),
        "upright": upright * torso_upright,
        "feet": feet * (right_foot_contact + left_foot_contact),
        "slow": -slow * np.minimum(norm(com_linvel[:, :2]), 2.0),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
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


VECTORISED = Vectorised(
    observation=policy_observation,
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
    tasks=(RUN, BACKWARD, STILL, SQUAT),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Humanoid-v4 (tuned)", sac="Humanoid-v4"),
    vectorised=VECTORISED,
)
