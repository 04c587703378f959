"""Walker2d-v5: a planar two-legged walker, six motors; the episode ends when it falls.

Model and native reward: gymnasium/envs/mujoco/walker2d_v5.py, assets/walker2d_v5.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import OURS, Domain, observable, touching
from .hopper import VECTORISED, forward_velocity, pitch_velocity, torso_height, torso_pitch
from .locomotion import DISTANCE, SPEED, upward_velocity
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

# The env calls the walker healthy, and lets the episode go on, within these.
LEAST_HEIGHT, MOST_HEIGHT = 0.8, 2.0  # m
MOST_PITCH = 1.0  # rad, either way


@observable(unit="")
def right_foot_contact(foot_ground_force: Array) -> Array:
    """1 where the right foot touches the floor at the step's end, else 0."""
    return touching(foot_ground_force)


@observable(unit="")
def left_foot_contact(foot_left_ground_force: Array) -> Array:
    """1 where the left foot touches the floor at the step's end, else 0."""
    return touching(foot_left_ground_force)


@observable(unit="m", frame="world")
def right_foot_height(foot_geom_geom_pos: Array) -> Array:
    """Height of the right foot's middle above the floor; 0.1 standing."""
    return foot_geom_geom_pos[:, 2]


@observable(unit="m", frame="world")
def left_foot_height(foot_left_geom_geom_pos: Array) -> Array:
    """Height of the left foot's middle above the floor; 0.1 standing."""
    return foot_left_geom_geom_pos[:, 2]


@observable(unit="m", frame="world")
def stride(foot_left_geom_geom_pos: Array, foot_geom_geom_pos: Array) -> Array:
    """How far the left foot is ahead of the right along +x; negative: behind it."""
    return foot_left_geom_geom_pos[:, 0] - foot_geom_geom_pos[:, 0]


@observable(unit="")
def healthy(rootz_position: Array, rooty_angle: Array) -> Array:
    """1 while the torso is 0.8 to 2 m high and leans less than 1 rad; the episode ends at the first 0."""
    high = (rootz_position > LEAST_HEIGHT) & (rootz_position < MOST_HEIGHT)
    return np.asarray(high & (np.abs(rooty_angle) < MOST_PITCH), dtype=np.float64)


WALK = Task(
    name="walker2d-walk",
    env_id="Walker2d-v5",
    text="Make the two-legged walker walk forward as fast as possible without falling.",
    fitness=DISTANCE,
    success='''\
WALK_SPEED = 1.0  # m/s, as in dm_control's walker

def success(forward_velocity, terminated):
    """Never falls, and walks at 1 m/s on average."""
    return float(terminated[-1] == 0 and forward_velocity.mean() >= WALK_SPEED)
''',
    sparse=SPEED,
    human='''\
def compute_reward(forward_velocity, healthy, action, *, forward=1.0, survive=1.0, control=1e-3):
    """Walk forward fast, don't fall, waste no torque."""
    return {
        "forward": forward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, walker2d_v5.py, Walker2dEnv._get_rew",
)

# What else its body can do. The rewards are ours: the env's own is for its first task.

BACKWARD = Task(
    name="walker2d-backward",
    env_id="Walker2d-v5",
    text="Make the two-legged walker walk backward as fast as possible without falling.",
    fitness='''\
def fitness(forward_velocity, dt, time, time_left):
    """Distance walked backward by the full time an episode may last, m/s: after a fall the clock runs on."""
    return -(forward_velocity * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
WALK_SPEED = 1.0  # m/s

def success(forward_velocity, terminated):
    """Never falls, and walks backward at 1 m/s on average."""
    return float(terminated[-1] == 0 and -forward_velocity.mean() >= WALK_SPEED)
''',
    sparse='''\
def compute_reward(forward_velocity):
    """Backward speed and nothing else."""
    return {"speed": -forward_velocity}
''',
    human='''\
def compute_reward(forward_velocity, healthy, action, *, backward=1.0, survive=1.0, control=1e-3):
    """Walk backward fast, don't fall, waste no torque: the env's own reward with the sign turned."""
    return {
        "backward": -backward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

ONE_LEG = Task(
    name="walker2d-one-leg",
    env_id="Walker2d-v5",
    text="Make the two-legged walker stand on one leg, the other foot held in the air, without walking off.",
    fitness='''\
SPOT = 0.5  # m, either way
LIFT = 0.1  # m

def fitness(
    right_foot_contact, left_foot_contact, right_foot_height, left_foot_height,
    rootx_position, init_rootx_position, dt, time, time_left,
):
    """Share of an episode's full time on one and the same leg, the other foot 10 cm higher and off the floor,
    within 50 cm of the start.
    """
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    lifted = left_foot_height - right_foot_height
    right = right_foot_contact * (1.0 - left_foot_contact) * (lifted >= LIFT)
    left = left_foot_contact * (1.0 - right_foot_contact) * (lifted <= -LIFT)
    full = time[-1] + time_left[-1]
    return np.maximum((right * near * dt).sum(), (left * near * dt).sum()) / full
''',
    success='''\
LAST = 250  # steps: two seconds
LIFT = 0.1  # m

def success(right_foot_contact, left_foot_contact, right_foot_height, left_foot_height, terminated):
    """Nine tenths of the last two seconds on one and the same leg, and no fall."""
    lifted = left_foot_height - right_foot_height
    right = right_foot_contact * (1.0 - left_foot_contact) * (lifted >= LIFT)
    left = left_foot_contact * (1.0 - right_foot_contact) * (lifted <= -LIFT)
    share = np.maximum(right[-LAST:].mean(), left[-LAST:].mean())
    return float(share >= 0.9 and terminated[-1] == 0)
''',
    sparse='''\
LIFT = 0.1  # m

def compute_reward(right_foot_contact, left_foot_contact, left_foot_height, right_foot_height):
    """1 while it stands on the right leg, the left foot 10 cm higher."""
    lifted = left_foot_height - right_foot_height >= LIFT
    return {"standing": right_foot_contact * (1.0 - left_foot_contact) * lifted}
''',
    human='''\
def compute_reward(
    right_foot_contact, left_foot_contact, left_foot_height, right_foot_height, torso_pitch, pitch_velocity,
    forward_velocity, healthy, action, *,
    stand=1.0, lift=1.0, upright=0.5, still=0.2, sway=0.02, survive=1.0, control=1e-3,
):
    """Right foot down, left foot up, torso upright and still."""
    return {
        "stand": stand * right_foot_contact * (1.0 - left_foot_contact),
        "lift": lift * ramp(left_foot_height - right_foot_height, 0.0, 0.15),
        "upright": -upright * np.abs(torso_pitch),
        "still": -still * np.abs(forward_velocity),
        "sway": -sway * np.abs(pitch_velocity),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

PPO = {
    "n_envs": 1,
    "batch_size": 32,
    "n_steps": 512,
    "gamma": 0.99,
    "learning_rate": 5.05041e-05,
    "ent_coef": 0.000585045,
    "clip_range": 0.1,
    "n_epochs": 20,
    "gae_lambda": 0.95,
    "max_grad_norm": 1,
    "vf_coef": 0.871923,
}


DOMAIN = Domain(
    name="walker2d",
    env_id="Walker2d-v5",
    observables=(
        forward_velocity,
        torso_height,
        upward_velocity,
        torso_pitch,
        pitch_velocity,
        right_foot_contact,
        left_foot_contact,
        right_foot_height,
        left_foot_height,
        stride,
        healthy,
    ),
    tasks=(WALK, BACKWARD, ONE_LEG),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="Walker2d-v4 (tuned)", sac="Walker2d-v4"),
    tuned={
        "ppo": short_ppo(n_envs=4, n_steps=512, learning_rate="lin_5e-4", gae_lambda=0.9, log_std_init=-1.0)
    },
    tuned_source=SOURCE,
    steps={"ppo": 500_000},
    vectorised=VECTORISED,
)
