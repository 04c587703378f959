"""Observables of every env: observation, action, clock, goals, info, and the state as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.definitions import (
    ContactSum,
    DataSlice,
    Definition,
    InfoValue,
    StepValue,
    automatic,
    element,
    time_since,
)
from eureka_loop.simulate.env import GOAL_KEYS, is_goal, width
from eureka_loop.simulate.kinematics import point_velocity
from eureka_loop.simulate.model import Model, identifier

REWARD_KEYS = ("reward", "penalty", "cost")  # in the keys of `info` that hold parts of the env's own reward


def step_observables(env: gymnasium.Env[Any, Any], dt: float, horizon: int | None) -> Iterator[Definition]:
    """The step's arguments and results, a goal env's two goals, and the clock."""
    define = partial(automatic, frame="", group="episode")
    yield define("obs", "", "the policy's observation, flattened", StepValue("obs", (width(env, "obs"),)))
    text = "action applied in this step, as the env got it; prev_action is 0 at first"
    action = StepValue("action", (int(gymnasium.spaces.flatdim(env.action_space)),))
    yield define("action", "", text, action)
    text = "1 where the env ended the episode itself (not by its time limit), else 0"
    yield define("terminated", "", text, StepValue("terminated"))
    steps = StepValue("steps")
    yield define("dt", "s", "duration of a step", steps, function=lambda steps: np.full_like(steps, dt))
    yield define("time", "s", "since the episode's start", steps, function=lambda steps: steps * dt)
    if horizon is not None:
        text = "until the time limit cuts the episode off"
        yield define("time_left", "s", text, steps, function=lambda steps: (horizon - steps) * dt)
    if is_goal(env.observation_space):
        texts = ("where the goal's object is now", "where it should be")
        for key, text in zip(GOAL_KEYS, texts, strict=True):
            yield automatic(key, "", text, StepValue(key, (width(env, key),)), frame="", group="goal")


def info_observables(infos: tuple[Mapping[str, Any], ...]) -> Iterator[Definition]:
    """Numbers of `info`, as a reset and a step returned them; the env's own reward is hidden."""
    yield _native("native_reward", "the env's own reward", StepValue("reward"))
    merged = {key: np.asarray(value) for info in infos for key, value in info.items() if _is_numeric(value)}
    for key, array in sorted(merged.items()):
        missing = "" if all(key in info for info in infos) else "; 0 where the env doesn't give it"
        name, value = f"info_{identifier(key)}", InfoValue(key, array.shape)
        if any(word in key for word in REWARD_KEYS):
            yield _native(name, f"part of the env's own reward{missing}", value)
        else:
            yield automatic(name, "", f"the env's info[{key!r}]{missing}", value, frame="", group="info")


def _native(name: str, text: str, value: StepValue | InfoValue) -> Definition:
    definition = automatic(name, "", text, value, frame="", group="native")
    return replace(definition, observable=replace(definition.observable, hidden=True))


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
            yield automatic(name, "", text, DataSlice(name, 0, size, (size,)), frame="")
    yield automatic("com_pos", "m", "centre of mass of everything", element("subtree_com", 0, 3))
    yield _com_linvel(model)
    text = (
        "MuJoCo's external wrench on each body (world first): torque, then force, of contacts and connections"
    )
    yield automatic("cfrc_ext", "N m, N", text, DataSlice("cfrc_ext", 0, mj.nbody * 6, (mj.nbody, 6)))
    yield air_time("air_time", "state", 0, dt, "anything last touched the ground")


def air_time(name: str, group: str, body: int, dt: float, since: str) -> Definition:
    """Seconds off the ground."""
    text = f"time since {since}, or since the episode's start; 0 while it touches, seen at each step's end"
    touches = ContactSum("touch", body)
    return automatic(name, "s", text, touches, frame="", group=group, accumulate=time_since(dt))


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
    return automatic("com_linvel", "m/s", text, *needs, shape=(3,), function=velocity)


def _is_numeric(value: object) -> bool:
    if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        return False
    array = np.asarray(value)
    return array.dtype.kind in "biuf" and array.size > 0
