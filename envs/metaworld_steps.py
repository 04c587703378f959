"""What the Meta-World envs' Python computes at a step, as functions of whole columns.

After metaworld/sawyer_xyz_env.py (3.0). What each of the fifty sees and calls done: `metaworld_seen`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

from .domain import ObservableFunction, Vectorised

TURN = np.array([1.0, 0.0, 1.0, 0.0])  # the mocap body's quaternion, always
WIDEST = 0.1  # m between the claws, which counts as 1
FRAME = 18  # numbers of a moment: hand, opening, things, zeros; an observation holds two
GOAL, BOUNDS = "_target_pos", ("sawyer_observation_space__low", "sawyer_observation_space__high")
HAND = ("hand_pos", "rightclaw_pos", "leftclaw_pos")


Done = Callable[..., npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Attributes:
        things: place and orientation of each thing in the observation; numbers where that never changes.
        done: when the env says `success`.
    """

    things: Sequence[tuple[ObservableFunction, ObservableFunction | tuple[float, ...]]]
    done: Done


def pulled(
    action: Array, mocap_pos: Array, mocap_low: Array, mocap_high: Array, action_scale: Array
) -> Mapping[str, Array]:
    """The mocap body, to which the hand is welded, goes its way within bounds; the claws open or shut."""
    # In float32, as the env's products are.
    way = np.clip(action[:, :3], -1.0, 1.0).astype(np.float32) * action_scale.astype(np.float32)[:, None]
    place = np.clip(mocap_pos + way, mocap_low, mocap_high)[:, None]
    turn = np.broadcast_to(TURN, (len(action), 1, 4))
    grip = action[:, 3:]
    return {
        "ctrl": np.concatenate([grip, -grip], axis=1),
        "mocap_pos": place,
        "mocap_quat": turn,
    }


def vectorised(seen: Seen) -> Vectorised:
    """All that is stated of one of the fifty."""
    return Vectorised(
        observation=observation(seen),
        info={"success": seen.done},
        applied=pulled,
        varied=("body_pos", "site_pos"),
        forward=True,
        settings=frozenset({"env_name", "seed"}),
    )


def observation(seen: Seen) -> ObservableFunction:
    """SawyerXYZEnv._get_obs as a step returns it, within bounds: (N, 39)."""
    functions = [part for thing in seen.things for part in thing if callable(part)]
    names = list(dict.fromkeys([*HAND, *(name for each in functions for name in parameters(each))]))

    def observe(*columns: Array) -> Array:
        now, before = columns[: len(names)], columns[len(names) : 2 * len(names)]
        goal, low, high = columns[2 * len(names) :]
        frames = [frame(seen, dict(zip(names, each, strict=True))) for each in (now, before)]
        return np.asarray(np.clip(np.concatenate([*frames, goal], axis=1), low, high))

    needs = [*names, *(f"prev_{name}" for name in names), GOAL, *BOUNDS]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    observe.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(need, positional) for need in needs]
    )
    return observe


def frame(seen: Seen, columns: Mapping[str, Array]) -> Array:
    """SawyerXYZEnv._get_curr_obs_combined_no_goal: (N, 18)."""
    hand, right, left = (columns[name] for name in HAND)
    gap = np.clip(np.linalg.norm(right - left, axis=1) / WIDEST, 0.0, 1.0)
    result = np.zeros((len(hand), FRAME))
    parts = [hand, gap[:, None]]
    for part in (part for thing in seen.things for part in thing):
        if callable(part):
            parts.append(part(*[columns[name] for name in parameters(part)]))
        else:
            parts.append(np.broadcast_to(part, (len(hand), len(part))))
    whole = np.concatenate(parts, axis=1)
    result[:, : whole.shape[1]] = whole
    return result


def parameters(function: Callable[..., Array]) -> tuple[str, ...]:
    """What it needs."""
    return tuple(inspect.signature(function).parameters)
