"""Mazes: a ball (PointMaze) or Gymnasium's ant (AntMaze) goes to a goal, in a U or a larger maze.

Start and goal are drawn at every reset; no pose ends an episode, and the goal stays when it is reached.

Maps, sizes and native reward: gymnasium_robotics/envs/maze/*.py (1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eureka_loop.records import Array, Task

from . import ant
from .domain import Domain, DomainObservable, ObservableFunction, Vectorised, observable, place_info
from .maze_paths import MEDIUM, Maze, U
from .zoo import HER, SAC_MUJOCO, cite

POINT, ANT = 1.0, 4.0  # m, a cell's side
MAX_SPEED = 5.0  # m/s, the ball
MARKERS = {"Point": 0.2, "Ant": 1.0}  # m, height of the goal's marker: half the walls'
CLOSE = 0.45  # m from the goal, within which the env calls it reached


@observable(unit="m", frame="world", shape=(2,))
def place(achieved_goal: Array) -> Array:
    """Where it is on the floor: x and y."""
    return achieved_goal


@observable(unit="m", frame="world", shape=(2,))
def goal_place(desired_goal: Array) -> Array:
    """Where it should go: x and y."""
    return desired_goal


@observable(unit="m")
def goal_distance(achieved_goal: Array, desired_goal: Array) -> Array:
    """Distance from the goal as the crow flies, through walls; within 0.45 counts as there."""
    return np.asarray(np.linalg.norm(achieved_goal - desired_goal, axis=1))


def way_left(maze: Maze) -> DomainObservable:
    """Make the observable of the path's length."""

    def way_left(achieved_goal: Array, desired_goal: Array) -> Array:
        """Length of the way to the goal round the walls, along the middle of the corridors."""
        return maze.path_length(achieved_goal, desired_goal)

    return observable(unit="m")(way_left)


def next_turn(maze: Maze) -> DomainObservable:
    """Make the observable of the path's next corner."""

    def next_turn(achieved_goal: Array, desired_goal: Array) -> Array:
        """Vector to where the way to the goal leads next: a corridor's middle, or the goal itself."""
        return maze.next_corner(achieved_goal, desired_goal) - achieved_goal

    return observable(unit="m", frame="world", shape=(2,))(next_turn)


@observable(unit="", frame="world")
def torso_upright(torso_up: Array) -> Array:
    """How upright the ant's torso is: 1 level, 0 on its side, -1 on its back."""
    return torso_up[:, 2]


def success(goal_distance: Array) -> Array:
    """`info` of a step and of a reset."""
    return np.asarray(goal_distance <= CLOSE, np.float64)


def marker(height: float) -> ObservableFunction:
    """Position of the env's marker."""

    def target_pos(desired_goal: Array) -> Array:
        return np.insert(desired_goal, 2, height, axis=1)

    return target_pos


FITNESS = '''\
HELD = 20  # steps

def fitness(way_left):
    """Minus the mean length of way left to the goal over the last 20 steps, m."""
    return -way_left[-HELD:].mean()
'''

SUCCESS = '''\
def success(goal_distance):
    """Comes within 45 cm of the goal at any time."""
    return float((goal_distance <= 0.45).any())
'''

PROGRESS = '''\
def progress(way_left):
    """Minus the least way left to the goal at any time, m."""
    return -way_left.min()
'''

SPARSE = '''\
def compute_reward(goal_distance):
    """1 while it is within 45 cm of the goal: the env's own sparse reward."""
    return {"there": np.where(goal_distance <= 0.45, 1.0, 0.0)}
'''

HUMAN = '''\
def compute_reward(goal_distance, *, near=1.0):
    """Near the goal as the crow flies: the env's own dense reward."""
    return {"near": near * np.exp(-goal_distance)}
'''


def clip_speed(action: Array, qvel: Array) -> Mapping[str, Array]:
    """PointEnv.step: the ball's speed is bounded before each step."""
    return {"ctrl": np.clip(action, -1.0, 1.0), "qvel": np.clip(qvel, -MAX_SPEED, MAX_SPEED)}


POINT_VECTORISED = Vectorised(
    observation=lambda qpos, qvel: np.concatenate([qpos, qvel], axis=1),
    achieved_goal=lambda qpos: qpos[:, :2],
    desired_goal=lambda goal: goal,
    info={"success": success},
    applied=clip_speed,
    varied=("site_pos",),
)
ANT_VECTORISED = replace(
    POINT_VECTORISED,
    observation=ant.policy_observation,
    info={
        **POINT_VECTORISED.info,
        **place_info(ant.ROOT_PLANE),
        "x_velocity": ant.forward_velocity.function,
        "y_velocity": ant.sideways_velocity.function,
    },
    applied=None,
)


def domain(agent: str, shape: str, maze: Maze, version: str) -> Domain:
    """One of the four, by agent ("Point", "Ant") and shape ("UMaze", "Medium")."""
    robot = {"Point": "ball", "Ant": "four-legged ant"}[agent]
    task = Task(
        name=f"{agent.lower()}maze-{shape.lower()}",
        env_id=f"{agent}Maze_{shape}Dense-{version}",
        text=f"Bring the {robot} through the maze to the goal, round the walls, and stay there.",
        fitness=FITNESS,
        success=SUCCESS,
        progress=PROGRESS,
        sparse=SPARSE,
        human=HUMAN,
        human_source="Gymnasium-Robotics 1.4, maze_v4.py, MazeEnv.compute_reward, dense",
    )
    own = (torso_upright,) if agent == "Ant" else ()
    return Domain(
        name=task.name.replace("-", ""),
        env_id=task.env_id,
        observables=(place, goal_place, goal_distance, way_left(maze), next_turn(maze), *own),
        tasks=(task,),
        hyperparameters={"ppo": {"n_envs": 1}, "sac": {**SAC_MUJOCO, **HER}},
        hyperparameters_source=cite(
            ppo="has no maze: SB3's defaults", sac="has none either: Ant-v4, FetchReach-v1's hindsight"
        ),
        extra="robotics",
        vectorised=ANT_VECTORISED if agent == "Ant" else POINT_VECTORISED,
        hindsight={"info_success": success, "target_pos": marker(MARKERS[agent])},
    )


DOMAINS = (
    domain("Point", "UMaze", Maze(U, POINT), "v3"),
    domain("Point", "Medium", Maze(MEDIUM, POINT), "v3"),
    domain("Ant", "UMaze", Maze(U, ANT), "v5"),
    domain("Ant", "Medium", Maze(MEDIUM, ANT), "v5"),
)
