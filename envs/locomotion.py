"""Observables, programs and the episode's end that the walking, hopping and swimming bodies share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

from .domain import observable

MEAN_SPEED = '''\
def fitness(forward_velocity):
    """Mean forward speed over the episode, m/s."""
    return forward_velocity.mean()
'''

DISTANCE = '''\
def fitness(forward_velocity, dt, time, time_left):
    """Distance covered forward by the full time an episode may last, m/s: after a fall the clock runs on."""
    return (forward_velocity * dt).sum() / (time[-1] + time_left[-1])
'''

SPEED = '''\
def compute_reward(forward_velocity):
    """Forward speed and nothing else."""
    return {"speed": forward_velocity}
'''


def fallen(healthy: Array) -> npt.NDArray[np.bool_]:
    """(N,) whether the env ends the episode."""
    return np.asarray(healthy == 0.0)


@observable(unit="m/s", frame="world")
def upward_velocity(rootz_velocity: Array) -> Array:
    """Speed of the torso along +z; positive: rising."""
    return rootz_velocity


@observable(unit="", frame="world")
def torso_upright(torso_up: Array) -> Array:
    """How upright the torso is: 1 upright, 0 on its side, -1 upside down."""
    return torso_up[:, 2]


@observable(unit="rad", frame="world")
def heading_angle(torso_forward: Array) -> Array:
    """Where the torso faces seen from above, from +x, in [-pi, pi]; positive: turned left (anticlockwise)."""
    return np.arctan2(torso_forward[:, 1], torso_forward[:, 0])
