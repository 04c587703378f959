"""Hopper-v5: a planar one-legged hopper, three motors; the episode ends when it falls.

Model and native reward: gymnasium/envs/mujoco/hopper_v5.py, assets/hopper.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import OURS, Domain, Vectorised, observable, touching
from .locomotion import DISTANCE, SPEED, fallen, upward_velocity
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, WIDE_NETWORK, cite

# The env calls the hopper healthy, and lets the episode go on, within these.
LEAST_HEIGHT = 0.7  # m
MOST_PITCH = 0.2  # rad, either way
MOST_STATE = 100.0  # rad, m/s or rad/s: lean, joint angles and all velocities, either way
MOST_SPEED = 10.0  # m/s or rad/s: the policy sees no velocity beyond it, either way
START_HEIGHT = 1.25  # m
FOOT_HALF_LENGTH, FOOT_RADIUS = 0.195, 0.06  # m, a capsule along the foot's own x axis
POSE = slice(2, None)  # qpos without the torso's x and z: lean and joint angles


@observable(unit="m/s", frame="world")
def forward_velocity(rootx_position: Array, prev_rootx_position: Array, dt: Array) -> Array:
    """Mean speed of the torso along +x over the step; positive: forward, the way the toes point."""
    return (rootx_position - prev_rootx_position) / dt


@observable(unit="m", frame="world")
def torso_height(rootz_position: Array) -> Array:
    """Height of the torso's middle above the floor; 1.25 standing straight."""
    return rootz_position


@observable(unit="rad", frame="world")
def torso_pitch(rooty_angle: Array) -> Array:
    """Lean of the torso; 0 upright, positive: forward, negative: backward."""
    return rooty_angle


@observable(unit="rad/s", frame="world")
def pitch_velocity(rooty_velocity: Array) -> Array:
    """Rate of torso_pitch; positive: tipping forward."""
    return rooty_velocity


@observable(unit="")
def foot_contact(foot_ground_force: Array) -> Array:
    """1 where the foot touches the floor at the step's end, else 0."""
    return touching(foot_ground_force)


@observable(unit="m", frame="world")
def foot_height(foot_geom_geom_pos: Array) -> Array:
    """Height of the foot's middle above the floor; 0.1 standing."""
    return foot_geom_geom_pos[:, 2]


@observable(unit="m", frame="world")
def foot_clearance(foot_geom_geom_pos: Array, foot_forward: Array) -> Array:
    """Height of the foot's lowest point above the floor, toe or heel; 0 standing, 0.04 at the start."""
    return foot_geom_geom_pos[:, 2] - FOOT_HALF_LENGTH * np.abs(foot_forward[:, 2]) - FOOT_RADIUS


@observable(unit="")
def healthy(qpos: Array, qvel: Array, rootz_position: Array, rooty_angle: Array) -> Array:
    """1 while the torso is above 0.7 m and leans less than 0.2 rad; the episode ends at the first 0."""
    state = np.concatenate([qpos[:, POSE], qvel], axis=1)
    inside = (np.abs(state) < MOST_STATE).all(axis=1)
    standing = (rootz_position > LEAST_HEIGHT) & (np.abs(rooty_angle) < MOST_PITCH)
    return np.asarray(inside & standing, dtype=np.float64)


HOP = Task(
    name="hopper-hop",
    env_id="Hopper-v5",
    text="Make the one-legged hopper hop forward as fast as possible without falling.",
    fitness=DISTANCE,
    success='''\
HOP_SPEED = 2.0  # m/s, as in dm_control's hopper

def success(forward_velocity, terminated):
    """Never falls, and hops at 2 m/s on average."""
    return float(terminated[-1] == 0 and forward_velocity.mean() >= HOP_SPEED)
''',
    sparse=SPEED,
    human='''\
def compute_reward(forward_velocity, healthy, action, *, forward=1.0, survive=1.0, control=1e-3):
    """Hop forward fast, don't fall, waste no torque."""
    return {
        "forward": forward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, hopper_v5.py, HopperEnv._get_rew",
)

# What else its body can do. The rewards are ours: the env's own is for its first task.

JUMP = Task(
    name="hopper-jump",
    env_id="Hopper-v5",
    text="Make the hopper jump as high as possible, straight up, and land without falling.",
    fitness='''\
def fitness(foot_clearance, foot_contact, terminated):
    """The bar it clears: the greatest height of the foot's lowest point, m; half of that where it falls."""
    highest = (foot_clearance * (1.0 - foot_contact)).max()
    return np.maximum(highest, 0.0) * (1.0 - 0.5 * terminated[-1])
''',
    success='''\
BAR = 0.3  # m

def success(foot_clearance, terminated):
    """Clears 30 cm, and never falls."""
    return float(foot_clearance.max() >= BAR and terminated[-1] == 0)
''',
    sparse='''\
def compute_reward(foot_clearance):
    """Height of the foot over the floor and nothing else."""
    return {"height": np.maximum(foot_clearance, 0.0)}
''',
    human='''\
def compute_reward(
    foot_clearance, upward_velocity, forward_velocity, torso_pitch, terminated, action, *,
    height=5.0, launch=0.5, upright=1.0, drift=0.2, survive=1.0, control=1e-3,
):
    """Up fast, high, straight, without falling."""
    return {
        "height": height * np.maximum(foot_clearance, 0.0),
        "launch": launch * np.maximum(upward_velocity, 0.0),
        "upright": -upright * np.abs(torso_pitch),
        "drift": -drift * np.abs(forward_velocity),
        "survive": survive * (1.0 - terminated),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

SPOT = Task(
    name="hopper-hop-in-place",
    env_id="Hopper-v5",
    text="Make the hopper hop up and down on the spot, again and again, without falling.",
    fitness='''\
SPOT = 0.25  # m, either way

def fitness(foot_clearance, rootx_position, init_rootx_position, dt, time, time_left):
    """Share of an episode's full time in the air within 25 cm of the start: 10 cm off the floor counts whole,
    less in proportion.
    """
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    return (ramp(foot_clearance, 0.0, 0.1) * near * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
SPOT = 0.25  # m
HOPS = 8  # one a second

def success(foot_clearance, prev_foot_clearance, rootx_position, init_rootx_position, terminated):
    """Eight hops of 5 cm or more, always within 25 cm of the start, and no fall."""
    near = (np.abs(rootx_position - init_rootx_position) <= SPOT).all()
    hops = ((foot_clearance >= 0.05) & (prev_foot_clearance < 0.05)).sum()
    return float(near and hops >= HOPS and terminated[-1] == 0)
''',
    sparse='''\
SPOT = 0.25  # m, either way

def compute_reward(foot_clearance, rootx_position, init_rootx_position):
    """In the air on the spot, and nothing else."""
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    return {"aloft": ramp(foot_clearance, 0.0, 0.1) * near}
''',
    human='''\
def compute_reward(
    foot_clearance, upward_velocity, rootx_position, init_rootx_position, forward_velocity, terminated,
    action, *,
    aloft=1.0, bounce=0.2, spot=1.0, drift=0.2, survive=1.0, control=1e-3,
):
    """Be in the air, move up and down, stay on the spot, don't fall."""
    return {
        "aloft": aloft * ramp(foot_clearance, 0.0, 0.1),
        "bounce": bounce * np.minimum(np.abs(upward_velocity), 2.0),
        "spot": spot * tolerance(rootx_position - init_rootx_position, bounds=(-0.1, 0.1), margin=0.3),
        "drift": -drift * np.abs(forward_velocity),
        "survive": survive * (1.0 - terminated),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

PPO = {
    "n_envs": 1,
    "batch_size": 32,
    "n_steps": 512,
    "gamma": 0.999,
    "learning_rate": 9.80828e-05,
    "ent_coef": 0.00229519,
    "clip_range": 0.2,
    "n_epochs": 5,
    "gae_lambda": 0.99,
    "max_grad_norm": 0.7,
    "vf_coef": 0.835671,
    "policy_kwargs": WIDE_NETWORK,
}


def policy_observation(qpos: Array, qvel: Array) -> Array:
    """_get_obs of HopperEnv, (N, 11), and of Walker2dEnv, (N, 17)."""
    return np.concatenate([qpos[:, 1:], np.clip(qvel, -MOST_SPEED, MOST_SPEED)], axis=1)


def risen(rootz_position: Array) -> Array:
    """(N,) m, above the model's own start."""
    return rootz_position - START_HEIGHT


VECTORISED = Vectorised(
    observation=policy_observation,
    terminated=fallen,
    info={
        "x_position": lambda rootx_position: rootx_position,
        "x_velocity": forward_velocity.function,
        "z_distance_from_origin": risen,
    },
)


DOMAIN = Domain(
    name="hopper",
    env_id="Hopper-v5",
    observables=(
        forward_velocity,
        torso_height,
        upward_velocity,
        torso_pitch,
        pitch_velocity,
        foot_contact,
        foot_height,
        foot_clearance,
        healthy,
    ),
    tasks=(HOP, JUMP, SPOT),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Hopper-v4 (tuned)", sac="Hopper-v4"),
    tuned={"ppo": short_ppo(batch_size=64, learning_rate="lin_3e-4", log_std_init=0.0)},
    tuned_source=SOURCE,
    steps={"ppo": 500_000},
    vectorised=VECTORISED,
)
