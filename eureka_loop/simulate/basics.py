"""What every env offers: observation, action, time, goal, info, and the state as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.bodies import air_time
from eureka_loop.simulate.kinematics import point_velocity
from eureka_loop.simulate.model import Model
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.observation import GOAL_KEYS, is_goal, width
from eureka_loop.simulate.quantities import FromInfo, Given, Quantity, Raw, Slice, as_is, slice_of

OWN_REWARD = ("reward", "penalty", "cost")  # in the keys of `info` that hold the reward's parts


def step_quantities(env: gymnasium.Env[Any, Any], dt: float, horizon: int | None) -> Iterator[Quantity]:
    """What the env's step takes and gives, and the clock."""
    yield _given("obs", (width(env, "obs"),), "", "the policy's observation, flattened")
    action = int(gymnasium.spaces.flatdim(env.action_space))
    yield _given(
        "action", (action,), "", "action applied in this step, as the env got it; prev_action is 0 at first"
    )
    yield _given(
        "terminated", (), "", "1 where the env ended the episode itself (not by its time limit), else 0"
    )
    yield _clock("dt", "duration of a step", lambda steps: np.full_like(steps, dt))
    yield _clock("time", "since the episode's start", lambda steps: steps * dt)
    if horizon is not None:
        yield _clock(
            "time_left", "until the time limit cuts the episode off", lambda steps: (horizon - steps) * dt
        )


def goal_quantities(env: gymnasium.Env[Any, Any]) -> Iterator[Quantity]:
    """A goal env's two goals."""
    if is_goal(env.observation_space):
        for key, text in zip(
            GOAL_KEYS, ("where the goal's object is now", "where it should be"), strict=True
        ):
            yield _given(key, (width(env, key),), "", text, group="goal")


def info_quantities(infos: tuple[Mapping[str, Any], ...]) -> Iterator[Quantity]:
    """Numbers of `info`, as a reset and a step showed them; the env's own reward and its parts are hidden."""
    yield _given("native_reward", (), "", "the env's own reward", group="native", key="reward", hidden=True)
    merged = {key: np.asarray(value) for info in infos for key, value in info.items() if _is_numeric(value)}
    for key, array in sorted(merged.items()):
        own = any(word in key for word in OWN_REWARD)
        text = "part of the env's own reward" if own else f"the env's info[{key!r}]"
        missing = "" if all(key in info for info in infos) else "; 0 where the env doesn't give it"
        observable = Observable(
            f"info_{identifier(key)}",
            array.shape,
            "",
            "",
            text + missing,
            "native" if own else "info",
            hidden=own,
        )
        yield Quantity(observable, (FromInfo(key, array.shape),), as_is)


def state_quantities(model: Model, dt: float) -> Iterator[Quantity]:
    """The state as a whole, for what has no name of its own."""
    mj = model.mj
    sizes = {"qpos": mj.nq, "qvel": mj.nv, "ctrl": mj.nu, "actuator_force": mj.nu}
    texts = {
        "qpos": "all joint positions, in the model's order (free and ball joints as quaternions)",
        "qvel": "all joint velocities, in the model's order",
        "ctrl": "control the actuators got",
        "actuator_force": "force or torque of each actuator",
    }
    for name, size in sizes.items():
        if size:
            observable = Observable(name, (size,), "", "", texts[name], "state")
            yield Quantity(observable, (Slice(name, 0, size, (size,)),), as_is)
    yield Quantity(
        _state("com_pos", (3,), "m", "centre of mass of everything"), (slice_of("subtree_com", 0, 3),), as_is
    )
    yield _com_linvel(model)
    text = (
        "MuJoCo's external wrench on each body (world first): torque, then force, of contacts and connections"
    )
    wrench = Slice("cfrc_ext", 0, mj.nbody * 6, (mj.nbody, 6))
    yield Quantity(_state("cfrc_ext", (mj.nbody, 6), "N m, N", text), (wrench,), as_is)
    yield from air_time("air_time", "state", 0, dt, "anything last touched the ground")


def _com_linvel(model: Model) -> Quantity:
    """Momentum over mass: MuJoCo computes `subtree_linvel` only for models with a sensor for it."""
    mj, count = model.mj, model.mj.nbody
    roots, share = mj.body_rootid.copy(), mj.body_mass / mj.body_mass.sum()

    def velocity(cvel: Array, centres: Array, places: Array) -> Array:
        return np.asarray(np.einsum("b,nbi->ni", share, point_velocity(cvel, centres[:, roots], places)))

    needs = (
        Slice("cvel", 0, count * 6, (count, 6)),
        Slice("subtree_com", 0, count * 3, (count, 3)),
        Slice("xipos", 0, count * 3, (count, 3)),
    )
    return Quantity(
        _state("com_linvel", (3,), "m/s", "velocity of the centre of mass of everything"), needs, velocity
    )


def _is_numeric(value: object) -> bool:
    if not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        return False
    array = np.asarray(value)
    return array.dtype.kind in "biuf" and array.size > 0


def _state(name: str, shape: tuple[int, ...], unit: str, text: str) -> Observable:
    return Observable(name, shape, unit, "world", text, "state")


def _given(
    name: str,
    shape: tuple[int, ...],
    unit: str,
    text: str,
    group: str = "episode",
    key: str = "",
    hidden: bool = False,
) -> Quantity:
    raw: Raw = Given(key or name, shape)
    return Quantity(Observable(name, shape, unit, "", text, group, hidden=hidden), (raw,), as_is)


def _clock(name: str, text: str, function: Any) -> Quantity:
    return Quantity(Observable(name, (), "s", "", text, "episode"), (Given("steps"),), function)
