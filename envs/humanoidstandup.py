"""HumanoidStandup-v5: the body of Humanoid-v5, lying on its back; 15 s to get up, no pose ends the episode.

Model and native reward: gymnasium/envs/mujoco/humanoidstandup_v5.py, assets/humanoidstandup.xml.
This model is built lying: the torso's own x axis points to the feet, y to its left, z out of the chest.
"""

from __future__ import annotations

from eureka_loop.records import Array, Task

from .domain import Domain, Vectorised, observable, place_info
from .humanoid import (
    ROOT_PLANE,
    contact_load,
    left_foot_contact,
    policy_observation,
    right_foot_contact,
    tendon_info,
)
from .zoo import SAC_MUJOCO, WIDE_NETWORK, cite

ROOT_Z = 2  # of qpos and of qvel
START_HEIGHT = 0.105  # m


@observable(unit="m", frame="world")
def head_height(head_geom_pos: Array) -> Array:
    """Height of the head's middle above the floor; 0.1 lying, 1.35 standing."""
    return head_geom_pos[:, 2]


@observable(unit="m", frame="world")
def torso_height(qpos: Array) -> Array:
    """Height of the torso's middle (the chest) above the floor; 0.1 lying, 1.2 standing."""
    return qpos[:, ROOT_Z]


@observable(unit="m", frame="world")
def pelvis_height(pelvis_pos: Array) -> Array:
    """Height of the pelvis above the floor; 0.1 lying, 0.83 standing."""
    return pelvis_pos[:, 2]


@observable(unit="m/s", frame="world")
def upward_velocity(qvel: Array) -> Array:
    """Speed of the torso along +z; positive: rising."""
    return qvel[:, ROOT_Z]


@observable(unit="", frame="world")
def torso_upright(torso_forward: Array) -> Array:
    """How upright the torso is: 1 upright (head above), 0 lying, -1 upside down."""
    return -torso_forward[:, 2]


@observable(unit="", frame="world")
def facing_up(torso_up: Array) -> Array:
    """Which way the chest faces: 1 up (lying on the back), 0 level (standing), -1 down (on the belly)."""
    return torso_up[:, 2]


STAND = Task(
    name="humanoidstandup-standup",
    env_id="HumanoidStandup-v5",
    text="Make the humanoid, lying on its back, stand up and stay standing.",
    fitness='''\
HELD = 5.0  # s

def fitness(head_height, time):
    """Mean height of the head over the last five seconds, m: get up and stay up."""
    return head_height[time > time[-1] - HELD].mean()
''',
    success='''\
STANDING = 1.2  # m, of the head; 1.35 with straight legs
HELD = 1.0  # s

def success(head_height, time):
    """The head is above 1.2 m during the whole last second."""
    return float(head_height[time > time[-1] - HELD].min() >= STANDING)
''',
    sparse='''\
STANDING = 1.2  # m, of the head

def compute_reward(head_height):
    """1 while the head is above 1.2 m."""
    return {"standing": np.where(head_height >= STANDING, 1.0, 0.0)}
''',
    human='''\
TIMESTEP = 0.003  # s, the simulator's
MOST_IMPACT = 10.0

def compute_reward(torso_height, contact_load, action, *, height=1.0, control=0.1, impact=5e-7, alive=1.0):
    """Lift the torso as high as possible, waste no torque, no hard knocks."""
    return {
        "height": height * torso_height / TIMESTEP,
        "control": -control * np.square(action).sum(axis=1),
        "impact": -np.minimum(impact * contact_load, MOST_IMPACT),
        "alive": alive * np.ones_like(torso_height),
    }
''',
    human_source="Gymnasium 1.x, humanoidstandup_v5.py, HumanoidStandupEnv._get_rew",
)

PPO = {
    "n_envs": 1,
    "batch_size": 32,
    "n_steps": 512,
    "gamma": 0.99,
    "learning_rate": 2.55673e-05,
    "ent_coef": 3.62109e-06,
    "clip_range": 0.3,
    "n_epochs": 20,
    "gae_lambda": 0.9,
    "max_grad_norm": 0.7,
    "vf_coef": 0.430793,
    "policy_kwargs": WIDE_NETWORK,
}


def risen(qpos: Array) -> Array:
    """(N,) m, above the model's own start."""
    return qpos[:, ROOT_Z] - START_HEIGHT


PLACE = place_info(ROOT_PLANE)

VECTORISED = Vectorised(
    observation=policy_observation,
    info={
        "x_position": PLACE["x_position"],
        "y_position": PLACE["y_position"],
        "z_distance_from_origin": risen,
        **tendon_info(),
    },
)

DOMAIN = Domain(
    name="humanoidstandup",
    env_id="HumanoidStandup-v5",
    observables=(
        head_height,
        torso_height,
        pelvis_height,
        upward_velocity,
        torso_upright,
        facing_up,
        right_foot_contact,
        left_foot_contact,
        contact_load,
    ),
    tasks=(STAND,),
    hyperparameters={"ppo": PPO, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(
        ppo="HumanoidStandup-v2 (tuned)", sac="has no HumanoidStandup, Humanoid-v4 stands in"
    ),
    vectorised=VECTORISED,
)
