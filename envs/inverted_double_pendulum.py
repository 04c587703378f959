"""InvertedDoublePendulum-v5: one pole on another on a cart; the episode ends when the tip sinks to 1 m.

Model and native reward: gymnasium/envs/mujoco/inverted_double_pendulum_v5.py,
assets/inverted_double_pendulum.xml.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, observable
from .inverted_pendulum import cart_position, cart_velocity, tipped
from .tuned import SOURCE, short_ppo
from .zoo import SAC_MUJOCO, cite

LEAST_HEIGHT = 1.0  # m, of the tip: at it or below the env ends the episode
MOST_SEEN = 10.0  # m/s, rad/s or N: what the policy sees of speeds and of the rail's force, either way


@observable(unit="m", frame="world")
def tip_height(tip_pos: Array) -> Array:
    """Height of the upper pole's tip above the rail; 1.2 with both poles upright."""
    return tip_pos[:, 2]


@observable(unit="m", frame="world")
def tip_position(tip_pos: Array) -> Array:
    """Place of the upper pole's tip along the rail, from its middle; positive: towards +x."""
    return tip_pos[:, 0]


@observable(unit="rad", frame="world")
def lower_pole_angle(hinge_angle: Array) -> Array:
    """Lean of the lower pole; 0 upright, positive: towards +x."""
    return hinge_angle


@observable(unit="rad", frame="world")
def upper_pole_angle(hinge_angle: Array, hinge2_angle: Array) -> Array:
    """Lean of the upper pole, from the vertical; 0 upright, positive: towards +x."""
    return hinge_angle + hinge2_angle


@observable(unit="rad/s", frame="world")
def lower_pole_velocity(hinge_velocity: Array) -> Array:
    """Rate of lower_pole_angle; positive: tipping towards +x."""
    return hinge_velocity


@observable(unit="rad/s", frame="world")
def upper_pole_velocity(hinge_velocity: Array, hinge2_velocity: Array) -> Array:
    """Rate of upper_pole_angle; positive: tipping towards +x."""
    return hinge_velocity + hinge2_velocity


@observable(unit="")
def balanced(tip_pos: Array) -> Array:
    """1 while the tip is higher than 1 m, else 0; the episode ends at the first 0."""
    return np.asarray(tip_pos[:, 2] > LEAST_HEIGHT, dtype=np.float64)


BALANCE = Task(
    name="inverteddoublependulum-balance",
    env_id="InvertedDoublePendulum-v5",
    text="Balance the two linked poles upright on the cart for as long as possible.",
    fitness='''\
def fitness(time):
    """How long the poles stayed up, s."""
    return time[-1]
''',
    success='''\
def success(terminated):
    """The poles are up until the end."""
    return float(terminated[-1] == 0)
''',
    sparse='''\
def compute_reward(balanced):
    """1 while the poles are up."""
    return {"up": balanced}
''',
    human='''\
def compute_reward(
    balanced, tip_position, tip_height, hinge_velocity, hinge2_velocity, *,
    survive=10.0, sideways=0.01, height=1.0, lower=1e-3, upper=5e-3,
):
    """Keep the tip up and over the rail's middle, the joints slow."""
    return {
        "survive": survive * balanced,
        "distance": -(sideways * tip_position**2 + height * (tip_height - 2.0) ** 2),
        "velocity": -(lower * hinge_velocity**2 + upper * hinge2_velocity**2),
    }
''',
    human_source="Gymnasium 1.x, inverted_double_pendulum_v5.py, InvertedDoublePendulumEnv._get_rew",
)

PPO = {
    "n_envs": 1,
    "batch_size": 128,  # the Zoo says 512, but a rollout holds 128: SB3 makes one batch of them either way
    "n_steps": 128,
    "gamma": 0.98,
    "learning_rate": 0.000155454,
    "ent_coef": 1.05057e-06,
    "clip_range": 0.4,
    "n_epochs": 10,
    "gae_lambda": 0.8,
    "max_grad_norm": 0.5,
    "vf_coef": 0.695929,
}


def policy_observation(qpos: Array, qvel: Array, qfrc_constraint: Array) -> Array:
    """InvertedDoublePendulumEnv._get_obs: (N, 9)."""
    place, angles = qpos[:, :1], qpos[:, 1:]
    cut = [np.clip(part, -MOST_SEEN, MOST_SEEN) for part in (qvel, qfrc_constraint[:, :1])]
    return np.concatenate([place, np.sin(angles), np.cos(angles), *cut], axis=1)


VECTORISED = Vectorised(observation=policy_observation, terminated=tipped)

DOMAIN = Domain(
    name="inverted_double_pendulum",
    env_id="InvertedDoublePendulum-v5",
    observables=(
        tip_height,
        tip_position,
        lower_pole_angle,
        upper_pole_angle,
        lower_pole_velocity,
        upper_pole_velocity,
        cart_position,
        cart_velocity,
        balanced,
    ),
    tasks=(BALANCE,),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(
        ppo="InvertedDoublePendulum-v2 (tuned)", sac="has no InvertedDoublePendulum, HalfCheetah-v4 stands in"
    ),
    tuned={"ppo": short_ppo()},
    tuned_source=SOURCE,
    steps={"ppo": 300_000},
    vectorised=VECTORISED,
)
