"""What every joint offers: angle or position, and velocity, with the sign in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import mujoco
import numpy as np

from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.kinematics import rotation_vector
from eureka_loop.simulate.model import Model, direction
from eureka_loop.simulate.naming import Namer, family
from eureka_loop.simulate.quantities import Quantity, Slice, as_is

FREE, BALL, SLIDE, HINGE = (
    int(kind)
    for kind in (
        mujoco.mjtJoint.mjJNT_FREE,
        mujoco.mjtJoint.mjJNT_BALL,
        mujoco.mjtJoint.mjJNT_SLIDE,
        mujoco.mjtJoint.mjJNT_HINGE,
    )
)
PATTERNS = ("{}_angle", "{}_position", "{}_velocity")
ROOT_TURNS = {"+x": "rolls to its right", "-x": "rolls to its left", "+y": "nose down", "-y": "nose up"}
ROOT_TURNS |= {"up (+z)": "turns left", "down (-z)": "turns right"}


def joint_quantities(model: Model, words: dict[int, str]) -> Iterator[Quantity]:
    """All joints' quantities but free ones', whose body's pose and velocities say the same."""
    counts = Counter(family(word) for word in words.values())
    for joint, word in words.items():
        kin = family(word)
        group = f"joints {kin}" if counts[kin] > 1 else "joints"
        make = _ball if model.mj.jnt_type[joint] == BALL else _single
        yield from make(model, joint, word, group)


def joint_words(model: Model, namer: Namer) -> dict[int, str]:
    """Joint index → word, free joints left out."""
    return {
        joint: namer.name(model.name(mujoco.mjtObj.mjOBJ_JOINT, joint), "joint", joint, PATTERNS)
        for joint in range(model.mj.njnt)
        if model.mj.jnt_type[joint] != FREE
    }


def _single(model: Model, joint: int, word: str, group: str) -> Iterator[Quantity]:
    slide = model.mj.jnt_type[joint] == SLIDE
    suffix, unit, what = ("position", "m", "position") if slide else ("angle", "rad", "angle")
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    sign = _slide_sign(model, joint) if slide else _hinge_sign(model, joint)
    place = Observable(f"{word}_{suffix}", (), unit, "joint", f"{what} of joint {word}; {sign}", group)
    yield Quantity(place, (Slice("qpos", qpos, qpos + 1, ()),), as_is)
    speed = Observable(
        f"{word}_velocity", (), f"{unit}/s", "joint", f"velocity of joint {word}; {sign}", group
    )
    yield Quantity(speed, (Slice("qvel", qvel, qvel + 1, ()),), as_is)


def _ball(model: Model, joint: int, word: str, group: str) -> Iterator[Quantity]:
    qpos, qvel = int(model.mj.jnt_qposadr[joint]), int(model.mj.jnt_dofadr[joint])
    text = f"rotation vector (axis times angle, at most pi) of ball joint {word} from its rest orientation"
    angle = Observable(f"{word}_angle", (3,), "rad", "parent body", text, group)
    yield Quantity(angle, (Slice("qpos", qpos, qpos + 4, (4,)),), rotation_vector)
    text = f"angular velocity of ball joint {word}"
    speed = Observable(f"{word}_velocity", (3,), "rad/s", "child body", text, group)
    yield Quantity(speed, (Slice("qvel", qvel, qvel + 3, (3,)),), as_is)


def _slide_sign(model: Model, joint: int) -> str:
    return f"positive: toward the world's {direction(model.pose.xaxis[joint])}"


def _hinge_sign(model: Model, joint: int) -> str:
    """Where the part a hinge carries goes when the angle grows, in the starting pose."""
    axis, body = model.pose.xaxis[joint], int(model.mj.jnt_bodyid[joint])
    about = direction(axis)
    if _carries_all(model, body) and about in ROOT_TURNS:
        return f"positive: {ROOT_TURNS[about]} (right-handed about the world's {about})"
    text = f"right-handed about {about} in the starting pose"
    arm = model.pose.subtree_com[body] - model.pose.xanchor[joint]
    motion = np.cross(axis, arm)
    if np.linalg.norm(motion) < 0.01:  # the part's mass lies on the axis: it twists in place
        return f"positive: {text}"
    return f"positive: moves what it carries toward {direction(motion)} ({text})"


def _carries_all(model: Model, body: int) -> bool:
    """Whether the joint moves the whole robot against the world, as `rooty` does."""
    rooted = int(model.mj.body_parentid[body]) == 0
    return rooted and bool(model.mj.body_subtreemass[body] > 0.5 * model.mj.body_subtreemass[0])
