"""Tasks of Gymnasium's bodies: a body moved through the task scores, one moved otherwise doesn't.

The tasks for which there is a scripted policy are in `test_done_well`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_task, suites
from eureka_loop.records import Array
from eureka_loop.reward.sandbox.fork_server import ForkServer

Place = Callable[[Any, float], dict[str, float]]  # the env, seconds since the reset → joint → position
Steps = Callable[..., Any]

FLIP = 2.0  # s that a flip takes


def moved(place: Place) -> Callable[[Any, int], Array]:
    """At every step the body is set to the pose that `place` returns, all else as at the start."""

    def policy(env: Any, step: int) -> Array:
        qpos, qvel = env.init_qpos.copy(), np.zeros(env.model.nv)
        for joint, value in place(env, step * env.dt).items():
            index, part = joint.split("/") if "/" in joint else (joint, "0")
            qpos[env.model.joint(index).qposadr[0] + int(part)] = value
        env.set_state(qpos, qvel)
        return np.zeros(env.model.nu)

    return policy


def turning(joint: str, x: float, y: float, yaw: float) -> dict[str, float]:
    """A free joint's place on the floor and turn to the left."""
    parts = (x, y, None, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
    return {f"{joint}/{index}": part for index, part in enumerate(parts) if part is not None}


def flip(_: Any, time: float) -> dict[str, float]:
    share = min(time / FLIP, 1.0)
    return {"rooty": 2 * np.pi * share, "rootz": 1.0 * (share < 1.0) - 0.1}


def rear(_: Any, time: float) -> dict[str, float]:
    return {"rooty": -1.1, "rootz": 0.09}


def bounce(height: float) -> Place:
    return lambda _, time: {"rootz": 1.25 + height * max(0.0, np.sin(4 * np.pi * time))}


def one_leg(_: Any, time: float) -> dict[str, float]:
    return {"thigh_left_joint": -0.6, "leg_left_joint": -1.2, "rootz": 1.2}


def on_feet(env: Any, bend: float) -> dict[str, float]:
    """The humanoid with bent knees, its feet on the floor."""
    hips, knees = ("right_hip_y", "left_hip_y"), ("right_knee", "left_knee")
    angles = {**dict.fromkeys(hips, -bend / 2), **dict.fromkeys(knees, -bend)}
    drop = 0.107 + 0.22 * (bend / (np.pi / 2)) ** 2
    return {**angles, "root/2": 1.4 - drop}


def forward(joint: str, speed: float) -> Place:
    return lambda _, time: {joint: speed * time}


OWN: dict[str, Place] = {
    "halfcheetah-run": forward("rootx", 3.0),
    "hopper-hop": forward("rootx", 2.5),
    "swimmer-swim": forward("slider1", 1.5),
    "walker2d-walk": forward("rootx", 1.5),
    "ant-run": forward("root", 1.5),
    "humanoid-run": forward("root", 1.5),
    "humanoidstandup-standup": lambda *_: {"root/2": 1.3, "root/3": np.sqrt(0.5), "root/5": np.sqrt(0.5)},
}

MOVED: dict[str, Place] = {
    **OWN,
    "halfcheetah-backward": forward("rootx", -3.0),
    "halfcheetah-flip": flip,
    "halfcheetah-stand": rear,
    "hopper-jump": bounce(0.6),
    "hopper-hop-in-place": bounce(0.15),
    "walker2d-backward": forward("rootx", -1.5),
    "walker2d-one-leg": one_leg,
    "ant-turn": lambda _, time: turning("root", 0.0, 0.0, time),
    "ant-circle": lambda _, time: turning("root", 2 * np.sin(time / 2), 2 - 2 * np.cos(time / 2), time / 2),
    "humanoid-backward": forward("root", -1.5),
    "humanoid-stand": lambda env, _: on_feet(env, 0.0),
    "humanoid-squat": lambda env, _: on_feet(env, np.pi / 2),
    "swimmer-turn": lambda _, time: {"free_body_rot": 0.5 * time},
}

CHEATS: dict[str, tuple[str, Place, float]] = {  # description → task, motion, highest fitness allowed
    "sliding backward on its back": (
        "halfcheetah-backward",
        lambda _, time: {"rootx": -3.0 * time, "rooty": np.pi, "rootz": -0.5},
        0.0,
    ),
    "a flip backward": ("halfcheetah-flip", lambda env, time: {"rooty": -flip(env, time)["rooty"]}, 0.05),
    "a roll over the floor": (
        "halfcheetah-flip",
        lambda env, time: {"rooty": flip(env, time)["rooty"], "rootz": -0.5},
        0.3,
    ),
    "on all fours": ("halfcheetah-stand", lambda *_: {"rootz": -0.13}, 0.0),
    "on its head": ("halfcheetah-stand", lambda *_: {"rooty": np.pi / 2, "rootz": 0.1}, 0.0),
    "sitting on its rump": ("halfcheetah-stand", lambda *_: {"rooty": -1.4, "rootz": -0.2}, 0.0),
    "standing, not jumping": ("hopper-jump", bounce(0.0), 0.05),
    "hopping away": (
        "hopper-hop-in-place",
        lambda env, time: {**bounce(0.15)(env, time), "rootx": 3.0 * time},
        0.1,
    ),
    "standing on both legs": ("walker2d-one-leg", lambda *_: {"rootz": 1.2}, 0.0),
    "hanging in the air": ("walker2d-one-leg", lambda env, time: {**one_leg(env, time), "rootz": 1.5}, 0.0),
    "turning right": ("ant-turn", lambda _, time: turning("root", 0.0, 0.0, -time), -0.1),
    "turning left far off": ("ant-turn", lambda _, time: turning("root", 3.0, 0.0, time), 0.1),
    "turning left upside down": (
        "ant-turn",
        lambda _, time: {"root/3": 0.0, "root/4": np.cos(time / 2), "root/5": np.sin(time / 2)},
        0.1,
    ),
    "turning on the spot, not walking round": (
        "ant-circle",
        lambda _, time: turning("root", 0.0, 0.0, time),
        0.01,
    ),
    "going round a circle half as large": (
        "ant-circle",
        lambda _, time: turning("root", np.sin(time), 2 - np.cos(time), time),
        0.1,
    ),
    "turned round and walking forward": (
        "humanoid-backward",
        lambda _, time: turning("root", -1.5 * time, 0.0, np.pi),
        0.1,
    ),
    "strolling": ("humanoid-stand", lambda env, time: {**on_feet(env, 0.0), "root/0": time}, 0.5),
    "standing, not squatting": ("humanoid-squat", lambda env, _: on_feet(env, 0.0), 0.0),
    "bowing, not squatting": ("humanoid-squat", lambda env, _: {**on_feet(env, 0.0), "abdomen_y": -1.2}, 0.0),
    "bending, not turning": (
        "swimmer-turn",
        lambda _, time: {"motor1_rot": np.sin(time), "motor2_rot": np.sin(time)},
        0.5,
    ),
}


LONG = {
    "hopper-hop-in-place": 600,
    "ant-circle": 300,
    "ant-turn": 700,
    "swimmer-turn": 350,
}  # steps, where a success takes its time


def test_every_task_is_tried() -> None:
    assert set(MOVED) - set(OWN) == {task.name for task in suites()["beyond"]}


@pytest.mark.parametrize("name", MOVED)
def test_a_body_moved_through_the_task_succeeds(
    name: str, episodes_of: Steps, fork_server: ForkServer
) -> None:
    task, steps = find_task(name), LONG.get(name, 250)
    theirs, ours = episodes_of(task, fork_server, [None, moved(MOVED[name])], steps=steps)
    assert ours.fitness > max(0.5, theirs.fitness + 0.4)
    assert ours.success in (1.0, None)
    assert theirs.success in (0.0, None)


@pytest.mark.parametrize("motion", CHEATS)
def test_another_motion_scores_little(motion: str, episodes_of: Steps, fork_server: ForkServer) -> None:
    name, place, most = CHEATS[motion]
    steps = LONG.get(name, 250)
    (played,) = episodes_of(find_task(name), fork_server, [moved(place)], steps=steps)
    assert played.fitness <= most
    assert played.success in (0.0, None)
