"""Meta-World's fifty envs as functions of whole columns: observation, success, and what a step writes.

After metaworld/sawyer_xyz_env.py and envs/sawyer_*_v3.py (3.0): `_get_pos_objects`, `_get_quat_objects`,
`evaluate_state`; parameters with capitals are the models' names. `stick-push` is missing: its success
asks whether two geoms touch, which no column holds.
"""
# ruff: noqa: N803

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

from .domain import ObservableFunction, Vectorised
from .rotations import quaternion_scalar_last

TURN = np.array([1.0, 0.0, 1.0, 0.0])  # the mocap body's quaternion, always
WIDEST_GRIP = 0.1  # m between the claws, observed as 1
FRAME_SIZE = 18  # numbers of a moment: hand, opening, objects, zeros; an observation holds two
GOAL, BOUNDS = "_target_pos", ("sawyer_observation_space__low", "sawyer_observation_space__high")
HAND = ("hand_pos", "rightclaw_pos", "leftclaw_pos")


Success = Callable[..., npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Observed:
    """
    Attributes:
        objects: position and orientation of each object in the observation; numbers where it is constant.
        success: when the env says `success`.
    """

    objects: Sequence[tuple[ObservableFunction, ObservableFunction | tuple[float, ...]]]
    success: Success


def mocap_step(
    action: Array, mocap_pos: Array, mocap_low: Array, mocap_high: Array, action_scale: Array
) -> Mapping[str, Array]:
    """The mocap body, to which the hand is welded, moves within bounds; the claws open or close."""
    # In float32, as the env's products are.
    move = np.clip(action[:, :3], -1.0, 1.0).astype(np.float32) * action_scale.astype(np.float32)[:, None]
    place = np.clip(mocap_pos + move, mocap_low, mocap_high)[:, None]
    turn = np.broadcast_to(TURN, (len(action), 1, 4))
    grip = action[:, 3:]
    return {
        "ctrl": np.concatenate([grip, -grip], axis=1),
        "mocap_pos": place,
        "mocap_quat": turn,
    }


def vectorised(observed: Observed) -> Vectorised:
    """One of the fifty envs."""
    return Vectorised(
        observation=observation(observed),
        info={"success": observed.success},
        applied=mocap_step,
        varied=("body_pos", "site_pos"),
        forward=True,
        settings=frozenset({"env_name", "seed"}),
    )


def observation(observed: Observed) -> ObservableFunction:
    """SawyerXYZEnv._get_obs as a step returns it, within bounds: (N, 39)."""
    functions = [part for pair in observed.objects for part in pair if callable(part)]
    names = list(dict.fromkeys([*HAND, *(name for each in functions for name in parameter_names(each))]))

    def observe(*columns: Array) -> Array:
        now, before = columns[: len(names)], columns[len(names) : 2 * len(names)]
        goal, low, high = columns[2 * len(names) :]
        frames = [one_frame(observed, dict(zip(names, each, strict=True))) for each in (now, before)]
        return np.asarray(np.clip(np.concatenate([*frames, goal], axis=1), low, high))

    needs = [*names, *(f"prev_{name}" for name in names), GOAL, *BOUNDS]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    observe.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(need, positional) for need in needs]
    )
    return observe


def one_frame(observed: Observed, columns: Mapping[str, Array]) -> Array:
    """SawyerXYZEnv._get_curr_obs_combined_no_goal: (N, 18)."""
    hand, right, left = (columns[name] for name in HAND)
    gap = np.clip(np.linalg.norm(right - left, axis=1) / WIDEST_GRIP, 0.0, 1.0)
    result = np.zeros((len(hand), FRAME_SIZE))
    parts = [hand, gap[:, None]]
    for part in (part for pair in observed.objects for part in pair):
        if callable(part):
            parts.append(part(*[columns[name] for name in parameter_names(part)]))
        else:
            parts.append(np.broadcast_to(part, (len(hand), len(part))))
    whole = np.concatenate(parts, axis=1)
    result[:, : whole.shape[1]] = whole
    return result


def parameter_names(function: Callable[..., Array]) -> tuple[str, ...]:
    """Names of a function's parameters."""
    return tuple(inspect.signature(function).parameters)


Truth = npt.NDArray[np.bool_]
NONE, UPRIGHT = (0.0,) * 4, (1.0, 0.0, 0.0, 0.0)
BUTTON = 0.193  # m from the button's body to where it is pressed


def distance(offset: Array) -> Array:
    return np.asarray(np.linalg.norm(offset, axis=1))


def within(radius: float) -> Success:
    """The object is within that distance of its goal, m."""
    return lambda object_position, _target_pos: distance(object_position - _target_pos) <= radius


def along(axis: int, gap: float) -> Success:
    """The object is within that distance of its goal along one of the world's axes, m."""
    return lambda object_position, _target_pos: np.abs(_target_pos - object_position)[:, axis] <= gap


def offset(*components: float) -> Array:
    return np.array(components)


def axes(forward: Array, left: Array, up: Array) -> Array:
    """A body's orientation from its axes."""
    return quaternion_scalar_last(np.stack([forward, left, up], axis=2))


puck_turn = lambda objGeom_geom_xmat: quaternion_scalar_last(objGeom_geom_xmat)  # noqa: E731
handle_turn = lambda handle_geom_xmat: quaternion_scalar_last(handle_geom_xmat)  # noqa: E731
mug_turn = lambda mug_geom_xmat: quaternion_scalar_last(mug_geom_xmat)  # noqa: E731
plate_turn = lambda puck_geom_xmat: quaternion_scalar_last(puck_geom_xmat)  # noqa: E731


def single(
    position: ObservableFunction, orientation: ObservableFunction | tuple[float, ...], success: Success
) -> Observed:
    """Of the envs with one object."""
    return Observed([(position, orientation)], success)


def at_goal(fingers_position: Array, _target_pos: Array) -> Truth:
    return distance(fingers_position - _target_pos) <= 0.05


def on_the_peg(RoundNut_site_pos: Array, _target_pos: Array) -> Truth:
    gap = _target_pos - RoundNut_site_pos
    return np.asarray((distance(gap[:, :2]) < 0.02) & (gap[:, 2] > 0.0))


def in_the_hoop(object_position: Array, goal_pos: Array) -> Truth:
    """Where the hoop's site is, 30 cm above the floor whatever its height; height counts twice."""
    gap = object_position - goal_pos
    gap[:, 2] = 2.0 * (object_position[:, 2] - 0.3)
    return distance(gap) <= 0.08


def hooked(obs: Array, stick_end_pos: Array, _target_pos: Array) -> Truth:
    handle = obs[:, 11:14]
    past, aside, above = (stick_end_pos - handle).T
    inserted = (past >= 0.0) & (np.abs(aside) <= 0.04) & (np.abs(above) <= 0.06)
    return np.asarray((distance(handle - _target_pos) <= 0.12) & inserted)


def dial_end(dial_pos: Array, knob_Joint_1_angle: Array) -> Array:
    sine, cosine = np.sin(knob_Joint_1_angle), np.cos(knob_Joint_1_angle)
    return np.asarray(dial_pos + 0.05 * np.stack([sine, -cosine, np.zeros_like(sine)], axis=1))


def button_top(button_pos: Array) -> Array:
    return button_pos + offset(0.0, 0.0, BUTTON)


def button_front(button_pos: Array) -> Array:
    return button_pos + offset(0.0, -BUTTON, 0.0)


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

OBSERVED = {
    "assembly": single(NUT, NUT_TURN, on_the_peg),
    "basketball": single(lambda bsktball_pos: bsktball_pos, lambda bsktball_quat: bsktball_quat, in_the_hoop),
    "bin-picking": single(
        PUCK,
        PUCK_BODY_TURN,
        lambda object_position, bin_goal_pos: distance(object_position - bin_goal_pos) <= 0.05,
    ),
    "box-close": single(
        lambda top_link_pos: top_link_pos,
        lambda top_link_quat: top_link_quat,
        lambda object_position, _target_pos: distance(object_position - _target_pos) < 0.08,
    ),
    "button-press-topdown": single(button_top, BUTTON_TURN, along(2, 0.024)),
    "button-press-topdown-wall": single(button_top, BUTTON_TURN, along(2, 0.024)),
    "button-press": single(button_front, BUTTON_TURN, along(1, 0.02)),
    "button-press-wall": single(button_front, BUTTON_TURN, along(1, 0.03)),
    "coffee-button": single(lambda buttonStart_pos: buttonStart_pos, UPRIGHT, along(1, 0.02)),
    "coffee-pull": single(PUCK, mug_turn, within(0.07)),
    "coffee-push": single(PUCK, mug_turn, within(0.07)),
    "dial-turn": single(dial_end, lambda dial_quat: dial_quat, within(0.07)),
    "disassemble": single(
        NUT, NUT_TURN, lambda object_position, _target_pos: object_position[:, 2] > _target_pos[:, 2]
    ),
    "door-close": single(DOOR_HANDLE, handle_turn, within(0.08)),
    "door-lock": single(lambda lockStartLock_pos: lockStartLock_pos, DOOR_TURN, along(2, 0.02)),
    "door-open": single(DOOR_HANDLE, handle_turn, along(0, 0.08)),
    "door-unlock": single(lambda lockStartUnlock_pos: lockStartUnlock_pos, DOOR_TURN, along(0, 0.02)),
    "hand-insert": single(PUCK, PUCK_BODY_TURN, within(0.05)),
    "drawer-close": single(
        lambda drawer_link_pos: drawer_link_pos + offset(0.0, -0.16, 0.05), NONE, within(0.065)
    ),
    "drawer-open": single(
        lambda drawer_link_pos: drawer_link_pos + offset(0.0, -0.16, 0.0),
        lambda drawer_link_quat: drawer_link_quat,
        within(0.03),
    ),
    "faucet-open": single(
        lambda handleStartOpen_pos: handleStartOpen_pos + offset(0.0, 0.0, -0.01),
        FAUCET_TURN,
        lambda object_position, _target_pos: (
            distance(object_position + offset(-0.04, 0.0, 0.03) - _target_pos) <= 0.07
        ),
    ),
    "faucet-close": single(
        lambda handleStartClose_pos: handleStartClose_pos + offset(0.0, 0.0, -0.01), FAUCET_TURN, within(0.07)
    ),
    "hammer": Observed(
        [
            (lambda hammer_pos: hammer_pos, lambda hammer_quat: hammer_quat),
            (lambda nail_link_pos: nail_link_pos, lambda nail_link_quat: nail_link_quat),
        ],
        lambda NailSlideJoint_position: NailSlideJoint_position > 0.09,
    ),
    "handle-press-side": single(HANDLE, NONE, along(2, 0.02)),
    "handle-press": single(HANDLE, NONE, along(2, 0.02)),
    "handle-pull-side": single(lambda handleCenter_pos: handleCenter_pos, NONE, within(0.08)),
    "handle-pull": single(lambda handleRight_pos: handleRight_pos, NONE, along(2, 0.05)),
    "lever-pull": single(
        lambda leverStart_pos: leverStart_pos,
        puck_turn,
        lambda LeverAxis_angle: np.abs(-LeverAxis_angle - np.pi / 2.0) <= np.pi / 24,
    ),
    "pick-place-wall": single(PUCK_GEOM, puck_turn, within(0.07)),
    "pick-out-of-hole": single(PUCK, PUCK_BODY_TURN, within(0.07)),
    "pick-place": single(PUCK, puck_turn, within(0.07)),
    "plate-slide": single(PLATE, plate_turn, within(0.07)),
    "plate-slide-side": single(PLATE, plate_turn, within(0.07)),
    "plate-slide-back": single(PLATE, plate_turn, within(0.07)),
    "plate-slide-back-side": single(PLATE, plate_turn, within(0.07)),
    "peg-insert-side": single(
        lambda pegGrasp_pos: pegGrasp_pos,
        lambda pegGrasp_site_xmat: quaternion_scalar_last(pegGrasp_site_xmat),
        lambda pegHead_pos, _target_pos: (
            distance((pegHead_pos - _target_pos) * offset(1.0, 2.0, 2.0)) <= 0.07
        ),
    ),
    "peg-unplug-side": single(lambda pegEnd_pos: pegEnd_pos, lambda plug1_quat: plug1_quat, within(0.07)),
    "soccer": single(
        lambda soccer_ball_pos: soccer_ball_pos,
        lambda soccer_ball_forward, soccer_ball_left, soccer_ball_up: axes(
            soccer_ball_forward, soccer_ball_left, soccer_ball_up
        ),
        within(0.07),
    ),
    "stick-pull": Observed(
        [
            (
                lambda stick_pos: stick_pos,
                lambda stick_forward, stick_left, stick_up: axes(stick_forward, stick_left, stick_up),
            ),
            (lambda insertion_pos: insertion_pos, NONE),
        ],
        hooked,
    ),
    "push": single(PUCK, puck_turn, within(0.05)),
    "push-wall": single(PUCK_GEOM, puck_turn, within(0.07)),
    "push-back": single(PUCK_GEOM, puck_turn, within(0.07)),
    "reach": single(PUCK, puck_turn, at_goal),
    "reach-wall": single(PUCK, puck_turn, at_goal),
    "shelf-place": single(PUCK, puck_turn, within(0.07)),
    "sweep-into": single(
        PUCK,
        puck_turn,
        lambda object_position, _target_pos: distance((object_position - _target_pos)[:, :2]) <= 0.05,
    ),
    "sweep": single(PUCK, PUCK_BODY_TURN, within(0.05)),
    "window-open": single(lambda handleOpenStart_pos: handleOpenStart_pos, NONE, along(0, 0.05)),
    "window-close": single(lambda handleCloseStart_pos: handleCloseStart_pos, NONE, along(0, 0.05)),
}
