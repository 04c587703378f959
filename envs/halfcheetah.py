"""HalfCheetah-v5: a planar animal with a back and a front leg, six motors; no pose ends its episode.

Model and native reward: gymnasium/envs/mujoco/half_cheetah_v5.py, assets/half_cheetah.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, normal_velocity_start, observable, touching
from .halfcheetah_beyond import BEYOND
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


@observable(unit="m/s", frame="world")
def upward_velocity(rootz_velocity: Array) -> Array:
    """Speed of the torso along +z; positive: rising."""
    return rootz_velocity


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


FITNESS = '''\
def fitness(forward_velocity):
    """Mean forward speed over the episode, m/s."""
    return forward_velocity.mean()
'''

SPARSE = '''\
def compute_reward(forward_velocity):
    """Forward speed and nothing else."""
    return {"speed": forward_velocity}
'''

HUMAN = '''\
def compute_reward(forward_velocity, action, *, forward=1.0, control=0.1):
    """Run forward fast, waste no torque."""
    return {
        "forward": forward * forward_velocity,
        "control": -control * np.square(action).sum(axis=1),
    }
'''

RUN = Task(
    name="halfcheetah-run",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah run forward as fast as possible.",
    fitness=FITNESS,
    sparse=SPARSE,
    human=HUMAN,
    human_source="Gymnasium 1.x, half_cheetah_v5.py, HalfCheetahEnv._get_rew",
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
    start=normal_velocity_start(0.1),
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
    tasks=(RUN, *BEYOND),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="HalfCheetah-v4 (tuned)", sac="HalfCheetah-v4"),
    vectorised=VECTORISED,
)
