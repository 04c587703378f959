"""Meta-World: a Sawyer arm at a table with something to reach, push, press, turn, pick up or open: 50 tasks.

An action moves the gripper's place and opens or shuts it; nothing ends an episode (500 steps of 12.5 ms).
Goal and objects are drawn anew at every reset, from the reset's seed. Batched, all but
stick-push: observation and success are stated, resets are the env's own.

Names, order and success: metaworld/env_dict.py and envs/sawyer_*_v3.py (3.0). The hand-written rewards are
its own, of version v2: some as programs, the others as the env computes them.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from .domain import CLOSEST, Domain, Vectorised, observable
from .metaworld_rewards import REWARDS
from .metaworld_vectorised import OBSERVED, vectorised
from .zoo import SAC_MUJOCO, cite

STEPS = 500
METHODS = (  # of an env, which make its reward
    "compute_reward",
    "_gripper_caging_reward",
    *("_reward_grab_effort", "_reward_quat", "_reward_pos", "_reward_off_table"),
)
HAND, OPENING, OBJECT, GOAL = slice(0, 3), 3, slice(4, 7), slice(36, 39)  # of the observation


@observable(unit="m", frame="world", shape=(3,))
def hand_position(obs: Array) -> Array:
    """Place of the gripper's palm; +x to the right, +y away from the robot, +z up."""
    return obs[:, HAND]


@observable(unit="m", frame="world", shape=(3,))
def fingers_position(rightEndEffector_pos: Array, leftEndEffector_pos: Array) -> Array:  # noqa: N803
    """Place between the fingers' tips."""
    return (rightEndEffector_pos + leftEndEffector_pos) / 2.0


@observable(unit="")
def gripper_opening(obs: Array) -> Array:
    """How far the gripper is open: 1 wide open, 0 shut."""
    return obs[:, OPENING]


@observable(unit="m", frame="world", shape=(3,))
def object_position(obs: Array) -> Array:
    """Place of the thing to act on, or of the part of it to take hold of: puck, handle, button, lid."""
    return obs[:, OBJECT]


@observable(unit="m", frame="world", shape=(3,))
def goal_position(init_obs: Array) -> Array:
    """Place where the thing (in reach: the fingers) should be; the same for a whole episode."""
    return init_obs[:, GOAL]


@observable(unit="m")
def object_distance(obs: Array, rightEndEffector_pos: Array, leftEndEffector_pos: Array) -> Array:  # noqa: N803
    """How far the place between the fingers is from object_position."""
    return np.asarray(
        np.linalg.norm(obs[:, OBJECT] - (rightEndEffector_pos + leftEndEffector_pos) / 2.0, axis=1)
    )


@observable(unit="m")
def object_goal_distance(obs: Array, init_obs: Array) -> Array:
    """How far object_position is from goal_position; what counts as done differs from task to task."""
    return np.asarray(np.linalg.norm(obs[:, OBJECT] - init_obs[:, GOAL], axis=1))


FITNESS = '''\
def fitness(info_success):
    """Share of the episode's steps at which the env calls it done: 0 never, near 1 soon and for good."""
    return info_success.mean()
'''

SUCCESS = '''\
def success(info_success):
    """Done at any step, as Meta-World counts it."""
    return float(info_success.any())
'''

PROGRESS = CLOSEST.format(gap="object_goal_distance", reach="object_distance")

REACH_PROGRESS = '''\
def progress(fingers_position, goal_position):
    """Minus the fingers' closest distance to the goal in the episode, m."""
    return -norm(fingers_position - goal_position).min()
'''

SPARSE = '''\
def compute_reward(info_success):
    """1 at every step at which the env calls it done."""
    return {"done": info_success}
'''


TEXTS = {
    "assembly": "Pick up the ring-shaped wrench and place it onto the peg.",
    "basketball": "Pick up the basketball and drop it through the hoop.",
    "bin-picking": "Grasp the object in one bin and place it in the other.",
    "box-close": "Grasp the lid and close the box with it.",
    "button-press-topdown": "Press the button from above.",
    "button-press-topdown-wall": "Press the button from above, past the wall in the way.",
    "button-press": "Press the button in from the front.",
    "button-press-wall": "Press the button in from the front, past the wall in the way.",
    "coffee-button": "Press the coffee machine's button.",
    "coffee-pull": "Pull the mug from the coffee machine to its goal.",
    "coffee-push": "Push the mug under the coffee machine, to its goal.",
    "dial-turn": "Turn the dial by half a turn.",
    "disassemble": "Pick the ring-shaped wrench up off the peg.",
    "door-close": "Push the open door shut.",
    "door-lock": "Lock the door by turning its lock.",
    "door-open": "Pull the door open by its handle.",
    "door-unlock": "Unlock the door by turning its lock.",
    "hand-insert": "Put the gripper into the hole in the table.",
    "drawer-close": "Push the drawer in.",
    "drawer-open": "Pull the drawer out by its handle.",
    "faucet-open": "Turn the faucet's handle to open it.",
    "faucet-close": "Turn the faucet's handle to close it.",
    "hammer": "Pick up the hammer and drive the screw into the box.",
    "handle-press-side": "Press the handle beside the box down.",
    "handle-press": "Press the handle down.",
    "handle-pull-side": "Pull the handle beside the box up.",
    "handle-pull": "Pull the handle up.",
    "lever-pull": "Pull the lever up by a quarter turn.",
    "pick-place-wall": "Pick up the puck, lift it over the wall and bring it to the goal.",
    "pick-out-of-hole": "Pick the puck out of the hole and bring it to the goal.",
    "pick-place": "Pick up the puck and bring it to the goal.",
    "plate-slide": "Slide the plate into the cabinet.",
    "plate-slide-side": "Slide the plate sideways into the cabinet.",
    "plate-slide-back": "Slide the plate back out of the cabinet.",
    "plate-slide-back-side": "Slide the plate sideways back out of the cabinet.",
    "peg-insert-side": "Pick up the peg and insert it sideways into the hole.",
    "peg-unplug-side": "Pull the peg sideways out of its hole.",
    "soccer": "Kick the ball into the goal.",
    "stick-push": "Grasp the stick and push the thermos with it to the goal.",
    "stick-pull": "Grasp the stick, hook the thermos by its handle and pull it to the goal.",
    "push": "Push the puck over the table to the goal.",
    "push-wall": "Push the puck round the wall to the goal.",
    "push-back": "Pull the puck back over the table to the goal.",
    "reach": "Bring the gripper's fingers to the goal.",
    "reach-wall": "Bring the gripper's fingers to the goal behind the wall.",
    "shelf-place": "Pick up the puck and place it on the shelf.",
    "sweep-into": "Sweep the puck into the hole in the table.",
    "sweep": "Sweep the puck off the table.",
    "window-open": "Push the window open.",
    "window-close": "Push the window shut.",
}


def task(name: str, text: str) -> Task:
    """By Meta-World's name for it."""
    program = REWARDS.get(name)
    return Task(
        name=f"metaworld-{name}",
        env_id="Meta-World/goal_observable",
        text=f"With the Sawyer arm's gripper: {text[0].lower()}{text[1:]}",
        fitness=FITNESS,
        success=SUCCESS,
        progress=REACH_PROGRESS if name.startswith("reach") else PROGRESS,
        sparse=SPARSE,
        human=program,
        human_source=f"Meta-World 3.0, {name}-v3, compute_reward, v2" if program else "",
        native=() if program else METHODS,
        env_kwargs={"env_name": f"{name}-v3", "seed": 0, "max_episode_steps": STEPS},
    )


def stated(task: Task) -> Vectorised | None:
    """The vectorised form of one of the fifty."""
    observed = OBSERVED.get(task.env_kwargs.get("env_name", "").removesuffix("-v3"))
    return vectorised(observed) if observed else None


DOMAIN = Domain(
    name="metaworld",
    env_id="Meta-World/goal_observable",
    observables=(
        hand_position,
        fingers_position,
        gripper_opening,
        object_position,
        goal_position,
        object_distance,
        object_goal_distance,
    ),
    tasks=tuple(task(name, text) for name, text in TEXTS.items()),
    hyperparameters={"ppo": {"n_envs": 1}, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(
        ppo="has no Meta-World: SB3's defaults", sac="has none either: HalfCheetah-v4"
    ),
    extra="metaworld",
    vectorised=stated,
    not_vectorised="Meta-World's stick-push asks whether two geoms touch, which no column holds",
    left_out=("info_near_object", "info_grasp_success", "info_obj_to_target"),
)
