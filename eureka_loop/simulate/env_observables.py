"""Observables of every env: observation, action, clock, goals, info, and the state as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.definitions import (
    ContactSum,
    DataSlice,
    Definition,
    InfoValue,
    StepValue,
    as_is,
    element,
    time_since,
)
from eureka_loop.simulate.env import GOAL_KEYS, is_goal, width
from eureka_loop.simulate.kinematics import point_velocity
from eureka_loop.simulate.model import Model, identifier

REWARD_KEYS = ("reward", "penalty", "cost")  # in the keys of `info` that hold parts of the env's own reward


def step_observables(env: gymnasium.Env[Any, Any], dt: float, horizon: int | None) -> Iterator[Definition]:
    """The step's arguments and results, a goal env's two goals, and the clock."""
    yield _value("obs", (width(env, "obs"),), "the policy's observation, flattened")
    action = int(gymnasium.spaces.flatdim(env.action_space))
    yield _value(
        "action", (action,), "action applied in this step, as the env got it; prev_action is 0 at first"
    )
    yield _value("terminated", (), "1 where the env ended the episode itself (not by its time limit), else 0")
    yield _clock("dt", "duration of a step", lambda steps: np.full_like(steps, dt))
    yield _clock("time", "since the episode's start", lambda steps: steps * dt)
    if horizon is not None:
        left = "until the time limit cuts the episode off"
        yield _clock("time_left", left, lambda steps: (horizon - steps) * dt)
    if is_goal(env.observation_space):
        for key, text in zip(
            GOAL_KEYS, ("where the goal's object is now", "where it should be"), strict=True
        ):
            yield _value(key, (width(env, key),), text, group="goal")


def info_observables(infos: tuple[Mapping[str, Any], ...]) -> Iterator[Definition]:
    """Numbers of `info`, as a reset and a step returned them; the env's own reward is hidden."""
    native = Observable("native_reward", (), "", "", "the env's own reward", "native", hidden=True)
    yield Definition(native, (StepValue("reward"),), as_is)
    merged = {key: np.asarray(value) for info in infos for key, value in info.items() if _is_numeric(value)}
    for key, array in sorted(merged.items()):
        own = any(word in key for word in REWARD_KEYS)
        text = "part of the env's own reward" if own else f"the env's info[{key!r}]"
        missing = "" if all(key in info for info in infos) else "; 0 where the env doesn't give it"
        group = "native" if own else "info"
        name = f"info_{identifier(key)}"
        observable = Observable(name, array.shape, "", "", text + missing, group, hidden=own)
        yield Definition(observable, (InfoValue(key, array.shape),), as_is)


def state_observables(model: Model, dt: float) -> Iterator[Definition]:
    """The state as a whole, for what has no name of its own."""
    mj = model.mj
    for name, size, text in (
        ("qpos", mj.nq, "all joint positions, in the model's order (free and ball joints as quaternions)"),
        ("qvel", mj.nv, "all joint velocities, in the model's order"),
        ("ctrl", mj.nu, "control the actuators got"),
        ("actuator_force", mj.nu, "force or torque of each actuator"),
    ):
        if size:
            observable = Observable(name, (size,), "", "", text, "state")
            yield Definition(observable, (DataSlice(name, 0, size, (size,)),), as_is)
    centre = _state("com_pos", (3,), "m", "centre of mass of everything")
    yield Definition(centre, (element("subtree_com", 0, 3),), as_is)
    yield _com_linvel(model)
    text = (
        "MuJoCo's external wrench on each body (world first): torque, then force, of contacts and connections"
    )
    wrench = DataSlice("cfrc_ext", 0, mj.nbody * 6, (mj.nbody, 6))
    yield Definition(_state("cfrc_ext", (mj.nbody, 6), "N m, N", text), (wrench,), as_is)
    yield air_time("air_time", "state", 0, dt, "anything last touched the ground")


def air_time(name: str, group: str, body: int, dt: float, since: str) -> Definition:
    """Seconds off the ground."""
    text = f"time since {since}, or since the episode's start; 0 while it touches, seen at each step's end"
    observable = Observable(name, (), "s", "", text, group)
    return Definition(observable, (ContactSum("touch", body),), as_is, time_since(dt))


def _com_linvel(model: Model) -> Definition:
    """Momentum over mass: MuJoCo computes `subtree_linvel` only for models with a sensor for it."""
    mj, count = model.mj, model.mj.nbody
    roots, share = mj.body_rootid.copy(), mj.body_mass / mj.body_mass.sum()

    def velocity(cvel: Array, centres: Array, places: Array) -> Array:
        return np.asarray(np.einsum("b,nbi->ni", share, point_velocity(cvel, centres[:, roots], places)))

    needs = tuple(
        DataSlice(field, 0, count * size, (count, size))
        for field, size in (("cvel", 6), ("subtree_com", 3), ("xipos", 3))
    )
    text = "velocity of the centre of mass of everything"
    return Definition(_state("com_linvel", (3,), "m/s", text), needs, velocity)


def _is_numeric(value: object) -> bool:
    if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        return False
    array = np.asarray(value)
    return array.dtype.kind in "biuf" and array.size > 0


def _state(name: str, shape: tuple[int, ...], unit: str, text: str) -> Observable:
    return Observable(name, shape, unit, "world", text, "state")


def _value(name: str, shape: tuple[int, ...], text: str, group: str = "episode") -> Definition:
    return Definition(Observable(name, shape, "", "", text, group), (StepValue(name, shape),), as_is)


def _clock(name: str, text: str, function: Callable[[Array], Array]) -> Definition:
    return Definition(Observable(name, (), "s", "", text, "episode"), (StepValue("steps"),), function)
