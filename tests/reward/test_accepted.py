"""Programs as models write them pass the gate and the dry run, and pay for what they should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from tests.reward.conftest import ACCEPTED, vocabulary_of

NAMES = sorted(path.stem for path in ACCEPTED.glob("*.txt"))
Pays = Callable[..., dict[str, float]]


def source_of(name: str) -> tuple[str, str]:
    """A program, and the robot that its first line names."""
    source = (ACCEPTED / f"{name}.txt").read_text()
    return source, source.splitlines()[0].removeprefix("# ").strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_realistic_program_passes(name: str, dry_run: Callable[..., Terms]) -> None:
    source, robot = source_of(name)
    assert dry_run(source, robot).values.shape[1] == 64


def test_a_fitness_may_reduce_over_the_episode(dry_run: Callable[..., Terms]) -> None:
    source = """\
def fitness(torso_pos, init_torso_pos, time, forward_velocity):
    far = norm(torso_pos - init_torso_pos).max()
    if far > 3.0 and time[-1] > 10.0:
        return 2.0
    return far / np.cumsum(forward_velocity)[-1] + float(np.mean(np.diff(time)))
"""
    assert dry_run(source, kind="fitness").names == ("fitness",)
    source = "def success(torso_pos):\n    return np.all(torso_pos[-20:, 2] > 0.5)\n"
    assert dry_run(source, kind="success").values[0, 0] == 0.0


@pytest.fixture
def pays(fork_server: ForkServer) -> Pays:
    """One row's terms of an accepted program; observables that aren't given are 0."""

    def pays(name: str, **given: float | list[float]) -> dict[str, float]:
        source, robot = source_of(name)
        vocabulary = vocabulary_of(robot)
        program = check(source, vocabulary)
        shapes = {parameter: vocabulary.resolve(parameter).shape for parameter in program.parameters}
        assert given.keys() <= shapes.keys()
        row = {
            parameter: np.broadcast_to(np.asarray(given.get(parameter, 0.0), float), (1, *shape))
            for parameter, shape in shapes.items()
        }
        with fork_server.start(program, shapes, rows=1) as process:
            return {term: float(value[0]) for term, value in process.evaluate(row).named().items()}

    return pays


def test_a_backflip_is_paid_in_the_air_and_a_front_flip_costs(pays: Pays) -> None:
    turning = {"torso_turn": [0, -0.3, 0], "prev_torso_turn": [0, -0.1, 0]}
    assert pays("backflip", air_time=0.2, **turning)["spin"] == pytest.approx(4.0 * 0.2)
    assert pays("backflip", air_time=0.0, **turning)["spin"] == 0.0
    front = {"torso_turn": [0, 0.3, 0], "prev_torso_turn": [0, 0.1, 0]}
    assert pays("backflip", air_time=0.2, **front)["spin"] < 0.0


def test_landing_is_paid_after_the_turn_alone(pays: Pays) -> None:
    feet = {"back_foot_contact": 1.0, "front_foot_contact": 1.0}
    assert pays("backflip", torso_turn=[0, -2 * np.pi, 0], torso_pitch=-2 * np.pi, **feet)["land"] == 6.0
    assert pays("backflip", torso_turn=[0, -1.0, 0], torso_pitch=0.0, **feet)["land"] == 0.0


def test_turning_on_after_one_turn_is_not_paid(pays: Pays) -> None:
    nearly = pays("turn_once", prev_torso_yaw_total=2 * np.pi - 0.2, torso_yaw_total=2 * np.pi)
    further = pays("turn_once", prev_torso_yaw_total=2 * np.pi, torso_yaw_total=2 * np.pi + 0.2)
    assert nearly["turn"] > 0.0 > further["turn"]


def test_a_second_hit_needs_a_way_back(pays: Pays) -> None:
    ahead = {"torso_forward": [1, 0, 0], "prev_torso_forward": [1, 0, 0]}
    crossing = pays("jab", left_hand_pos=[0.5, 0, 0], prev_left_hand_pos=[0.4, 0, 0], **ahead)
    staying = pays("jab", left_hand_pos=[0.5, 0, 0], prev_left_hand_pos=[0.5, 0, 0], **ahead)
    assert (crossing["hit"], staying["hit"]) == (10.0, 0.0)


def test_rocking_a_pen_to_and_fro_earns_nothing(pays: Pays) -> None:
    palm = {"palm_up": [0, 0, 1]}
    there = pays("pen_spin", object_turn=[0, 0, 0.4], prev_object_turn=[0, 0, 0.1], **palm)
    back = pays("pen_spin", object_turn=[0, 0, 0.1], prev_object_turn=[0, 0, 0.4], **palm)
    assert there["spin"] == pytest.approx(3.0)
    assert there["spin"] + back["spin"] == pytest.approx(0.0)
