"""Ant-v5: a four-legged animal in 3D, eight motors; the episode ends when its torso sinks or jumps too high.

Model and native reward: gymnasium/envs/mujoco/ant_v5.py, assets/ant.xml. "Forward" is +x of the world; the
torso's own x axis points that way at the start. The model names the legs by its y axis; here they are named
by where they stand.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import OURS, Domain, Vectorised, observable, place_info, touching
from .locomotion import DISTANCE, SPEED, fallen, heading_angle, torso_upright
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

# The env calls the ant healthy, and lets the episode go on, within these.
LEAST_HEIGHT, MOST_HEIGHT = 0.2, 1.0  # m

ROOT_PLANE, ROOT_Z = slice(0, 2), 2  # of qpos
FORCE_LIMIT = 1.0  # N or N m: the env cuts every contact force and torque off there


@observable(unit="m/s", frame="world")
def forward_velocity(torso_pos: Array, prev_torso_pos: Array, dt: Array) -> Array:
    """Mean speed of the torso along +x over the step; positive: the way it faces at the start."""
    return (torso_pos[:, 0] - prev_torso_pos[:, 0]) / dt


@observable(unit="m/s", frame="world")
def sideways_velocity(torso_pos: Array, prev_torso_pos: Array, dt: Array) -> Array:
    """Mean speed of the torso along +y over the step; positive: to the left of +x."""
    return (torso_pos[:, 1] - prev_torso_pos[:, 1]) / dt


@observable(unit="m", frame="world")
def torso_height(qpos: Array) -> Array:
    """Height of the torso's middle above the floor; 0.75 at the start, 0.4 at rest."""
    return qpos[:, ROOT_Z]


@observable(unit="rad/s", frame="world")
def turning_velocity(torso_angvel: Array) -> Array:
    """Rate of turning about the vertical; positive: to the left."""
    return torso_angvel[:, 2]


@observable(unit="", shape=(4,))
def feet_contact(
    body4_ground_force: Array,
    body7_ground_force: Array,
    body10_ground_force: Array,
    body13_ground_force: Array,
) -> Array:
    """1 where a lower leg touches the floor at the step's end, else 0, in the order front left, rear left,
    rear right, front right; front is the torso's own +x, left its +y.
    """
    forces = (body4_ground_force, body7_ground_force, body10_ground_force, body13_ground_force)
    return np.stack([touching(force) for force in forces], axis=1)


@observable(unit="N^2")
def contact_load(cfrc_ext: Array) -> Array:
    """Sum of squares of all contact forces (N) and torques (N m) on all bodies, each cut off at 1."""
    return np.asarray(np.square(np.clip(cfrc_ext, -FORCE_LIMIT, FORCE_LIMIT)).sum(axis=(1, 2)))


@observable(unit="")
def healthy(qpos: Array, qvel: Array) -> Array:
    """1 while the torso is 0.2 to 1 m high, else 0; the episode ends at the first 0."""
    finite = np.isfinite(qpos).all(axis=1) & np.isfinite(qvel).all(axis=1)
    high = (qpos[:, ROOT_Z] >= LEAST_HEIGHT) & (qpos[:, ROOT_Z] <= MOST_HEIGHT)
    return np.asarray(finite & high, dtype=np.float64)


RUN = Task(
    name="ant-run",
    env_id="Ant-v5",
    text="Make the four-legged ant run forward (along +x) as fast as possible without falling over.",
    fitness=DISTANCE,
    sparse=SPEED,
    human='''\
def compute_reward(
    forward_velocity, healthy, contact_load, action, *,
    forward=1.0, survive=1.0, control=0.5, contact=5e-4,
):
    """Run forward fast, don't fall or leap, waste no torque, tread softly."""
    return {
        "forward": forward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
        "contact": -contact * contact_load,
    }
''',
    human_source="Gymnasium 1.x, ant_v5.py, AntEnv._get_rew",
)


def policy_observation(qpos: Array, qvel: Array, cfrc_ext: Array) -> Array:
    """AntEnv._get_obs: (N, 105), the world's own wrench left out."""
    wrenches = np.clip(cfrc_ext[:, 1:], -FORCE_LIMIT, FORCE_LIMIT)
    return np.concatenate([qpos[:, ROOT_PLANE.stop :], qvel, wrenches.reshape(len(qpos), -1)], axis=1)


VECTORISED = Vectorised(
    observation=policy_observation,
    terminated=fallen,
    info={
        **place_info(ROOT_PLANE),
        "x_velocity": forward_velocity.function,
        "y_velocity": sideways_velocity.function,
    },
)

# What else its body can do. The rewards are ours: the env's own is for its first task.

TURN = Task(
    name="ant-turn",
    env_id="Ant-v5",
    text="Make the ant turn left on the spot, as many whole turns as possible, without tipping over.",
    fitness='''\
SPOT = 1.0  # m
UP = 0.5  # cosine of 60 degrees

def fitness(torso_yaw_total, prev_torso_yaw_total, torso_pos, init_torso_pos, torso_upright):
    """Whole turns to the left within 1 m of the start and upright; turns to the right always take off."""
    turned = torso_yaw_total - prev_torso_yaw_total
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= SPOT
    counted = np.where(near & (torso_upright > UP), turned, np.minimum(turned, 0.0))
    return counted.sum() / (2 * np.pi)
''',
    success='''\
SPOT = 1.0  # m
UP = 0.5

def success(torso_yaw_total, torso_pos, init_torso_pos, torso_upright, terminated):
    """Five whole turns, never further than 1 m from the start, never tipped over."""
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= SPOT
    whole = torso_yaw_total[-1] >= 5 * 2 * np.pi
    return float(whole and near.all() and (torso_upright > UP).all() and terminated[-1] == 0)
''',
    sparse='''\
SPOT = 1.0  # m
UP = 0.5

def compute_reward(torso_yaw_total, prev_torso_yaw_total, torso_pos, init_torso_pos, torso_upright):
    """Turning left on the spot and nothing else, in turns."""
    turned = (torso_yaw_total - prev_torso_yaw_total) / (2 * np.pi)
    near = norm((torso_pos - init_torso_pos)[:, :2]) <= SPOT
    return {"turn": np.where(near & (torso_upright > UP), turned, np.minimum(turned, 0.0))}
''',
    human='''\
def compute_reward(
    turning_velocity, torso_pos, init_torso_pos, torso_upright, healthy, action, *,
    turn=1.0, spot=0.5, upright=0.5, survive=0.5, control=0.1,
):
    """Turn left fast, stay on the spot and upright, waste no torque."""
    return {
        "turn": turn * np.clip(turning_velocity, -3.0, 3.0) * (torso_upright > 0.5),
        "spot": -spot * np.minimum(norm((torso_pos - init_torso_pos)[:, :2]), 3.0),
        "upright": upright * torso_upright,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

CIRCLE = Task(
    name="ant-circle",
    env_id="Ant-v5",
    text=(
        "Make the four-legged ant walk round a circle of 2 m radius again and again, anticlockwise. It "
        "starts on the circle, whose centre is 2 m to its left (+y)."
    ),
    fitness='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m, how far off the circle it may be
UP = 0.5

def fitness(torso_pos, prev_torso_pos, init_torso_pos, torso_upright):
    """Laps walked anticlockwise, upright and within 50 cm of the circle; the wrong way always takes off."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, (before * here).sum(axis=1))
    on_track = np.abs(np.linalg.norm(here, axis=1) - RADIUS) <= WIDTH
    counted = np.where(on_track & (torso_upright > UP), angle, np.minimum(angle, 0.0))
    return counted.sum() / (2 * np.pi)
''',
    success='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m

def success(torso_pos, prev_torso_pos, init_torso_pos, terminated):
    """A whole lap, never further than 50 cm from the circle, without falling."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, (before * here).sum(axis=1))
    on_track = np.abs(np.linalg.norm(here, axis=1) - RADIUS) <= WIDTH
    return float(angle.sum() >= 2 * np.pi and on_track.all() and terminated[-1] == 0)
''',
    sparse='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m

def compute_reward(torso_pos, prev_torso_pos, init_torso_pos):
    """Going round on the circle and nothing else, in laps."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, dot(before, here)) / (2 * np.pi)
    on_track = np.abs(norm(here) - RADIUS) <= WIDTH
    return {"round": np.where(on_track, angle, np.minimum(angle, 0.0))}
''',
    human='''\
RADIUS = 2.0  # m

def compute_reward(
    torso_pos, init_torso_pos, forward_velocity, sideways_velocity, torso_upright, healthy, action, *,
    along=1.0, track=0.5, upright=0.2, survive=0.5, control=0.1,
):
    """Fast along the circle, near its line, upright, waste no torque."""
    spoke = torso_pos[:, :2] - init_torso_pos[:, :2] - np.array([0.0, RADIUS])
    far = np.maximum(norm(spoke), 0.1)
    tangent = np.stack([-spoke[:, 1], spoke[:, 0]], axis=1) / far[:, None]
    velocity = np.stack([forward_velocity, sideways_velocity], axis=1)
    return {
        "along": along * dot(velocity, tangent),
        "track": -track * np.minimum(np.abs(far - RADIUS), 2.0),
        "upright": upright * torso_upright,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

DOMAIN = Domain(
    name="ant",
    env_id="Ant-v5",
    observables=(
        forward_velocity,
        sideways_velocity,
        torso_height,
        torso_upright,
        heading_angle,
        turning_velocity,
        feet_contact,
        contact_load,
        healthy,
    ),
    tasks=(RUN, TURN, CIRCLE),
    hyperparameters={"ppo": {"n_envs": 1}, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Ant-v4 (not tuned: SB3's defaults)", sac="Ant-v4"),
    tuned={
        "ppo": short_ppo(
            n_envs=4, n_steps=512, learning_rate="lin_5e-4", gamma=0.98, gae_lambda=0.9, log_std_init=-1.0
        )
    },
    tuned_source=SOURCE,
    steps={"ppo": 500_000},
    vectorised=VECTORISED,
)
