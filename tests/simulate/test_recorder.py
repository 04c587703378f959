from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_loop.envs.domain import DomainObservable, observable
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Array
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.recorder import Recorder, Transitions


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
TRACKERS = ("torso_turn", "torso_yaw_total", "air_time", "body4_air_time")
STATE = ("qpos", "action", "terminated", "obs", "time", "torso_contact_force")
BEFORE = ("acceleration", "drift", "torso_turn", "air_time", "qpos", "action")
NAMES = [each.name for each in OWN] + [*TRACKERS, *STATE, "init_acceleration", "init_qpos"]
NAMES += [f"prev_{name}" for name in BEFORE]


class Tee:
    """Tells two recorders the same."""

    def __init__(self, *recorders: Recorder) -> None:
        self.recorders = recorders
        self.taken: list[Transitions] = []

    def reset(self, *arguments: Any) -> None:
        for recorder in self.recorders:
            recorder.reset(*arguments)

    def step(self, *arguments: Any) -> None:
        for recorder in self.recorders:
            recorder.step(*arguments)
        self.taken.append(self.recorders[0].take())


@pytest.fixture
def ant(domain_of: Any) -> tuple[Any, Instruments]:
    env = gymnasium.make("Ant-v5", max_episode_steps=60)
    return env, Instruments(env, domain_of(OWN))


def test_taking_after_every_step_gives_the_same_as_taking_once(ant: Any, roll: Any) -> None:
    env, instruments = ant
    often, once = instruments.recorder(NAMES, 1), instruments.recorder(NAMES, 1)
    tee = Tee(often, once)
    roll(env, tee, 200, cut=37)
    whole = once.take()
    assert whole.done.sum() >= 5
    assert len(whole) == 200
    for name in NAMES:
        pieces = np.concatenate([taken.columns[name] for taken in tee.taken])
        np.testing.assert_array_equal(pieces, whole.columns[name], err_msg=name)
    for field in ("env_index", "episode_start", "done", "truncated"):
        np.testing.assert_array_equal(
            np.concatenate([getattr(taken, field) for taken in tee.taken]), getattr(whole, field)
        )


def test_prev_and_init_respect_episodes(ant: Any, roll: Any) -> None:
    env, instruments = ant
    recorder = instruments.recorder(NAMES, 1)
    data = env.unwrapped.data
    roll(env, recorder, 100, look=lambda: data.qpos.copy(), cut=30)
    taken = recorder.take()
    columns, starts = taken.columns, taken.episode_start
    np.testing.assert_array_equal(np.flatnonzero(starts), [0, 30, 60, 90])
    np.testing.assert_array_equal(np.flatnonzero(taken.done), [29, 59, 89])
    np.testing.assert_array_equal(taken.truncated, taken.done)
    inner = np.flatnonzero(~starts)
    for name in BEFORE:
        np.testing.assert_array_equal(columns[f"prev_{name}"][inner], columns[name][inner - 1], err_msg=name)
    np.testing.assert_array_equal(columns["prev_action"][starts], 0.0)
    np.testing.assert_array_equal(columns["prev_torso_turn"][starts], 0.0)
    np.testing.assert_array_equal(columns["prev_air_time"][starts], 0.0)
    np.testing.assert_array_equal(columns["init_acceleration"], 0.0)  # nothing has moved at the reset row
    np.testing.assert_array_equal(columns["init_qpos"][starts], columns["prev_qpos"][starts])
    for row in range(100):
        np.testing.assert_array_equal(columns["init_qpos"][row], columns["init_qpos"][row - row % 30])
    assert len(np.unique(columns["init_qpos"][starts], axis=0)) == 4


def test_domain_observables_are_functions_of_the_columns(ant: Any, roll: Any) -> None:
    env, instruments = ant
    recorder = instruments.recorder([*NAMES, "torso_pos", "prev_torso_pos", "init_torso_pos"], 1)
    roll(env, recorder, 80, cut=30)
    columns = recorder.take().columns
    speed = (columns["torso_pos"][:, 0] - columns["prev_torso_pos"][:, 0]) / 0.05
    np.testing.assert_allclose(columns["forward_velocity"], speed)
    walked = columns["torso_pos"][:, 0] - columns["init_torso_pos"][:, 0]
    np.testing.assert_allclose(columns["drift"], np.stack([walked, columns["torso_yaw_total"]], axis=1))


def test_several_envs_come_one_after_the_other(domain_of: Any) -> None:
    envs = [gymnasium.make("InvertedPendulum-v5") for _ in range(3)]
    instruments = Instruments(envs[0], domain_of())
    recorder = instruments.recorder(["qpos", "time", "terminated"], 3)
    single = [instruments.recorder(["qpos", "time", "terminated"], 1) for _ in envs]
    for i, env in enumerate(envs):
        for target, place in ((recorder, i), (single[i], 0)):
            obs, info = env.reset(seed=i)
            target.reset(place, env, obs, info)
        for _ in range(20 + i):
            action = np.array([2.0])
            obs, reward, terminated, truncated, info = env.step(action)
            for target, place in ((recorder, i), (single[i], 0)):
                target.step(place, env, obs, action, reward, terminated, truncated, info)
            if terminated:
                obs, info = env.reset()
                for target, place in ((recorder, i), (single[i], 0)):
                    target.reset(place, env, obs, info)
    taken, parts = recorder.take(), [each.take() for each in single]
    np.testing.assert_array_equal(taken.env_index, np.repeat([0, 1, 2], [20, 21, 22]))
    for name in taken.columns:
        np.testing.assert_array_equal(
            taken.columns[name], np.concatenate([part.columns[name] for part in parts])
        )
    np.testing.assert_array_equal(taken.done, taken.columns["terminated"] > 0)
    assert taken.done.any()
    assert not taken.truncated.any()


def test_a_long_stretch_fits(toy: Any, roll: Any, domain_of: Any) -> None:
    env = toy("<mujoco><worldbody><body><joint name='j'/><geom size='.1'/></body></worldbody></mujoco>")
    recorder = Instruments(env, domain_of()).recorder(["j_angle", "time"], 1)
    seen = roll(env, recorder, 1000, look=lambda: env.data.qpos[0])
    columns = recorder.take().columns
    np.testing.assert_array_equal(columns["j_angle"], seen)
    assert columns["time"][-1] == pytest.approx(10.0)
    assert len(recorder.take()) == 0


def test_nothing_recorded_is_nothing_taken(ant: Any) -> None:
    recorder = ant[1].recorder(NAMES, 2)
    taken = recorder.take()
    assert len(taken) == 0
    assert taken.columns["qpos"].shape == (0, 15)


def test_an_unknown_name_is_told_with_its_neighbours(ant: Any) -> None:
    with pytest.raises(UnknownName, match="torso_linvel"):
        ant[1].recorder(["torso_linvl"], 1)


def declare(function: Any, **more: Any) -> DomainObservable:
    return observable(unit="", **more)(function)


def test_a_wrong_shape_names_the_observable_and_its_file(roll: Any, domain_of: Any) -> None:
    env = gymnasium.make("InvertedPendulum-v5")

    def height(pole_pos: Array) -> Array:
        return pole_pos[:, 2:]

    recorder = Instruments(env, domain_of([declare(height)])).recorder(["height"], 1)
    roll(env, recorder, 7, cut=100)
    with pytest.raises(BadInput, match=r"(?s)'toybox' \(.*test_recorder\).*'height'.*\(9, 1\).*says \(N,\)"):
        recorder.take()


def test_observables_in_a_circle_are_refused(domain_of: Any) -> None:
    def chicken(egg: Array) -> Array:
        return egg

    def egg(prev_chicken: Array) -> Array:
        return prev_chicken

    with pytest.raises(BadInput, match="chicken → egg → chicken"):
        Instruments(gymnasium.make("InvertedPendulum-v5"), domain_of([declare(chicken), declare(egg)]))


def test_a_missing_need_is_told(domain_of: Any) -> None:
    def height(pole_poss: Array) -> Array:
        return pole_poss

    with pytest.raises(
        BadInput, match="'height' needs an unknown observable 'pole_poss'; did you mean 'pole_pos'"
    ):
        Instruments(gymnasium.make("InvertedPendulum-v5"), domain_of([declare(height)]))


def test_a_taken_name_is_refused(domain_of: Any) -> None:
    def action(obs: Array) -> Array:
        return obs

    with pytest.raises(BadInput, match="'action' already"):
        Instruments(gymnasium.make("InvertedPendulum-v5"), domain_of([declare(action)]))


def test_domain_functions_cant_write_into_columns(roll: Any, domain_of: Any) -> None:
    def height(pole_pos: Array) -> Array:
        pole_pos[:] = 0.0
        return pole_pos[:, 2]

    env = gymnasium.make("InvertedPendulum-v5")
    recorder = Instruments(env, domain_of([declare(height)])).recorder(["height"], 1)
    roll(env, recorder, 3)
    with pytest.raises(ValueError, match="read-only"):
        recorder.take()
