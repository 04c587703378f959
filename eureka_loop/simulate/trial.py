"""One reset and one step, to see what can't be read off a model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop.errors import BadInput


@dataclass(frozen=True, slots=True)
class Trial:
    """
    Attributes:
        infos: what `info` held after the reset and after the step.
        dt: seconds the step took.
        lags: whether positions of bodies were left as the last physics substep found them, as most envs do.
    """

    infos: tuple[Mapping[str, Any], Mapping[str, Any]]
    dt: float
    lags: bool


def try_out(env: gymnasium.Env[Any, Any]) -> Trial:
    """Reset with seed 0, then one step with an action in the middle of its range.

    Raises:
        BadInput: the env's actions aren't continuous.
    """
    space = env.action_space
    if not isinstance(space, gymnasium.spaces.Box):
        raise BadInput(f"the env's actions are {space}; only continuous ones (Box) can be trained here")
    low, high = np.nan_to_num(space.low, neginf=-1.0), np.nan_to_num(space.high, posinf=1.0)
    _, at_reset = env.reset(seed=0)
    inner: Any = env.unwrapped
    before = inner.data.time
    after = env.step(((low + high) / 2.0).astype(space.dtype))[4]
    return Trial((at_reset, after), _seconds(inner, inner.data.time - before), _lags(inner))


def _seconds(inner: Any, measured: float) -> float:
    """The env's own `dt` where the simulation's clock agrees: envs around another may state a wrong one."""
    stated = getattr(inner, "dt", None)
    if isinstance(stated, (int, float)) and (measured <= 0.0 or np.isclose(stated, measured, rtol=1e-6)):
        return float(stated)
    return round(float(measured), 12)


def _lags(inner: Any) -> bool:
    fresh = copy.copy(inner.data)
    mujoco.mj_kinematics(inner.model, fresh)
    return not np.allclose(fresh.xpos, inner.data.xpos, rtol=0.0, atol=1e-12)
