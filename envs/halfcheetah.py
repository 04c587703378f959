"""HalfCheetah-v5: a planar animal with a back and a front leg, six motors; no pose ends its episode.

Model and native reward: gymnasium/envs/mujoco/half_cheetah_v5.py, assets/half_cheetah.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import OURS, Domain, Vectorised, observable, touching
from .locomotion import MEAN_SPEED, SPEED, upward_velocity
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, WIDE_NETWORK, cite

ZERO_HEIGHT = 0.7  # m, torso above the floor where the joint `rootz` reads 0


@observable(unit="m/s", frame="world")
def forward_velocity(rootx_position: Array, prev_rootx_position: Array, dt: Array) -> Array:
    """Mean speed of the torso along +x over the step; positive: the way the head points at the start."""
    return (rootx_position - prev_rootx_position) / dt


@observable(unit="m", frame="world")
def torso_height(rootz_position: Array) -> Array:
    """Height of the torso's middle above the floor; 0.57 at rest on its feet."""
    return ZERO_HEIGHT + rootz_position


@observable(unit="rad", frame="world")
def torso_pitch(rooty_angle: Array) -> Array:
    """Pitch of the torso, unwrapped (a flip adds 2 pi); 0 level, positive: nose down, negative: nose up."""
    return rooty_angle


@observable(unit="rad/s", frame="world")
def pitch_velocity(rooty_velocity: Array) -> Array:
    """Rate of torso_pitch; positive: rolling forward (nose going down), negative: rolling backward."""
    return rooty_velocity


@observable(unit="", frame="world")
def torso_upright(rooty_angle: Array) -> Array:
    """Cosine of torso_pitch; 1 level with the feet down, 0 on its nose or tail, -1 on its back."""
    return np.cos(rooty_angle)


@observable(unit="")
def back_foot_contact(bfoot_ground_force: Array) -> Array:
    """1 where the back foot touches the floor at the step's end, else 0."""
    return touching(bfoot_ground_force)


@observable(unit="")
def front_foot_contact(ffoot_ground_force: Array) -> Array:
    """1 where the front foot touches the floor at the step's end, else 0."""
    return touching(ffoot_ground_force)


@observable(unit="")
def torso_contact(torso_ground_force: Array) -> Array:
    """1 where the torso, head included, touches the floor at the step's end, else 0."""
    return touching(torso_ground_force)


@observable(unit="m", frame="world")
def back_foot_height(bfoot_geom_pos: Array) -> Array:
    """Height of the back foot's middle above the floor."""
    return bfoot_geom_pos[:, 2]


@observable(unit="m", frame="world")
def front_foot_height(ffoot_geom_pos: Array) -> Array:
    """Height of the front foot's middle above the floor."""
    return ffoot_geom_pos[:, 2]


RUN = Task(
    name="halfcheetah-run",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah run forward as fast as possible.",
    fitness=MEAN_SPEED,
    sparse=SPEED,
    human='''\
def compute_reward(forward_velocity, action, *, forward=1.0, control=0.1):
    """Run forward fast, waste no torque."""
    return {
        "forward": forward * forward_velocity,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, half_cheetah_v5.py, HalfCheetahEnv._get_rew",
)

# What else its body can do. The rewards are ours: the env's own is for its first task.

BACKWARD = Task(
    name="halfcheetah-backward",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah run backward, tail first, as fast as possible, on its feet.",
    fitness='''\
UP = 0.5  # cosine of 60 degrees

def fitness(forward_velocity, torso_upright):
    """Mean backward speed, m/s; tipped over by more than 60 degrees, only ground lost is counted."""
    gained = np.where(torso_upright > UP, -forward_velocity, np.minimum(-forward_velocity, 0.0))
    return gained.mean()
''',
    sparse='''\
UP = 0.5  # cosine of 60 degrees

def compute_reward(forward_velocity, torso_upright):
    """Backward speed on its feet and nothing else."""
    return {"speed": np.where(torso_upright > UP, -forward_velocity, np.minimum(-forward_velocity, 0.0))}
''',
    human='''\
def compute_reward(forward_velocity, torso_upright, action, *, backward=1.0, upright=0.5, control=0.1):
    """Run backward fast, keep the back level, waste no torque."""
    return {
        "backward": -backward * forward_velocity,
        "upright": -upright * (1.0 - torso_upright),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

FLIP = Task(
    name="halfcheetah-flip",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah do a front flip: a whole turn forward through the air, landed on its feet.",
    fitness='''\
WHOLE = 0.95  # turns
UPRIGHT = 0.8  # cosine of 37 degrees
SECOND = 20  # steps

def fitness(torso_pitch, init_torso_pitch, torso_air_time, dt, torso_upright, torso_contact):
    """Half for the turn, half for the landing: the most it turns forward without back or head on the floor
    (of a whole turn); after a whole one, the share of the last second on its feet.
    """
    pitch = np.concatenate([init_torso_pitch[:1], torso_pitch])
    aloft = np.round(torso_air_time / dt).astype(int)
    turned = torso_pitch - np.take(pitch, np.arange(1, len(pitch)) - aloft)
    best = np.clip(turned.max() / (2 * np.pi), 0.0, 1.0)
    on_feet = (torso_upright > UPRIGHT) & (torso_contact == 0)
    return (best + (best >= WHOLE) * on_feet[-SECOND:].mean()) / 2
''',
    success='''\
WHOLE = 0.95  # turns
UPRIGHT = 0.8
SECOND = 20  # steps

def success(torso_pitch, init_torso_pitch, torso_air_time, dt, torso_upright, torso_contact):
    """A whole turn without back or head on the floor, and all of the last second on its feet."""
    pitch = np.concatenate([init_torso_pitch[:1], torso_pitch])
    aloft = np.round(torso_air_time / dt).astype(int)
    turned = torso_pitch - np.take(pitch, np.arange(1, len(pitch)) - aloft)
    on_feet = (torso_upright > UPRIGHT) & (torso_contact == 0)
    return float(turned.max() >= 2 * np.pi * WHOLE and on_feet[-SECOND:].all())
''',
    sparse='''\
def compute_reward(torso_pitch, prev_torso_pitch, torso_contact):
    """Turns forward without back or head on the floor, and nothing else."""
    return {"turn": (torso_pitch - prev_torso_pitch) / (2 * np.pi) * (1.0 - torso_contact)}
''',
    human='''\
WHOLE = 2 * np.pi

def compute_reward(
    torso_pitch, prev_torso_pitch, torso_contact, torso_upright, upward_velocity,
    back_foot_contact, front_foot_contact, action, *,
    turn=10.0, leap=0.2, land=1.0, control=0.05,
):
    """Leap, turn forward once in the air, then stay on the feet."""
    in_air = (1.0 - back_foot_contact) * (1.0 - front_foot_contact) * (1.0 - torso_contact)
    progress = np.minimum(torso_pitch, WHOLE) - np.minimum(prev_torso_pitch, WHOLE)
    done = (torso_pitch > 0.9 * WHOLE) & (torso_contact == 0)
    return {
        "turn": turn * progress * in_air,
        "leap": leap * np.maximum(upward_velocity, 0.0) * (torso_pitch < np.pi),
        "land": land * torso_upright * done,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

STAND = Task(
    name="halfcheetah-stand",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah rear up and stand on its hind leg, front leg and back off the floor.",
    fitness='''\
def fitness(torso_pitch, back_foot_contact, front_foot_contact, torso_contact):
    """Share of the time on the hind foot alone, nose up; half counts at 45 degrees, all from 64 on."""
    raised = ramp(-np.sin(torso_pitch), 0.5, 0.9)
    return (raised * back_foot_contact * (1.0 - front_foot_contact) * (1.0 - torso_contact)).mean()
''',
    success='''\
LAST = 40  # steps: two seconds

def success(torso_pitch, back_foot_contact, front_foot_contact, torso_contact):
    """Nine tenths of the last two seconds on the hind foot alone, nose 45 degrees up or more."""
    stands = back_foot_contact * (1.0 - front_foot_contact) * (1.0 - torso_contact)
    return float((stands * (-np.sin(torso_pitch) > 0.7))[-LAST:].mean() >= 0.9)
''',
    sparse='''\
def compute_reward(torso_pitch, back_foot_contact, front_foot_contact, torso_contact):
    """1 while it stands on the hind foot alone, nose 45 degrees up or more."""
    stands = back_foot_contact * (1.0 - front_foot_contact) * (1.0 - torso_contact)
    return {"standing": stands * (-np.sin(torso_pitch) > 0.7)}
''',
    human='''\
def compute_reward(
    torso_pitch, pitch_velocity, front_foot_height, torso_contact, action, *,
    rise=1.0, front=0.5, still=0.02, off=0.5, control=0.05,
):
    """Nose up, front foot high, back off the floor, swing little."""
    return {
        "rise": rise * tolerance(-np.sin(torso_pitch), bounds=(0.9, 1.0), margin=1.0, sigmoid="linear"),
        "front": front * ramp(front_foot_height, 0.0, 0.6),
        "still": -still * np.abs(pitch_velocity),
        "off": -off * torso_contact,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

PPO = {
    "n_envs": 1,
    "batch_size": 64,
    "n_steps": 512,
    "gamma": 0.98,
    "learning_rate": 2.0633e-05,
    "ent_coef": 0.000401762,
    "clip_range": 0.1,
    "n_epochs": 20,
    "gae_lambda": 0.92,
    "max_grad_norm": 0.8,
    "vf_coef": 0.58096,
    "policy_kwargs": WIDE_NETWORK,
}


def policy_observation(qpos: Array, qvel: Array) -> Array:
    """HalfCheetahEnv._get_obs: (N, 17)."""
    return np.concatenate([qpos[:, 1:], qvel], axis=1)


VECTORISED = Vectorised(
    observation=policy_observation,
    info={
        "x_position": lambda rootx_position: rootx_position,
        "x_velocity": forward_velocity.function,
    },
)


DOMAIN = Domain(
    name="halfcheetah",
    env_id="HalfCheetah-v5",
    observables=(
        forward_velocity,
        torso_height,
        upward_velocity,
        torso_pitch,
        pitch_velocity,
        torso_upright,
        back_foot_contact,
        front_foot_contact,
        torso_contact,
        back_foot_height,
        front_foot_height,
    ),
    tasks=(RUN, BACKWARD, FLIP, STAND),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="HalfCheetah-v4 (tuned)", sac="HalfCheetah-v4"),
    tuned={
        "ppo": short_ppo(
            batch_size=256, learning_rate="lin_1e-3", gamma=0.98, gae_lambda=0.9, log_std_init=-1.0
        )
    },
    steps={"ppo": 300_000},
    tuned_source=SOURCE,
    vectorised=VECTORISED,
)
