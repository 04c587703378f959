"""Adroit: a 24-joint hand on an arm; opens a door, drives a nail, turns a pen, carries a ball.

No pose ends an episode (200 steps of 10 ms). Batched: actions are rescaled for all copies at once, and each
copy has its own positions of door, board and targets, which a reset moves in the model.

Model and native reward: gymnasium_robotics/envs/adroit_hand/adroit_*.py, assets/adroit_hand/*.xml (1.4). The
native rewards of door, hammer and relocate pay for a palm far from its object: a slip of that version, kept.
"""

from __future__ import annotations

import numpy as np

from eureka_loop.records import Array, Task

from . import adroit_vectorised as vectorised
from .domain import CLOSEST, Domain, DomainObservable, Vectorised, observable
from .zoo import SAC_MUJOCO, cite


@observable(unit="rad", frame="door frame")
def door_angle(door_hinge_angle: Array) -> Array:
    """How far the door is open; 0 shut, positive: open, 1.57 at a right angle."""
    return door_hinge_angle


@observable(unit="rad", frame="door")
def latch_turned(latch_angle: Array) -> Array:
    """How far the handle is turned down; 0 at rest; the door opens from about 0.8 on."""
    return latch_angle


@observable(unit="m")
def handle_distance(S_grasp_pos: Array, S_handle_pos: Array) -> Array:  # noqa: N803 - the model's names
    """How far the palm is from the door's handle."""
    return np.asarray(np.linalg.norm(S_grasp_pos - S_handle_pos, axis=1))


@observable(unit="m")
def nail_left(S_target_pos: Array, nail_goal_pos: Array) -> Array:  # noqa: N803
    """How far the nail still stands out of the board; below 0.01 counts as driven in."""
    return np.asarray(np.linalg.norm(S_target_pos - nail_goal_pos, axis=1))


@observable(unit="m")
def hammer_distance(S_grasp_pos: Array, Object_pos: Array) -> Array:  # noqa: N803
    """How far the palm is from the hammer."""
    return np.asarray(np.linalg.norm(S_grasp_pos - Object_pos, axis=1))


@observable(unit="m")
def head_distance(tool_pos: Array, S_target_pos: Array) -> Array:  # noqa: N803
    """How far the hammer's head is from the nail's."""
    return np.asarray(np.linalg.norm(tool_pos - S_target_pos, axis=1))


@observable(unit="m", frame="world")
def hammer_height(Object_pos: Array) -> Array:  # noqa: N803
    """Height of the hammer; above 0.04 it is lifted."""
    return Object_pos[:, 2]


@observable(unit="m")
def pen_distance(Object_pos: Array, eps_ball_pos: Array) -> Array:  # noqa: N803
    """How far the pen's middle is from where it should float in the hand; below 0.075 counts as there."""
    return np.asarray(np.linalg.norm(Object_pos - eps_ball_pos, axis=1))


@observable(unit="")
def pen_alignment(
    object_top_pos: Array,
    object_bottom_pos: Array,
    target_top_pos: Array,
    target_bottom_pos: Array,
    init_object_top_pos: Array,
    init_object_bottom_pos: Array,
    init_target_top_pos: Array,
    init_target_bottom_pos: Array,
) -> Array:
    """Cosine of the angle between the pen and its target; 1 the same way, 0 across, -1 the other way."""
    pen, target = object_top_pos - object_bottom_pos, target_top_pos - target_bottom_pos
    pen_length = np.linalg.norm(init_object_top_pos - init_object_bottom_pos, axis=1)
    target_length = np.linalg.norm(init_target_top_pos - init_target_bottom_pos, axis=1)
    return np.asarray((pen * target).sum(axis=1) / (pen_length * target_length))


@observable(unit="m", frame="world")
def pen_height(Object_pos: Array) -> Array:  # noqa: N803
    """Height of the pen's middle; below 0.075 it is dropped."""
    return Object_pos[:, 2]


@observable(unit="m")
def ball_distance(S_grasp_pos: Array, Object_pos: Array) -> Array:  # noqa: N803
    """How far the palm is from the ball."""
    return np.asarray(np.linalg.norm(S_grasp_pos - Object_pos, axis=1))


@observable(unit="m")
def ball_to_target(Object_pos: Array, target_pos: Array) -> Array:  # noqa: N803
    """How far the ball is from its target in the air; below 0.1 counts as there."""
    return np.asarray(np.linalg.norm(Object_pos - target_pos, axis=1))


@observable(unit="m")
def palm_to_target(S_grasp_pos: Array, target_pos: Array) -> Array:  # noqa: N803
    """How far the palm is from the ball's target."""
    return np.asarray(np.linalg.norm(S_grasp_pos - target_pos, axis=1))


@observable(unit="m", frame="world")
def ball_height(Object_pos: Array) -> Array:  # noqa: N803
    """Height of the ball's middle; above 0.04 it is off the table."""
    return Object_pos[:, 2]


DOOR = Task(
    name="adroit-door",
    env_id="AdroitHandDoor-v1",
    text="Turn the door's handle with the Adroit hand and pull the door wide open.",
    fitness='''\
HELD = 10  # steps, 0.1 s

def fitness(door_angle):
    """How far the door is open over the last 0.1 s, rad."""
    return door_angle[-HELD:].mean()
''',
    success='''\
def success(door_angle):
    """Ends at least 1.35 rad (77 degrees) open."""
    return float(door_angle[-1] >= 1.35)
''',
    progress='''\
def progress(door_angle, latch_turned, handle_distance):
    """The widest that the door opens, rad; a tenth of the latch's turn; the palm's distance, m."""
    return door_angle.max() + 0.1 * latch_turned.max() - 0.1 * handle_distance.min()
''',
    sparse='''\
def compute_reward(door_angle):
    """10 while the door is open, else -0.1: the env's own sparse reward."""
    return {"open": np.where(door_angle >= 1.35, 10.0, -0.1)}
''',
    human='''\
def compute_reward(
    handle_distance, door_angle, qvel, *, reach=0.1, swing=0.1, calm=1e-5, ajar=2.0, half=8.0, wide=10.0
):
    """Door open, in three stages; little motion. (It pays for a hand far off, as the env does.)"""
    return {
        "reach": reach * handle_distance,
        "swing": -swing * np.square(door_angle - 1.57),
        "calm": -calm * np.square(qvel).sum(axis=1),
        "ajar": ajar * (door_angle > 0.2),
        "half": half * (door_angle > 1.0),
        "wide": wide * (door_angle > 1.35),
    }
''',
    human_source="Gymnasium-Robotics 1.4, adroit_door.py, AdroitHandDoorEnv.step, dense",
)

HAMMER = Task(
    name="adroit-hammer",
    env_id="AdroitHandHammer-v1",
    text="Pick up the hammer with the Adroit hand and drive the nail into the board.",
    fitness='''\
def fitness(nail_left, init_nail_left):
    """How far the nail is driven in at the end, m."""
    return init_nail_left[-1] - nail_left[-1]
''',
    success='''\
def success(nail_left):
    """Less than 1 cm of the nail is left at the end."""
    return float(nail_left[-1] < 0.01)
''',
    progress='''\
def progress(nail_left, head_distance, hammer_distance):
    """Minus the least of the nail that is left, m, and a tenth of head from nail and palm from hammer."""
    return -nail_left.min() - 0.1 * (head_distance.min() + hammer_distance.min())
''',
    sparse='''\
def compute_reward(nail_left):
    """10 while the nail is in, else -0.1: the env's own sparse reward."""
    return {"driven": np.where(nail_left < 0.01, 10.0, -0.1)}
''',
    human='''\
def compute_reward(
    hammer_distance, head_distance, nail_left, qvel, hammer_height, tool_pos, *,
    reach=0.1, strike=1.0, drive=10.0, calm=1e-2, lift=2.0, near=25.0, driven=75.0,
):
    """Head at the nail, nail in, hammer lifted. (It pays for a hand far off, as the env does.)"""
    lifted = (hammer_height > 0.04) & (tool_pos[:, 2] > 0.04)
    return {
        "reach": reach * hammer_distance,
        "strike": -strike * head_distance,
        "drive": -drive * nail_left,
        "calm": -calm * norm(qvel),
        "lift": lift * lifted,
        "near": near * (nail_left < 0.02),
        "driven": driven * (nail_left < 0.01),
    }
''',
    human_source="Gymnasium-Robotics 1.4, adroit_hammer.py, AdroitHandHammerEnv.step, dense",
)

PEN = Task(
    name="adroit-pen",
    env_id="AdroitHandPen-v1",
    text="Turn the pen in the Adroit hand until it points as the target does, without dropping it.",
    fitness='''\
HELD = 10  # steps, 0.1 s

def fitness(pen_alignment, pen_distance):
    """How well the pen points as the target over the last 0.1 s, from -1 to 1; out of the hand it is -1."""
    return np.where(pen_distance < 0.075, pen_alignment, -1.0)[-HELD:].mean()
''',
    success='''\
def success(pen_alignment, pen_distance):
    """Ends in the hand, less than 18 degrees off the target."""
    return float(pen_alignment[-1] > 0.95 and pen_distance[-1] < 0.075)
''',
    progress='''\
HELD = 10  # steps, 0.1 s

def progress(pen_alignment, pen_distance):
    """The fitness, and a tenth of the same over the whole episode: dropped later is better."""
    aligned = np.where(pen_distance < 0.075, pen_alignment, -1.0)
    return aligned[-HELD:].mean() + 0.1 * aligned.mean()
''',
    sparse='''\
def compute_reward(pen_alignment, pen_distance):
    """10 while the pen points as the target does, else -0.1: the env's own sparse reward."""
    return {"there": np.where((pen_alignment > 0.95) & (pen_distance < 0.075), 10.0, -0.1)}
''',
    human='''\
def compute_reward(
    pen_alignment, pen_distance, pen_height, *, stay=1.0, align=1.0, close=10.0, there=50.0, drop=5.0
):
    """Pen in the hand, pointing as the target does."""
    held = pen_distance < 0.075
    return {
        "stay": -stay * pen_distance,
        "align": align * pen_alignment,
        "close": close * (held & (pen_alignment > 0.9)),
        "there": there * (held & (pen_alignment > 0.95)),
        "drop": -drop * (pen_height < 0.075),
    }
''',
    human_source="Gymnasium-Robotics 1.4, adroit_pen.py, AdroitHandPenEnv.step, dense",
)

RELOCATE = Task(
    name="adroit-relocate",
    env_id="AdroitHandRelocate-v1",
    text="Grasp the ball with the Adroit hand and carry it to the target in the air.",
    fitness='''\
HELD = 10  # steps, 0.1 s

def fitness(ball_to_target):
    """Minus the ball's mean distance from the target over the last 0.1 s, m."""
    return -ball_to_target[-HELD:].mean()
''',
    success='''\
def success(ball_to_target):
    """Ends within 10 cm of the target."""
    return float(ball_to_target[-1] < 0.1)
''',
    progress=CLOSEST.format(gap="ball_to_target", reach="ball_distance"),
    sparse='''\
def compute_reward(ball_to_target):
    """10 while the ball is at the target, else -0.1: the env's own sparse reward."""
    return {"there": np.where(ball_to_target < 0.1, 10.0, -0.1)}
''',
    human='''\
def compute_reward(
    ball_distance, ball_to_target, palm_to_target, ball_height, *,
    reach=0.1, lift=1.0, carry=0.5, near=10.0, there=20.0,
):
    """Ball off the table and to the target. (It pays for a hand far off, as the env does.)"""
    lifted = ball_height > 0.04
    return {
        "reach": reach * ball_distance,
        "lift": lift * lifted,
        "carry": -carry * lifted * (palm_to_target + ball_to_target),
        "near": near * (ball_to_target < 0.1),
        "there": there * (ball_to_target < 0.05),
    }
''',
    human_source="Gymnasium-Robotics 1.4, adroit_relocate.py, AdroitHandRelocateEnv.step, dense",
)


def domain(task: Task, observables: tuple[DomainObservable, ...], vectorised: Vectorised) -> Domain:
    """All four are trained alike."""
    return Domain(
        name=task.name.replace("-", ""),
        env_id=task.env_id,
        observables=observables,
        tasks=(task,),
        hyperparameters={"ppo": {"n_envs": 1}, "sac": SAC_MUJOCO},
        hyperparameters_source=cite(
            ppo="has no Adroit env: SB3's defaults", sac="has none either: HalfCheetah-v4"
        ),
        extra="robotics",
        vectorised=vectorised,
    )


DOMAINS = (
    domain(DOOR, (door_angle, latch_turned, handle_distance), vectorised.DOOR),
    domain(HAMMER, (nail_left, hammer_distance, head_distance, hammer_height), vectorised.HAMMER),
    domain(PEN, (pen_distance, pen_alignment, pen_height), vectorised.PEN),
    domain(RELOCATE, (ball_distance, ball_to_target, palm_to_target, ball_height), vectorised.RELOCATE),
)
