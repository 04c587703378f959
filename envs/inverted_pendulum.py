"""InvertedPendulum-v5: a pole hinged on a cart, one motor along the rail; the episode ends when it tips.

Model and native reward: gymnasium/envs/mujoco/inverted_pendulum_v5.py, assets/inverted_pendulum.xml.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, observable
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

MOST_LEAN = 0.2  # rad, either way: beyond it the env ends the episode


@observable(unit="rad", frame="world")
def pole_angle(hinge_angle: Array) -> Array:
    """Lean of the pole; 0 upright, positive: towards +x."""
    return hinge_angle


@observable(unit="rad/s", frame="world")
def pole_velocity(hinge_velocity: Array) -> Array:
    """Rate of pole_angle; positive: tipping towards +x."""
    return hinge_velocity


@observable(unit="m", frame="world")
def cart_position(slider_position: Array) -> Array:
    """Place of the cart, from the rail's middle; positive: towards +x; the rail ends at -1 and 1."""
    return slider_position


@observable(unit="m/s", frame="world")
def cart_velocity(slider_velocity: Array) -> Array:
    """Speed of the cart; positive: towards +x."""
    return slider_velocity


@observable(unit="")
def balanced(hinge_angle: Array) -> Array:
    """1 while the pole leans at most 0.2 rad, else 0; the episode ends at the first 0."""
    return np.asarray(np.abs(hinge_angle) <= MOST_LEAN, dtype=np.float64)


BALANCE = Task(
    name="invertedpendulum-balance",
    env_id="InvertedPendulum-v5",
    text="Balance the pole upright on the cart for as long as possible.",
    fitness='''\
def fitness(time):
    """How long the pole stayed up, s."""
    return time[-1]
''',
    success='''\
def success(terminated):
    """The pole is up until the end."""
    return float(terminated[-1] == 0)
''',
    sparse='''\
def compute_reward(balanced):
    """1 while the pole is up."""
    return {"up": balanced}
''',
    human='''\
def compute_reward(balanced, *, survive=1.0):
    """Keep the pole up."""
    return {"survive": survive * balanced}
''',
    human_source="Gymnasium 1.x, inverted_pendulum_v5.py, InvertedPendulumEnv.step",
)

PPO = {
    "n_envs": 1,
    "batch_size": 32,  # the Zoo says 64, but a rollout holds 32: SB3 makes one batch of them either way
    "n_steps": 32,
    "gamma": 0.999,
    "learning_rate": 0.000222425,
    "ent_coef": 1.37976e-07,
    "clip_range": 0.4,
    "n_epochs": 5,
    "gae_lambda": 0.9,
    "max_grad_norm": 0.3,
    "vf_coef": 0.19816,
}


def policy_observation(qpos: Array, qvel: Array) -> Array:
    """InvertedPendulumEnv._get_obs: (N, 4)."""
    return np.concatenate([qpos, qvel], axis=1)


def tipped(balanced: Array) -> npt.NDArray[np.bool_]:
    """(N,) whether the env ends the episode."""
    return np.asarray(balanced == 0.0)


VECTORISED = Vectorised(observation=policy_observation, terminated=tipped)

DOMAIN = Domain(
    name="inverted_pendulum",
    env_id="InvertedPendulum-v5",
    observables=(pole_angle, pole_velocity, cart_position, cart_velocity, balanced),
    tasks=(BALANCE,),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(
        ppo="InvertedPendulum-v2 (tuned)", sac="has no InvertedPendulum, HalfCheetah-v4 stands in"
    ),
    tuned={"ppo": short_ppo()},
    tuned_source=SOURCE,
    steps={"ppo": 50_000},
    vectorised=VECTORISED,
)
