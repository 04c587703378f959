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
from eureka_loop.simulate.step_buffer import EpisodeCollector, Transitions


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
FLIGHT = ("torso_flight_turn", "torso_flight_move")
BEFORE = ("acceleration", "drift", "torso_turn", *FLIGHT, "air_time", "qpos", "action")
NAMES = [each.name for each in OWN]
NAMES += [
    "torso_turn",
    *FLIGHT,
    "torso_yaw_total",
    "air_time",
    "body4_air_time",
    "init_acceleration",
    "init_qpos",
]
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
    for field in ("env_index", "episode_start", "done"):
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
    inner = np.flatnonzero(~starts)
    for name in BEFORE:
        np.testing.assert_array_equal(columns[f"prev_{name}"][inner], columns[name][inner - 1], err_msg=name)
    for name in ("action", "torso_turn", *FLIGHT, "air_time"):
        np.testing.assert_array_equal(columns[f"prev_{name}"][starts], 0.0)
    np.testing.assert_array_equal(columns["init_acceleration"], 0.0)  # nothing has moved at the reset row
    first = np.repeat(columns["prev_qpos"][starts], [30, 30, 30, 10], axis=0)
    np.testing.assert_array_equal(columns["init_qpos"], first)
    assert len(np.unique(first, axis=0)) == 4


def declare(function: Any) -> DomainObservable:
    return observable(unit="")(function)


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
        ([chicken, egg], "in a circle: (chicken → egg → chicken|egg → chicken → egg)"),
        ([height], "'height' needs an unknown observable 'pole_poss'; did you mean 'pole_pos'"),
        ([action], "'action' is there already"),
    ],
)
def test_what_cannot_be_computed_is_refused(functions: Any, message: str, domain_of: Any) -> None:
    with pytest.raises(BadInput, match=message):
        ObservableRegistry(gymnasium.make("InvertedPendulum-v5"), domain_of(map(declare, functions)))


def two_columns(pole_pos: Array) -> Array:
    return pole_pos[:, 1:]


def overwritten(pole_pos: Array) -> Array:
    pole_pos[:] = 0.0
    return pole_pos[:, 2]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (two_columns, BadInput, r"(?s)'toybox' \(.*test_step_buffer\).*'two_columns'.*\(4, 2\).*says \(N,\)"),
        (overwritten, ValueError, "read-only"),
    ],
)
def test_a_domains_function_keeps_to_its_declaration(
    function: Any, error: type[Exception], message: str, roll: Any, domain_of: Any
) -> None:
    env = gymnasium.make("InvertedPendulum-v5")
    buffer = ObservableRegistry(env, domain_of([declare(function)])).buffer([function.__name__], 1)
    roll(env, buffer, 3)
    with pytest.raises(error, match=message):
        buffer.take()


def test_episodes_are_put_together_across_pieces() -> None:
    """In order of env; one that a reset broke off is dropped."""
    collector = EpisodeCollector(2)
    found = []
    for envs, values, done, starts in (
        ([0, 0, 0, 1, 1], [1, 2, 3, 10, 11], [1], []),
        ([0, 1, 1], [4, 12, 13], [1, 2], []),
        ([0, 0], [5, 6], [1], []),
        ([0, 0], [7, 8], [], [0]),
        ([0, 0, 0], [9, 14, 15], [2], [1]),
        ([], [], [], []),
    ):
        rows = np.arange(len(envs))
        marks = [np.isin(rows, each) for each in (starts, done)]
        found += collector.add(Transitions({"x": np.array(values, float)}, np.array(envs, int), *marks))
    episodes = [each["x"].tolist() for each in found]
    assert episodes == [[1, 2], [10, 11, 12], [13], [3, 4, 5, 6], [14, 15]]
