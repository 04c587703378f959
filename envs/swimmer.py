"""Swimmer-v5: three links in a viscous fluid seen from above, two motors; no pose ends its episode.

Model and native reward: gymnasium/envs/mujoco/swimmer_v5.py, assets/swimmer.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import OURS, Domain, Vectorised, observable, place_info
from .locomotion import MEAN_SPEED, SPEED
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

PLANE = slice(0, 2)  # of qpos: the head link's x and y


@observable(unit="m/s", frame="world")
def forward_velocity(slider1_position: Array, prev_slider1_position: Array, dt: Array) -> Array:
    """Mean speed of the head link along +x over the step; positive: the way it points at the start."""
    return (slider1_position - prev_slider1_position) / dt


@observable(unit="m/s", frame="world")
def sideways_velocity(slider2_position: Array, prev_slider2_position: Array, dt: Array) -> Array:
    """Mean speed of the head link along +y over the step; positive: to the left of +x."""
    return (slider2_position - prev_slider2_position) / dt


@observable(unit="rad", frame="world")
def heading_angle(free_body_rot_angle: Array) -> Array:
    """Where the head link points, from +x, not wrapped; positive: turned left (anticlockwise from above)."""
    return free_body_rot_angle


@observable(unit="rad/s", frame="world")
def turning_velocity(free_body_rot_velocity: Array) -> Array:
    """Rate of heading_angle; positive: turning left."""
    return free_body_rot_velocity


@observable(unit="m/s", frame="head link")
def heading_velocity(slider1_velocity: Array, slider2_velocity: Array, free_body_rot_angle: Array) -> Array:
    """Speed along the way the head link points now; positive: head first."""
    return slider1_velocity * np.cos(free_body_rot_angle) + slider2_velocity * np.sin(free_body_rot_angle)


@observable(unit="rad", frame="head link")
def front_bend(motor1_rot_angle: Array) -> Array:
    """Angle between head and middle link; 0 straight, positive: the rear turned anticlockwise."""
    return motor1_rot_angle


@observable(unit="rad", frame="middle link")
def back_bend(motor2_rot_angle: Array) -> Array:
    """Angle between middle and tail link; 0 straight, positive: the rear turned anticlockwise."""
    return motor2_rot_angle


@observable(unit="rad", frame="world")
def body_angle(free_body_rot_angle: Array, motor1_rot_angle: Array, motor2_rot_angle: Array) -> Array:
    """Mean angle of the three links from +x, not wrapped; positive: turned left."""
    return free_body_rot_angle + (2.0 * motor1_rot_angle + motor2_rot_angle) / 3.0


SWIM = Task(
    name="swimmer-swim",
    env_id="Swimmer-v5",
    text="Make the three-link swimmer swim forward as fast as possible.",
    fitness=MEAN_SPEED,
    sparse=SPEED,
    human='''\
def compute_reward(forward_velocity, action, *, forward=1.0, control=1e-4):
    """Swim forward fast, waste no torque."""
    return {
        "forward": forward * forward_velocity,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source="Gymnasium 1.x, swimmer_v5.py, SwimmerEnv._get_rew",
)

TURN = Task(
    name="swimmer-turn",
    env_id="Swimmer-v5",
    text="Make the three-link swimmer turn round to the left, as many whole turns as possible.",
    fitness='''\
def fitness(body_angle, init_body_angle):
    """Whole turns to the left of the body as a whole, from the start to the end."""
    return (body_angle[-1] - init_body_angle[0]) / (2 * np.pi)
''',
    success='''\
def success(body_angle, init_body_angle):
    """At least one whole turn to the left."""
    return float(body_angle[-1] - init_body_angle[0] >= 2 * np.pi)
''',
    sparse='''\
def compute_reward(body_angle, prev_body_angle):
    """Turning left and nothing else, in turns."""
    return {"turn": (body_angle - prev_body_angle) / (2 * np.pi)}
''',
    human='''\
def compute_reward(body_angle, prev_body_angle, dt, action, *, turn=1.0, control=1e-4):
    """Turn left fast, waste no torque."""
    return {
        "turn": turn * (body_angle - prev_body_angle) / dt,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

PPO = {
    "n_envs": 4,
    "gamma": 0.9999,
    "n_steps": 1024,
    "batch_size": 256,
    "learning_rate": 6e-4,
    "gae_lambda": 0.98,
}

SAC = {**SAC_MUJOCO, "gamma": 0.999}


def policy_observation(qpos: Array, qvel: Array) -> Array:
    """SwimmerEnv._get_obs: (N, 8)."""
    return np.concatenate([qpos[:, PLANE.stop :], qvel], axis=1)


VECTORISED = Vectorised(
    observation=policy_observation,
    info={
        **place_info(PLANE),
        "x_velocity": forward_velocity.function,
        "y_velocity": sideways_velocity.function,
    },
)

DOMAIN = Domain(
    name="swimmer",
    env_id="Swimmer-v5",
    observables=(
        forward_velocity,
        sideways_velocity,
        heading_angle,
        turning_velocity,
        heading_velocity,
        front_bend,
        back_bend,
        body_angle,
    ),
    tasks=(SWIM, TURN),
    hyperparameters={"ppo": PPO, "sac": SAC},
    hyperparameters_source=cite(ppo="Swimmer-v4 (tuned)", sac="Swimmer-v4"),
    tuned={"ppo": short_ppo(gamma=0.9999, gae_lambda=0.98)},
    tuned_source=SOURCE,
    steps={"ppo": 1_000_000},
    vectorised=VECTORISED,
)
