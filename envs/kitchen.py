"""FrankaKitchen: a seven-joint arm with a gripper in a kitchen, with things to open, turn and move.

An action is a speed for each joint. The env would end an episode once its tasks are done; here it goes on, so
that a state counts that lasts. Observations are noisy, and the next command starts from the noisy joint
positions: the envs step one at a time. Its own reward is 1 for each task done; no dense one is published, so
there is no hand-written reward.

Model, goals and thresholds: gymnasium_robotics/envs/franka_kitchen/kitchen_env.py (1.4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eureka_loop.records import Array, Task

from .domain import Domain, DomainObservable, observable
from .zoo import SAC_MUJOCO, cite

CLOSE = 0.3  # of each distance: the env calls the element done


class Element(NamedTuple):
    """An element of the kitchen: its site, its part of qpos, the goal of these, the task's text, meaning."""

    name: str
    site: str
    places: slice
    goal: tuple[float, ...]
    text: str
    meaning: str


ELEMENTS = {
    "microwave": Element(
        "microwave",
        "microhandle_site",
        slice(22, 23),
        (-0.75,),
        "Open the microwave's door with the arm.",
        "door's hinge, rad",
    ),
    "kettle": Element(
        "kettle",
        "kettle_site",
        slice(23, 30),
        (-0.23, 0.75, 1.62, 0.99, 0.0, 0.0, -0.06),
        "Move the kettle to the stove's other side with the arm, upright.",
        "place, m, and orientation, a quaternion",
    ),
    "light switch": Element(
        "light_switch",
        "light_site",
        slice(17, 19),
        (-0.69, -0.05),
        "Turn on the light above the stove with the arm: push its switch over.",
        "switch, rad, and its lamp",
    ),
    "slide cabinet": Element(
        "slide_cabinet",
        "slide_site",
        slice(19, 20),
        (0.37,),
        "Slide the cabinet's door open with the arm, to the right.",
        "door, m",
    ),
    "hinge cabinet": Element(
        "hinge_cabinet",
        "hinge_site2",
        slice(20, 22),
        (0.0, 1.45),
        "Open the right door of the hinged cabinet with the arm.",
        "both doors, rad",
    ),
    "top burner": Element(
        "top_burner",
        "knob4_site",
        slice(15, 17),
        (-0.92, -0.01),
        "Turn the knob of the top left burner with the arm.",
        "knob, rad, and its flame",
    ),
    "bottom burner": Element(
        "bottom_burner",
        "knob2_site",
        slice(11, 13),
        (-0.88, -0.01),
        "Turn the knob of the bottom left burner with the arm.",
        "knob, rad, and its flame",
    ),
}
"""By the env's names for them."""


def distance_of(element: Element) -> DomainObservable:
    """Make the observable of an element's distance from its goal."""

    def distance(qpos: Array) -> Array:
        return np.asarray(np.linalg.norm(qpos[:, element.places] - element.goal, axis=1))

    distance.__name__ = f"{element.name}_distance"
    distance.__doc__ = (
        f"How far the {element.name.replace('_', ' ')} is from where it should be ({element.meaning}); "
        f"below {CLOSE} the env calls it done."
    )
    return observable(unit="rad or m")(distance)


@observable(unit="m", frame="world", shape=(3,))
def hand_position(end_effector_pos: Array) -> Array:
    """Place between the gripper's fingers."""
    return end_effector_pos


FITNESS = '''\
HELD = 10  # steps, 0.8 s

def fitness({name}_distance, init_{name}_distance):
    """Share of the way done, over the last 0.8 s: 1 where it should be, 0 as at the start."""
    return 1 - {name}_distance[-HELD:].mean() / init_{name}_distance[0]
'''

SUCCESS = '''\
CLOSE = {close}

def success({name}_distance):
    """Ends as close as the env asks for."""
    return float({name}_distance[-1] < CLOSE)
'''

PROGRESS = '''\
def progress({gaps}, {starts}, hand_position, {places}):
    """Most of the way done at any time, as a share; minus a tenth of the hand's closest distance, m."""
    done = [1 - gap.min() / start[0] for gap, start in zip(({gaps},), ({starts},))]
    return sum(done) - 0.1 * sum([norm(hand_position - place).min() for place in ({places},)])
'''

SPARSE = '''\
CLOSE = {close}

def compute_reward({name}_distance):
    """1 while it is done: the env's own reward."""
    return {{"done": np.where({name}_distance < CLOSE, 1.0, 0.0)}}
'''


def settings(*elements: str) -> dict[str, object]:
    """Arguments for an env with these elements to move and episodes of full length."""
    return {
        "tasks_to_complete": list(elements),
        "terminate_on_tasks_completed": False,
        "remove_task_when_completed": False,
    }


def progress(*elements: Element) -> str:
    """The progress program of a task with these elements."""
    gaps, places = [f"{each.name}_distance" for each in elements], [f"{each.site}_pos" for each in elements]
    starts = [f"init_{gap}" for gap in gaps]
    return PROGRESS.format(gaps=", ".join(gaps), starts=", ".join(starts), places=", ".join(places))


def single(key: str, element: Element) -> Task:
    """The task of one element."""
    return Task(
        name=f"kitchen-{element.name.replace('_', '-')}",
        env_id="FrankaKitchen-v1",
        text=element.text,
        fitness=FITNESS.format(name=element.name),
        success=SUCCESS.format(name=element.name, close=CLOSE),
        progress=progress(element),
        sparse=SPARSE.format(name=element.name, close=CLOSE),
        env_kwargs=settings(key),
    )


IN_FOUR = ("microwave", "kettle", "light switch", "slide cabinet")
FOUR = Task(
    name="kitchen-four",
    env_id="FrankaKitchen-v1",
    text=(
        "With the arm, open the microwave's door, move the kettle to the stove's other side, turn on the "
        "light and slide the cabinet's door open, in any order."
    ),
    fitness='''\
CLOSE = 0.3

def fitness(microwave_distance, kettle_distance, light_switch_distance, slide_cabinet_distance):
    """How many of the four are done at the end; of the others, half the share of the way."""
    gaps = (microwave_distance, kettle_distance, light_switch_distance, slide_cabinet_distance)
    shares = [0.5 * np.clip(1 - gap[-1] / gap[0], 0.0, 1.0) for gap in gaps]
    return sum([1.0 if gap[-1] < CLOSE else share for gap, share in zip(gaps, shares)])
''',
    success='''\
CLOSE = 0.3

def success(microwave_distance, kettle_distance, light_switch_distance, slide_cabinet_distance):
    """All four are done at the end."""
    gaps = (microwave_distance, kettle_distance, light_switch_distance, slide_cabinet_distance)
    return float(all([gap[-1] < CLOSE for gap in gaps]))
''',
    sparse='''\
CLOSE = 0.3

def compute_reward(microwave_distance, kettle_distance, light_switch_distance, slide_cabinet_distance):
    """1 a thing done: the env's own reward."""
    return {
        "microwave": np.where(microwave_distance < CLOSE, 1.0, 0.0),
        "kettle": np.where(kettle_distance < CLOSE, 1.0, 0.0),
        "light": np.where(light_switch_distance < CLOSE, 1.0, 0.0),
        "cabinet": np.where(slide_cabinet_distance < CLOSE, 1.0, 0.0),
    }
''',
    progress=progress(*(ELEMENTS[key] for key in IN_FOUR)),
    env_kwargs=settings(*IN_FOUR),
)

DOMAIN = Domain(
    name="kitchen",
    env_id="FrankaKitchen-v1",
    observables=(hand_position, *(distance_of(element) for element in ELEMENTS.values())),
    tasks=(*(single(key, element) for key, element in ELEMENTS.items()), FOUR),
    hyperparameters={"ppo": {"n_envs": 1}, "sac": SAC_MUJOCO},
    hyperparameters_source=cite(ppo="has no kitchen: SB3's defaults", sac="has none either: HalfCheetah-v4"),
    extra="robotics",
    not_vectorised="the kitchen's env draws noise at every step, and its command starts from noisy positions",
)
