"""A task done well by a scripted policy scores higher than random actions and than standing still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
import pytest

from eureka_loop.envs.kitchen import ELEMENTS
from eureka_loop.envs.maze_paths import MEDIUM, Maze, U
from eureka_loop.envs.registry import find_task, installed, suites
from eureka_loop.envs.rotations import euler_of, quat_of, rotation_distance, without_roll
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.fork_server import ForkServer

needs_robotics = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")

Policy = Callable[[Any, int], Array]


def balance_pole(env: Any, _: int) -> Array:
    x, angle, speed, turning = *env.data.qpos, *env.data.qvel
    return np.array([20 * angle + 3 * turning + 0.5 * x + speed])


def balance_two_poles(env: Any, _: int) -> Array:
    """Linear-quadratic regulator about the upright."""
    gain = np.array([0.213, 1.813, 5.569, 0.315, 0.902, 0.848])
    return np.array([-gain @ [*env.data.qpos, *env.data.qvel]])


def pull(env: Any, body: str, way: Array, motors: int, damping: float) -> Array:
    """Joint motion (damped least squares) that carries a body some way."""
    jacobian = np.zeros((3, env.model.nv))
    mujoco.mj_jacBody(env.model, env.data, jacobian, None, env.model.body(body).id)
    jacobian = jacobian[:, :motors]
    return np.asarray(jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + damping * np.eye(3), way))


def reach(env: Any, _: int) -> Array:
    way = env.get_body_com("target") - env.get_body_com("fingertip")
    return pull(env, "fingertip", way, 2, damping=1e-3) - 0.1 * env.data.qvel[:2]


def push(env: Any, step: int) -> Array:
    """Get behind the object, then through it towards the goal."""
    thing, hand = env.get_body_com("object"), env.get_body_com("tips_arm")
    course = env.get_body_com("goal") - thing
    course = course * [1, 1, 0] / np.linalg.norm(course[:2])
    behind = 0.214 if step < 40 else 0.025
    way = thing - behind * course - hand
    return 16.1 * pull(env, "tips_arm", way, 7, damping=0.013) - 0.675 * env.data.qvel[:7]


def put(env: Any, joint: str, value: Any) -> None:
    """Set a joint; everything else goes on moving."""
    start = env.model.joint(joint).qposadr[0]
    env.data.qpos[start : start + np.size(value)] = value
    dof = env.model.joint(joint).dofadr[0]
    env.data.qvel[dof : dof + min(np.size(value), 6)] = 0.0


def still(env: Any) -> Array:
    return np.zeros(env.action_space.shape)


def to_goal(env: Any, _: int) -> Array:
    """Fetch: the gripper straight to the goal."""
    offset = env.goal - env.data.site("robot0:grip").xpos
    return np.array([*(10.0 * offset), 0.0])


def carried(joint: str, *turn: float) -> Policy:
    """The object is where its goal is."""

    def policy(env: Any, _: int) -> Array:
        put(env, joint, [*env.goal, *turn])
        return still(env)

    return policy


CARRIED_BLOCK, CARRIED_OBJECT = carried("object0:joint", 1.0, 0.0, 0.0, 0.0), carried("object:joint")


def held_at(**joints: float) -> Policy:
    def policy(env: Any, _: int) -> Array:
        for joint, value in joints.items():
            put(env, joint.replace("__", " "), value)
        return still(env)

    return policy


def arranged(*elements: str) -> Policy:
    """Kitchen: these elements are at their goals."""

    def policy(env: Any, _: int) -> Array:
        for element in elements:
            env.data.qpos[ELEMENTS[element].places] = ELEMENTS[element].goal
        return still(env)

    return policy


def pen_on_target(env: Any, _: int) -> Array:
    """Adroit's pen, turned by its three hinges the way the target is."""
    env.model.body_quat[env.target_obj_body_id] = env.model.body_quat[env.obj_body_id]
    for joint in ("OBJRx", "OBJRy", "OBJRz"):
        put(env, joint, 0.0)
    return still(env)


def ball_on_target(env: Any, _: int) -> Array:
    place = env.data.site_xpos[env.target_obj_site_id] - env.model.body_pos[env.obj_body_id]
    for joint, value in zip(("OBJTx", "OBJTy", "OBJTz"), place, strict=True):
        put(env, joint, value)
    return still(env)


def fingers_to_goals(env: Any, step: int) -> Array:
    """Shadow Hand: from where the joints are, the motors' aims follow what brings the fingertips nearer (damped
    least squares).
    """
    sites = [env.model.site(f"robot0:S_{finger}tip").id for finger in ("ff", "mf", "rf", "lf", "th")]
    tips = np.zeros((len(sites), 3, env.model.nv))
    for tip, site in zip(tips, sites, strict=True):
        mujoco.mj_jacSite(env.model, env.data, tip, None, site)
    motored = env.model.jnt_dofadr[env.model.actuator_trnid[:, 0]]
    jacobian = tips.reshape(-1, env.model.nv)[:, motored]
    gap = env.goal - env.data.site_xpos[sites].ravel()
    move = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-3 * np.eye(len(gap)), gap)
    aims = (env.data.ctrl if step else env.data.actuator_length) + 0.3 * move
    low, high = env.model.actuator_ctrlrange.T
    return np.asarray((2 * aims - low - high) / (high - low))


def through(maze: Maze) -> Policy:
    """Along the way to the goal; an ant is carried."""

    def policy(env: Any, _: int) -> Array:
        here = env.data.qpos[:2].copy()
        ahead = maze.next_corner(here[None], env.goal[None])[0] - here
        if env.model.nq == 2:
            return 10.0 * ahead - 2.0 * env.data.qvel
        env.data.qpos[:2] = here + ahead * min(1.0, 0.4 / max(float(np.linalg.norm(ahead)), 1e-6))
        return still(env)

    return policy


def spun(env: Any, step: int) -> Array:
    """The pen turned anticlockwise about the vertical, above the palm, two turns in ten seconds."""
    half = 2 * np.pi * step / 250
    cosine, sine = np.cos(half) / np.sqrt(2), np.sin(half) / np.sqrt(2)
    quat = [cosine, -sine, cosine, sine]  # laid flat along x, then turned
    put(env, "object:joint", [1.0, 0.88, 0.2, *quat])
    return still(env)


SCRIPTED: dict[str, Policy] = {  # of Gymnasium's envs
    "reacher-reach": reach,
    "pusher-push": push,
    "invertedpendulum-balance": balance_pole,
    "inverteddoublependulum-balance": balance_two_poles,
}

DONE: dict[str, Policy] = {
    "fetch-reach": to_goal,
    "fetch-push": CARRIED_BLOCK,
    "fetch-slide": CARRIED_BLOCK,
    "fetch-pick-and-place": CARRIED_BLOCK,
    "adroit-door": held_at(door_hinge=1.5),
    "adroit-hammer": held_at(nail_dir=0.09),
    "adroit-pen": pen_on_target,
    "adroit-relocate": ball_on_target,
    "hand-reach": fingers_to_goals,
    "hand-block": CARRIED_OBJECT,
    "hand-egg": CARRIED_OBJECT,
    "hand-pen": CARRIED_OBJECT,
    "hand-spin-pen": spun,
    "pointmaze-umaze": through(Maze(U, 1.0)),
    "pointmaze-medium": through(Maze(MEDIUM, 1.0)),
    "antmaze-umaze": through(Maze(U, 4.0)),
    "antmaze-medium": through(Maze(MEDIUM, 4.0)),
    "kitchen-microwave": held_at(microwave=-0.75),
    "kitchen-slide-cabinet": held_at(slide_cabinet=0.37),
    "kitchen-light-switch": held_at(light_switch=-0.69, light_joint=-0.05),
    "kitchen-hinge-cabinet": held_at(right_hinge_cabinet=1.45),
    "kitchen-top-burner": held_at(knob_Joint_4=-0.92, top_left_burner=-0.01),
    "kitchen-kettle": arranged("kettle"),
    "kitchen-four": arranged("microwave", "kettle", "light switch", "slide cabinet"),
    "kitchen-bottom-burner": held_at(knob_Joint_2=-0.88, bottom_left_burner=-0.01),
}


STEPS = {
    "pusher-push": 100,
    "invertedpendulum-balance": 200,
    "inverteddoublependulum-balance": 200,
    "pointmaze-medium": 600,
    "pointmaze-umaze": 300,
    "antmaze-medium": 120,
    "antmaze-umaze": 60,
    "hand-spin-pen": 250,
}


def test_every_task_is_tried() -> None:
    assert set(DONE) == {task.name for task in suites()["robotics"]}


@pytest.mark.parametrize("name", [*SCRIPTED, *(pytest.param(name, marks=needs_robotics) for name in DONE)])
def test_done_well_it_succeeds_and_scores_highest(
    name: str, episodes_of: Callable[..., Any], off_native: Callable[..., float], fork_server: ForkServer
) -> None:
    """The hand-written program is the native reward there, too."""
    task, steps = find_task(name), STEPS.get(name, 12 if name.startswith("kitchen") else 50)
    policies = [None, lambda env, _: still(env), {**SCRIPTED, **DONE}[name]]
    *others, well = episodes_of(task, fork_server, policies, steps=steps)
    assert well.success == (name != "pusher-push")  # it pushes a part of the way
    for other in others:
        assert other.success == 0.0
        assert well.fitness > other.fitness + 0.03
        assert not task.progress or well.progress > other.progress + 0.02
    if task.human:
        assert off_native(task, fork_server, well.vocabulary, well.columns) <= 1e-6


def test_the_path_goes_round_the_walls() -> None:
    """From the U's one end to the other, and never longer after a step along it."""
    maze = Maze(U, 1.0)
    here, goal = np.array([[-1.0, 1.0]]), np.array([[-1.0, -1.0]])
    assert maze.path_length(here, goal)[0] == pytest.approx(6.0)
    left = 6.0
    while left > 0.01:
        ahead = maze.next_corner(here, goal) - here
        here = here + ahead * min(1.0, 0.1 / np.linalg.norm(ahead))
        now = maze.path_length(here, goal)[0]
        assert now < left
        left = now


@needs_robotics
def test_the_mazes_are_gymnasium_robotics_own() -> None:
    from gymnasium_robotics.envs.maze import maps

    for ours, theirs in ((U, maps.U_MAZE), (MEDIUM, maps.MEDIUM_MAZE)):
        assert [[mark == "#" for mark in row] for row in ours] == [
            [cell == 1 for cell in row] for row in theirs
        ]


@needs_robotics
def test_rotations_are_gymnasium_robotics_own() -> None:
    from gymnasium_robotics.utils import rotations

    random = np.random.default_rng(0)
    quats, others = random.normal(size=(2, 50, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    np.testing.assert_allclose(euler_of(quats), rotations.quat2euler(quats), atol=1e-9)
    np.testing.assert_allclose(quat_of(others[:, :3]), rotations.euler2quat(others[:, :3]), atol=1e-12)
    half = rotation_distance(quats, without_roll(quats, quats)) / 2.0  # 0 or pi
    np.testing.assert_allclose(np.sin(half), 0.0, atol=1e-6)


@needs_robotics
def test_markers_that_stay_behind_are_left_out(random_steps: Callable[[str], Any]) -> None:
    """`target_pos` of the hand is not where the goal is."""
    vocabulary = random_steps("hand-block").vocabulary
    assert "target_pos" not in vocabulary.names()
    assert "target_pos" in vocabulary.names(hidden=True)
