from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_loop.envs.domain import DomainObservable, observable
from eureka_loop.errors import BadInput
from eureka_loop.records import Array
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import Transitions

FIELDS = ("env_index", "episode_start", "done", "truncated")


@observable(unit="m/s")
def forward_velocity(torso_pos: Array, prev_torso_pos: Array, dt: Array) -> Array:
    """Speed along +x."""
    return (torso_pos[:, 0] - prev_torso_pos[:, 0]) / dt


@observable(unit="m/s^2")
def acceleration(forward_velocity: Array, prev_forward_velocity: Array, dt: Array) -> Array:
    """Change of an observable that itself looks one row back."""
    return (forward_velocity - prev_forward_velocity) / dt


@observable(unit="", shape=(2,))
def drift(torso_pos: Array, init_torso_pos: Array, torso_yaw_total: Array) -> Array:
    """Distance from the start, and a tracker."""
    return np.stack([torso_pos[:, 0] - init_torso_pos[:, 0], torso_yaw_total], axis=1)


OWN = (forward_velocity, acceleration, drift)
BEFORE = ("acceleration", "drift", "torso_turn", "air_time", "qpos", "action")
NAMES = [each.name for each in OWN]
NAMES += ["torso_turn", "torso_yaw_total", "air_time", "body4_air_time", "init_acceleration", "init_qpos"]
NAMES += ["qpos", "action", "terminated", "obs", "time", "torso_contact_force", "torso_pos", "prev_torso_pos"]
NAMES += [f"prev_{name}" for name in BEFORE]


@pytest.fixture
def ant(domain_of: Any) -> tuple[Any, ObservableRegistry]:
    env = gymnasium.make("Ant-v5", max_episode_steps=60)
    return env, ObservableRegistry(env, domain_of(OWN))


def test_taking_after_every_step_gives_the_same_as_taking_once(ant: Any, roll: Any) -> None:
    env, registry = ant
    often, once = registry.buffer(NAMES, 1), registry.buffer(NAMES, 1)
    pieces: list[Transitions] = []
    env = RecordedEnv(gymnasium.wrappers.TimeLimit(env, 37), once)
    roll(env, often, 200, look=lambda: pieces.append(often.take()))
    whole = once.take()
    assert whole.done.sum() >= 5
    assert len(whole) == 200
    for name in NAMES:
        joined = np.concatenate([taken.columns[name] for taken in pieces])
        np.testing.assert_array_equal(joined, whole.columns[name], err_msg=name)
    for field in FIELDS:
        joined = np.concatenate([getattr(taken, field) for taken in pieces])
        np.testing.assert_array_equal(joined, getattr(whole, field))


def test_prev_and_init_respect_episodes(ant: Any, roll: Any) -> None:
    env, registry = ant
    buffer = registry.buffer(NAMES, 1)
    roll(env, buffer, 100, cut=30)
    taken = buffer.take()
    columns, starts = taken.columns, taken.episode_start
    np.testing.assert_array_equal(np.flatnonzero(starts), [0, 30, 60, 90])
    np.testing.assert_array_equal(np.flatnonzero(taken.done), [29, 59, 89])
    np.testing.assert_array_equal(taken.truncated, taken.done)
    inner = np.flatnonzero(~starts)
    for name in BEFORE:
        np.testing.assert_array_equal(columns[f"prev_{name}"][inner], columns[name][inner - 1], err_msg=name)
    for name in ("action", "torso_turn", "air_time"):
        np.testing.assert_array_equal(columns[f"prev_{name}"][starts], 0.0)
    np.testing.assert_array_equal(columns["init_acceleration"], 0.0)  # nothing has moved at the reset row
    np.testing.assert_array_equal(
        columns["init_qpos"], np.repeat(columns["prev_qpos"][starts], [30] * 3 + [10], 0)
    )
    assert len(np.unique(columns["init_qpos"][starts], axis=0)) == 4
    speed = (columns["torso_pos"][:, 0] - columns["prev_torso_pos"][:, 0]) / 0.05
    np.testing.assert_allclose(columns["forward_velocity"], speed)


def test_only_what_is_asked_for_is_copied(ant: Any) -> None:
    assert [raw.field for raw in ant[1].buffer(["qpos", "prev_qpos"], 1).raws] == ["qpos"]


def declare(function: Any, **more: Any) -> DomainObservable:
    return observable(unit="", **more)(function)


def chicken(egg: Array) -> Array:
    return egg


def egg(prev_chicken: Array) -> Array:
    return prev_chicken


def height(pole_poss: Array) -> Array:
    return pole_poss


def action(obs: Array) -> Array:
    return obs


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ([chicken, egg], "chicken → egg → chicken"),
        ([height], "'height' needs an unknown observable 'pole_poss'; did you mean 'pole_pos'"),
        ([action], "'action' is there already"),
    ],
)
def test_what_cannot_be_computed_is_refused(functions: Any, message: str, domain_of: Any) -> None:
    with pytest.raises(BadInput, match=message):
        ObservableRegistry(gymnasium.make("InvertedPendulum-v5"), domain_of(map(declare, functions)))


def test_a_wrong_shape_names_the_observable_and_its_file(roll: Any, domain_of: Any) -> None:
    def height(pole_pos: Array) -> Array:
        return pole_pos[:, 2:]

    env = gymnasium.make("InvertedPendulum-v5")
    buffer = ObservableRegistry(env, domain_of([declare(height)])).buffer(["height"], 1)
    roll(env, buffer, 7, cut=100)
    with pytest.raises(
        BadInput, match=r"(?s)'toybox' \(.*test_step_buffer\).*'height'.*\(9, 1\).*says \(N,\)"
    ):
        buffer.take()


def test_domain_functions_cant_write_into_columns(roll: Any, domain_of: Any) -> None:
    def height(pole_pos: Array) -> Array:
        pole_pos[:] = 0.0
        return pole_pos[:, 2]

    env = gymnasium.make("InvertedPendulum-v5")
    buffer = ObservableRegistry(env, domain_of([declare(height)])).buffer(["height"], 1)
    roll(env, buffer, 3)
    with pytest.raises(ValueError, match="read-only"):
        buffer.take()
