"""The four tasks of memory and sign: what the programs pay for, on made-up rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward.functions import namespace, warm_up
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import compile_ready
from eureka_loop.reward.vocabulary import Vocabulary

ACCEPTED = Path(__file__).parent / "accepted"


@pytest.fixture
def pays(vocabularies: Callable[[str], Vocabulary]) -> Callable[..., dict[str, float]]:
    """One row's terms; observables that aren't given are 0."""

    def pays(name: str, **given: float | list[float]) -> dict[str, float]:
        source = (ACCEPTED / f"{name}.txt").read_text()
        vocabulary = vocabularies(source.splitlines()[0].removeprefix("# "))
        program = check(source, vocabulary)
        row: dict[str, Array] = {}
        for parameter in program.parameters:
            value = given.pop(parameter, 0.0)
            row[parameter] = np.broadcast_to(
                np.asarray(value, float), (1, *vocabulary.resolve(parameter).shape)
            )
        assert not given
        warm_up()
        scope = namespace()
        exec(compile(compile_ready(source), "<program>", "exec"), scope)
        return {term: float(value[0]) for term, value in scope["compute_reward"](**row).items()}  # type: ignore[operator]

    return pays


def test_a_backflip_is_paid_in_the_air(pays: Callable[..., dict[str, float]]) -> None:
    turning = {"torso_turn": [0, -0.3, 0], "prev_torso_turn": [0, -0.1, 0]}
    assert pays("backflip", air_time=0.2, **turning)["spin"] == pytest.approx(4.0 * 0.2)


def test_a_backflip_on_the_ground_is_not_paid(pays: Callable[..., dict[str, float]]) -> None:
    turning = {"torso_turn": [0, -0.3, 0], "prev_torso_turn": [0, -0.1, 0]}
    assert pays("backflip", air_time=0.0, **turning)["spin"] == 0.0


def test_a_front_flip_costs(pays: Callable[..., dict[str, float]]) -> None:
    turning = {"torso_turn": [0, 0.3, 0], "prev_torso_turn": [0, 0.1, 0]}
    assert pays("backflip", air_time=0.2, **turning)["spin"] < 0.0


def test_landing_is_paid_after_the_turn_alone(pays: Callable[..., dict[str, float]]) -> None:
    feet = {"back_foot_contact": 1.0, "front_foot_contact": 1.0}
    assert pays("backflip", torso_turn=[0, -2 * np.pi, 0], torso_pitch=-2 * np.pi, **feet)["land"] == 6.0
    assert pays("backflip", torso_turn=[0, -1.0, 0], torso_pitch=0.0, **feet)["land"] == 0.0


def test_turning_on_after_one_turn_is_not_paid(pays: Callable[..., dict[str, float]]) -> None:
    nearly = pays("turn_once", prev_torso_yaw_total=2 * np.pi - 0.2, torso_yaw_total=2 * np.pi)
    further = pays("turn_once", prev_torso_yaw_total=2 * np.pi, torso_yaw_total=2 * np.pi + 0.2)
    assert nearly["turn"] > 0.0 > further["turn"]


def test_a_second_hit_needs_a_way_back(pays: Callable[..., dict[str, float]]) -> None:
    ahead = {"torso_forward": [1, 0, 0], "prev_torso_forward": [1, 0, 0]}
    crossing = pays("jab", left_hand_pos=[0.5, 0, 0], prev_left_hand_pos=[0.4, 0, 0], **ahead)
    staying = pays("jab", left_hand_pos=[0.5, 0, 0], prev_left_hand_pos=[0.5, 0, 0], **ahead)
    assert (crossing["hit"], staying["hit"]) == (10.0, 0.0)


def test_rocking_a_pen_to_and_fro_earns_nothing(pays: Callable[..., dict[str, float]]) -> None:
    palm = {"palm_up": [0, 0, 1]}
    there = pays("pen_spin", object_turn=[0, 0, 0.4], prev_object_turn=[0, 0, 0.1], **palm)
    back = pays("pen_spin", object_turn=[0, 0, 0.1], prev_object_turn=[0, 0, 0.4], **palm)
    assert there["spin"] == pytest.approx(3.0)
    assert there["spin"] + back["spin"] == pytest.approx(0.0)


def test_a_pen_is_spun_about_the_palms_normal_wherever_it_points(
    pays: Callable[..., dict[str, float]],
) -> None:
    sideways = pays("pen_spin", object_turn=[0.3, 0, 0], palm_up=[1, 0, 0])
    across = pays("pen_spin", object_turn=[0.3, 0, 0], palm_up=[0, 0, 1])
    assert sideways["spin"] > 0.0 == across["spin"]
