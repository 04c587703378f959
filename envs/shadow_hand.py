"""Shadow Hand: 20 motors, 24 joints, palm up; reaches with its fingertips, turns things, spins a pen.

An action is where the motored joints should be; no pose ends an episode. The goal is in `desired_goal`: the
model's own marker of it, `target`, moves only when an image is rendered, so it is left out. Reaching is
batched; envs with an object in the hand step one at a time, see `NOT_VECTORISED`.

Model and native reward: gymnasium_robotics/envs/shadow_dexterous_hand/*.py, assets/hand/*.xml (1.4).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, DomainObservable, ObservableFunction, Vectorised, observable
from .rotations import rotation_distance, without_roll
from .zoo import FROM_REACH, GOALS, SAC_MUJOCO, cite

FINGERS, SPACE = 5, 3
PLACE, TURN = slice(0, 3), slice(3, 7)  # of an object's goal
CLOSE, PEN_CLOSE, TURNED = 0.01, 0.05, 0.1  # m, m, rad: below them the env calls a goal reached
LEAST_HEIGHT = 0.04  # m: below it the env calls an object fallen
MOST_DISTANCE = 0.15  # m from the palm's middle, beyond which a pen isn't held
LEAST_SPREAD = 0.3  # of the pen's length across the palm, below which its direction there means little


@observable(unit="m", shape=(FINGERS,))
def fingertip_distances(achieved_goal: Array, desired_goal: Array) -> Array:
    """How far each fingertip is from its goal: forefinger, middle, ring, little finger, thumb."""
    gaps = (achieved_goal - desired_goal).reshape(-1, FINGERS, SPACE)
    return np.asarray(np.linalg.norm(gaps, axis=2))


@observable(unit="m")
def goal_distance(achieved_goal: Array, desired_goal: Array) -> Array:
    """Root of the summed squares of fingertip_distances; below 0.01 counts as there."""
    return np.asarray(np.linalg.norm(achieved_goal - desired_goal, axis=1))


@observable(unit="m", frame="world", shape=(3,))
def object_position(achieved_goal: Array) -> Array:
    """Place of the object's middle."""
    return achieved_goal[:, PLACE]


@observable(unit="m", frame="world", shape=(3,))
def goal_position(desired_goal: Array) -> Array:
    """Place where the object's middle should be."""
    return desired_goal[:, PLACE]


@observable(unit="m")
def object_goal_distance(achieved_goal: Array, desired_goal: Array) -> Array:
    """How far the object's middle is from its goal; below 0.01 (the pen: 0.05) counts as there."""
    return np.asarray(np.linalg.norm((achieved_goal - desired_goal)[:, PLACE], axis=1))


@observable(unit="rad")
def rotation_error(achieved_goal: Array, desired_goal: Array) -> Array:
    """Angle between the object's orientation and its goal's as the env counts it: 0 to 2 pi, above pi the
    long way round. Below 0.1 counts as there.
    """
    return rotation_distance(achieved_goal[:, TURN], desired_goal[:, TURN])


@observable(unit="rad")
def pen_rotation_error(achieved_goal: Array, desired_goal: Array) -> Array:
    """Angle between the pen's orientation and its goal's as the env counts it: 0 to 2 pi, without its turn
    about z. Below 0.1 counts as there.
    """
    return rotation_distance(
        without_roll(achieved_goal[:, TURN], desired_goal[:, TURN]), desired_goal[:, TURN]
    )


@observable(unit="m", frame="world")
def object_height(object_pos: Array) -> Array:
    """Height of the object's middle; 0.15 in the hand, below 0.04 it is dropped."""
    return object_pos[:, 2]


@observable(unit="")
def pen_held(object_pos: Array, robot0_palm_pos: Array) -> Array:
    """1 while the pen's middle is within 15 cm of the palm's and above 4 cm, else 0."""
    near = np.linalg.norm(object_pos - robot0_palm_pos, axis=1) <= MOST_DISTANCE
    return np.asarray(near & (object_pos[:, 2] > LEAST_HEIGHT), dtype=np.float64)


@observable(unit="rad", frame="palm")
def pen_turned(
    object_up: Array,
    prev_object_up: Array,
    robot0_palm_forward: Array,
    robot0_palm_up: Array,
    prev_robot0_palm_forward: Array,
    prev_robot0_palm_up: Array,
) -> Array:
    """How far the pen turned in this step, flat over the palm; positive: anticlockwise seen from above it.
    0 while the pen stands upright on the palm, where it has no direction.
    """
    now = in_palm(object_up, robot0_palm_forward, robot0_palm_up)
    before = in_palm(prev_object_up, prev_robot0_palm_forward, prev_robot0_palm_up)
    cross = before[:, 0] * now[:, 1] - before[:, 1] * now[:, 0]
    flat = np.minimum(np.linalg.norm(now, axis=1), np.linalg.norm(before, axis=1)) >= LEAST_SPREAD
    return np.where(flat, np.arctan2(cross, (now * before).sum(axis=1)), 0.0)


def in_palm(vector: Array, forward: Array, up: Array) -> Array:
    """(N, 2) parts of a vector along the palm's own x and z axes: the palm's plane. Its y axis points out of
    the hand's back, so seen from the front x to z is anticlockwise.
    """
    return np.stack([(vector * forward).sum(axis=1), (vector * up).sum(axis=1)], axis=1)


def fingers_success(goal_distance: Array, time: Array) -> Array:
    """`info_is_success` of a step; `info` of a reset is empty."""
    return np.asarray((goal_distance < CLOSE) & (time > 0.0), np.float64)


def object_success(close: float, turn: DomainObservable) -> ObservableFunction:
    """The same of an object: position within `close` m, and orientation."""

    def is_success(achieved_goal: Array, desired_goal: Array, time: Array) -> Array:
        away = object_goal_distance.function(achieved_goal, desired_goal)
        turned = turn.function(achieved_goal, desired_goal)
        return np.asarray((away < close) & (turned < TURNED) & (time > 0.0), np.float64)

    return is_success


NOT_VECTORISED = (
    "a reset with a thing in the Shadow Hand leaves MuJoCo's solver as it is, so that the same seed's start "
    "depends on the episode before"
)


def joint_targets(action: Array, model__actuator_ctrlrange: Array) -> Mapping[str, Array]:
    """An action of 1 is the end of a motor's range, 0 its middle."""
    low, high = model__actuator_ctrlrange[..., 0], model__actuator_ctrlrange[..., 1]
    ctrl = (high + low) / 2.0 + action * (high - low) / 2.0
    return {"ctrl": np.clip(ctrl, low, high)}


def fingertips(
    robot0_S_fftip_pos: Array,  # noqa: N803 - the model's names
    robot0_S_mftip_pos: Array,  # noqa: N803
    robot0_S_rftip_pos: Array,  # noqa: N803
    robot0_S_lftip_pos: Array,  # noqa: N803
    robot0_S_thtip_pos: Array,  # noqa: N803
) -> Array:
    """MujocoHandReachEnv._get_achieved_goal: (N, 15)."""
    tips = [robot0_S_fftip_pos, robot0_S_mftip_pos, robot0_S_rftip_pos, robot0_S_lftip_pos]
    return np.concatenate([*tips, robot0_S_thtip_pos], axis=1)


REACH_VECTORISED = Vectorised(
    observation=lambda qpos, qvel, achieved_goal: np.concatenate([qpos, qvel, achieved_goal], axis=1),
    achieved_goal=fingertips,
    desired_goal=lambda goal: goal,
    info={"is_success": fingers_success},
    applied=joint_targets,
)


def domain(
    name: str,
    tasks: tuple[Task, ...],
    observables: tuple[DomainObservable, ...],
    success: ObservableFunction | None = None,
    vectorised: Vectorised | None = None,
) -> Domain:
    """One of the envs; those with a goal (`success` is given) are trained as Fetch is."""
    goal = success is not None
    return Domain(
        name=name,
        env_id=tasks[0].env_id,
        observables=observables,
        tasks=tasks,
        hyperparameters={"ppo": {"n_envs": 1}, "sac": GOALS if goal else SAC_MUJOCO},
        hyperparameters_source=cite(
            ppo="has no Shadow Hand env: SB3's defaults",
            sac="has none either: " + (f"FetchReach-v1's {FROM_REACH}" if goal else "HalfCheetah-v4"),
        ),
        extra="robotics",
        vectorised=vectorised,
        not_vectorised=NOT_VECTORISED,
        left_out=("target", "finger0", "finger1", "finger2", "finger3", "finger4"),
        hindsight={"info_is_success": success} if success else None,
    )


SOURCE = "Gymnasium-Robotics 1.4, {}, dense"

REACH = Task(
    name="hand-reach",
    env_id="HandReachDense-v3",
    text="Bring each of the Shadow Hand's five fingertips to its goal: mostly thumb and one finger meeting.",
    fitness='''\
HELD = 10  # steps, 0.4 s

def fitness(fingertip_distances):
    """Minus the fingertips' mean distance from their goals over the last 0.4 s, m."""
    return -fingertip_distances[-HELD:].mean()
''',
    success='''\
def success(goal_distance):
    """Ends with all fingertips together less than 1 cm off, as the env counts it."""
    return float(goal_distance[-1] < 0.01)
''',
    sparse='''\
def compute_reward(goal_distance):
    """-1 until the fingertips are at their goals: the env's own sparse reward."""
    return {"away": -np.where(goal_distance > 0.01, 1.0, 0.0)}
''',
    human='''\
def compute_reward(goal_distance, *, distance=1.0):
    """Fingertips close to their goals: the env's own dense reward."""
    return {"distance": -distance * goal_distance}
''',
    human_source=SOURCE.format("reach.py, BaseHandReachEnv.compute_reward"),
)

FITNESS = '''\
HELD = 10  # steps, 0.4 s
MOST = 0.2  # m: beyond it the object is lost, and it doesn't matter how far it fell

def fitness({turn}, object_goal_distance):
    """Over the last 0.4 s, minus how far it is from its goal, rad: 10 cm of place count as 1 rad of turn."""
    angle = np.minimum({turn}, 2 * np.pi - {turn})
    return -(angle + 10 * np.minimum(object_goal_distance, MOST))[-HELD:].mean()
'''

PROGRESS = '''\
HELD = 10  # steps, 0.4 s
MOST = 0.2  # m

def progress({turn}, object_goal_distance):
    """The fitness, and a tenth of the same over the whole episode: dropped later is better."""
    gap = np.minimum({turn}, 2 * np.pi - {turn}) + 10 * np.minimum(object_goal_distance, MOST)
    return -gap[-HELD:].mean() - 0.1 * gap.mean()
'''

SUCCESS = '''\
def success({turn}, object_goal_distance):
    """Ends within {close:g} m and 0.1 rad of its goal."""
    return float({turn}[-1] < 0.1 and object_goal_distance[-1] < {close:g})
'''

SPARSE = '''\
def compute_reward({turn}, object_goal_distance):
    """-1 until it is in place and turned right: the env's own sparse reward."""
    return {{"away": np.where(({turn} < 0.1) & (object_goal_distance < {close:g}), 0.0, -1.0)}}
'''

HUMAN = '''\
def compute_reward({turn}, object_goal_distance, *, place=10.0, turn=1.0):
    """In place and turned right: the env's own dense reward."""
    return {{"place": -place * object_goal_distance, "turn": -turn * {turn}}}
'''


def manipulate(thing: str, names: dict[str, object], aim: str) -> Task:
    """`names`: what the programs' texts leave open."""
    return Task(
        name=f"hand-{thing}",
        env_id=f"HandManipulate{thing.capitalize()}Dense-v1",
        text=f"Turn and move the {thing} in the Shadow Hand until it lies as its goal does{aim}.",
        fitness=FITNESS.format(**names),
        success=SUCCESS.format(**names),
        progress=PROGRESS.format(**names),
        sparse=SPARSE.format(**names),
        human=HUMAN.format(**names),
        human_source=SOURCE.format("manipulate.py, BaseManipulateEnv.compute_reward"),
    )


CLOSELY: dict[str, object] = {"turn": "rotation_error", "close": 0.01}

MANIPULATE = {
    "block": manipulate("block", CLOSELY, ""),
    "egg": manipulate("egg", CLOSELY, ""),
    "pen": manipulate("pen", {"turn": "pen_rotation_error", "close": 0.05}, "; its roll doesn't matter"),
}

SPIN = Task(
    name="hand-spin-pen",
    env_id="HandManipulatePenRotate-v1",
    text=(
        "Spin the pen on the Shadow Hand: turn it round and round flat over the palm, always the same way, "
        "as many whole turns as possible, without dropping it."
    ),
    fitness='''\
def fitness(pen_turned, pen_held):
    """Whole turns flat over the palm before the pen is dropped, whichever way; turning back takes off."""
    return np.abs((pen_turned * np.cumprod(pen_held)).sum()) / (2 * np.pi)
''',
    success='''\
def success(pen_turned, pen_held):
    """A whole turn or more, and the pen is never dropped."""
    return float(np.abs(pen_turned.sum()) >= 2 * np.pi and pen_held.all())
''',
    sparse='''\
def compute_reward(pen_turned, pen_held):
    """Turning anticlockwise in the hand, in turns, and nothing else."""
    return {"turn": pen_turned / (2 * np.pi) * pen_held}
''',
    env_kwargs={"max_episode_steps": 250},  # 10 s
)

OBJECT = (object_position, goal_position, object_goal_distance)

DOMAINS = (
    domain("handreach", (REACH,), (fingertip_distances, goal_distance), fingers_success, REACH_VECTORISED),
    *(
        domain(
            f"hand{thing}",
            (task,),
            (*OBJECT, rotation_error, object_height),
            object_success(CLOSE, rotation_error),
        )
        for thing, task in MANIPULATE.items()
        if thing != "pen"
    ),
    domain(
        "handpen",
        (MANIPULATE["pen"],),
        (*OBJECT, pen_rotation_error, object_height),
        object_success(PEN_CLOSE, pen_rotation_error),
    ),
    domain("handspin", (SPIN,), (pen_turned, pen_held, object_height)),
)
