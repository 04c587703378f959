"""What each of Meta-World's fifty sees, and when it calls itself done.

After metaworld/envs/sawyer_*_v3.py (3.0): `_get_pos_objects`, `_get_quat_objects`, `evaluate_state`; the
parameters' capitals are the models'. `stick-push` is missing: its success asks whether two geoms touch, which
no column holds.
"""
# ruff: noqa: N803

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

from .domain import ObservableFunction
from .metaworld_steps import Done, Seen
from .rotations import quaternion_scalar_last

Truth = npt.NDArray[np.bool_]
NONE, UPRIGHT = (0.0,) * 4, (1.0, 0.0, 0.0, 0.0)
BUTTON = 0.193  # m from the button's body to where it is pressed


def length(way: Array) -> Array:
    return np.asarray(np.linalg.norm(way, axis=1))


def within(radius: float) -> Done:
    """The thing is that near its goal, m."""
    return lambda object_position, _target_pos: length(object_position - _target_pos) <= radius


def along(axis: int, gap: float) -> Done:
    """The thing is that near its goal along one of the world's axes, m."""
    return lambda object_position, _target_pos: np.abs(_target_pos - object_position)[:, axis] <= gap


def moved(*way: float) -> Array:
    return np.array(way)


def axes(forward: Array, left: Array, up: Array) -> Array:
    """A body's orientation from its axes."""
    return quaternion_scalar_last(np.stack([forward, left, up], axis=2))


def puck_turn(objGeom_geom_xmat: Array) -> Array:
    return quaternion_scalar_last(objGeom_geom_xmat)


def handle_turn(handle_geom_xmat: Array) -> Array:
    return quaternion_scalar_last(handle_geom_xmat)


def mug_turn(mug_geom_xmat: Array) -> Array:
    return quaternion_scalar_last(mug_geom_xmat)


def plate_turn(puck_geom_xmat: Array) -> Array:
    return quaternion_scalar_last(puck_geom_xmat)


def one(place: ObservableFunction, turn: ObservableFunction | tuple[float, ...], done: Done) -> Seen:
    """Most see one thing."""
    return Seen([(place, turn)], done)


def at_goal(fingers_position: Array, _target_pos: Array) -> Truth:
    return length(fingers_position - _target_pos) <= 0.05


def on_the_peg(RoundNut_site_pos: Array, _target_pos: Array) -> Truth:
    way = _target_pos - RoundNut_site_pos
    return np.asarray((length(way[:, :2]) < 0.02) & (way[:, 2] > 0.0))


def in_the_hoop(object_position: Array, goal_pos: Array) -> Truth:
    """Where the hoop's site is, 30 cm above the floor whatever its height; height counts twice."""
    way = object_position - goal_pos
    way[:, 2] = 2.0 * (object_position[:, 2] - 0.3)
    return length(way) <= 0.08


def hooked(obs: Array, stick_end_pos: Array, _target_pos: Array) -> Truth:
    handle = obs[:, 11:14]
    past, aside, above = (stick_end_pos - handle).T
    inserted = (past >= 0.0) & (np.abs(aside) <= 0.04) & (np.abs(above) <= 0.06)
    return np.asarray((length(handle - _target_pos) <= 0.12) & inserted)


def dial_end(dial_pos: Array, knob_Joint_1_angle: Array) -> Array:
    sine, cosine = np.sin(knob_Joint_1_angle), np.cos(knob_Joint_1_angle)
    return np.asarray(dial_pos + 0.05 * np.stack([sine, -cosine, np.zeros_like(sine)], axis=1))


def button_top(button_pos: Array) -> Array:
    return button_pos + moved(0.0, 0.0, BUTTON)


def button_front(button_pos: Array) -> Array:
    return button_pos + moved(0.0, -BUTTON, 0.0)


PUCK = lambda obj_pos: obj_pos  # noqa: E731
PUCK_GEOM = lambda objGeom_geom_pos: objGeom_geom_pos  # noqa: E731
PUCK_BODY_TURN = lambda obj_quat: obj_quat  # noqa: E731
BUTTON_TURN = lambda button_quat: button_quat  # noqa: E731
NUT, NUT_TURN = lambda RoundNut_8_pos: RoundNut_8_pos, lambda RoundNut_quat: RoundNut_quat
DOOR_HANDLE = lambda handle_geom_pos: handle_geom_pos  # noqa: E731
DOOR_TURN = lambda door_link_quat: door_link_quat  # noqa: E731
FAUCET_TURN = lambda faucetBase_quat: faucetBase_quat  # noqa: E731
PLATE = lambda puck_geom_pos: puck_geom_pos  # noqa: E731
HANDLE = lambda handleStart_pos: handleStart_pos  # noqa: E731

SEEN = {
    "assembly": one(NUT, NUT_TURN, on_the_peg),
    "basketball": one(lambda bsktball_pos: bsktball_pos, lambda bsktball_quat: bsktball_quat, in_the_hoop),
    "bin-picking": one(
        PUCK,
        PUCK_BODY_TURN,
        lambda object_position, bin_goal_pos: length(object_position - bin_goal_pos) <= 0.05,
    ),
    "box-close": one(
        lambda top_link_pos: top_link_pos,
        lambda top_link_quat: top_link_quat,
        lambda object_position, _target_pos: length(object_position - _target_pos) < 0.08,
    ),
    "button-press-topdown": one(button_top, BUTTON_TURN, along(2, 0.024)),
    "button-press-topdown-wall": one(button_top, BUTTON_TURN, along(2, 0.024)),
    "button-press": one(button_front, BUTTON_TURN, along(1, 0.02)),
    "button-press-wall": one(button_front, BUTTON_TURN, along(1, 0.03)),
    "coffee-button": one(lambda buttonStart_pos: buttonStart_pos, UPRIGHT, along(1, 0.02)),
    "coffee-pull": one(PUCK, mug_turn, within(0.07)),
    "coffee-push": one(PUCK, mug_turn, within(0.07)),
    "dial-turn": one(dial_end, lambda dial_quat: dial_quat, within(0.07)),
    "disassemble": one(
        NUT, NUT_TURN, lambda object_position, _target_pos: object_position[:, 2] > _target_pos[:, 2]
    ),
    "door-close": one(DOOR_HANDLE, handle_turn, within(0.08)),
    "door-lock": one(lambda lockStartLock_pos: lockStartLock_pos, DOOR_TURN, along(2, 0.02)),
    "door-open": one(DOOR_HANDLE, handle_turn, along(0, 0.08)),
    "door-unlock": one(lambda lockStartUnlock_pos: lockStartUnlock_pos, DOOR_TURN, along(0, 0.02)),
    "hand-insert": one(PUCK, PUCK_BODY_TURN, within(0.05)),
    "drawer-close": one(
        lambda drawer_link_pos: drawer_link_pos + moved(0.0, -0.16, 0.05), NONE, within(0.065)
    ),
    "drawer-open": one(
        lambda drawer_link_pos: drawer_link_pos + moved(0.0, -0.16, 0.0),
        lambda drawer_link_quat: drawer_link_quat,
        within(0.03),
    ),
    "faucet-open": one(
        lambda handleStartOpen_pos: handleStartOpen_pos + moved(0.0, 0.0, -0.01),
        FAUCET_TURN,
        lambda object_position, _target_pos: (
            length(object_position + moved(-0.04, 0.0, 0.03) - _target_pos) <= 0.07
        ),
    ),
    "faucet-close": one(
        lambda handleStartClose_pos: handleStartClose_pos + moved(0.0, 0.0, -0.01), FAUCET_TURN, within(0.07)
    ),
    "hammer": Seen(
        [
            (lambda hammer_pos: hammer_pos, lambda hammer_quat: hammer_quat),
            (lambda nail_link_pos: nail_link_pos, lambda nail_link_quat: nail_link_quat),
        ],
        lambda NailSlideJoint_position: NailSlideJoint_position > 0.09,
    ),
    "handle-press-side": one(HANDLE, NONE, along(2, 0.02)),
    "handle-press": one(HANDLE, NONE, along(2, 0.02)),
    "handle-pull-side": one(lambda handleCenter_pos: handleCenter_pos, NONE, within(0.08)),
    "handle-pull": one(lambda handleRight_pos: handleRight_pos, NONE, along(2, 0.05)),
    "lever-pull": one(
        lambda leverStart_pos: leverStart_pos,
        puck_turn,
        lambda LeverAxis_angle: np.abs(-LeverAxis_angle - np.pi / 2.0) <= np.pi / 24,
    ),
    "pick-place-wall": one(PUCK_GEOM, puck_turn, within(0.07)),
    "pick-out-of-hole": one(PUCK, PUCK_BODY_TURN, within(0.07)),
    "pick-place": one(PUCK, puck_turn, within(0.07)),
    "plate-slide": one(PLATE, plate_turn, within(0.07)),
    "plate-slide-side": one(PLATE, plate_turn, within(0.07)),
    "plate-slide-back": one(PLATE, plate_turn, within(0.07)),
    "plate-slide-back-side": one(PLATE, plate_turn, within(0.07)),
    "peg-insert-side": one(
        lambda pegGrasp_pos: pegGrasp_pos,
        lambda pegGrasp_site_xmat: quaternion_scalar_last(pegGrasp_site_xmat),
        lambda pegHead_pos, _target_pos: length((pegHead_pos - _target_pos) * moved(1.0, 2.0, 2.0)) <= 0.07,
    ),
    "peg-unplug-side": one(lambda pegEnd_pos: pegEnd_pos, lambda plug1_quat: plug1_quat, within(0.07)),
    "soccer": one(
        lambda soccer_ball_pos: soccer_ball_pos,
        lambda soccer_ball_forward, soccer_ball_left, soccer_ball_up: axes(
            soccer_ball_forward, soccer_ball_left, soccer_ball_up
        ),
        within(0.07),
    ),
    "stick-pull": Seen(
        [
            (
                lambda stick_pos: stick_pos,
                lambda stick_forward, stick_left, stick_up: axes(stick_forward, stick_left, stick_up),
            ),
            (lambda insertion_pos: insertion_pos, NONE),
        ],
        hooked,
    ),
    "push": one(PUCK, puck_turn, within(0.05)),
    "push-wall": one(PUCK_GEOM, puck_turn, within(0.07)),
    "push-back": one(PUCK_GEOM, puck_turn, within(0.07)),
    "reach": one(PUCK, puck_turn, at_goal),
    "reach-wall": one(PUCK, puck_turn, at_goal),
    "shelf-place": one(PUCK, puck_turn, within(0.07)),
    "sweep-into": one(
        PUCK,
        puck_turn,
        lambda object_position, _target_pos: length((object_position - _target_pos)[:, :2]) <= 0.05,
    ),
    "sweep": one(PUCK, PUCK_BODY_TURN, within(0.05)),
    "window-open": one(lambda handleOpenStart_pos: handleOpenStart_pos, NONE, along(0, 0.05)),
    "window-close": one(lambda handleCloseStart_pos: handleCloseStart_pos, NONE, along(0, 0.05)),
}
