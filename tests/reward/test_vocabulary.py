"""Names that exist, and the nearest ones to those that don't."""

from __future__ import annotations

import pytest

from eureka_loop.errors import UnknownName
from eureka_loop.reward.vocabulary import Observable, Vocabulary

VOCABULARY = Vocabulary(
    "Test-v0",
    (
        Observable("torso_linvel", (3,), unit="m/s"),
        Observable("torso_height", (), unit="m"),
        Observable("left_hand_geom_pos", (3,), unit="m"),
        Observable("prev_action", (2,)),
        Observable("native_reward", (), hidden=True),
    ),
)


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("torso_height", "torso_height"),
        ("prev_torso_height", "torso_height"),
        ("init_torso_height", "torso_height"),
        ("prev_action", "prev_action"),
        ("init_prev_action", "prev_action"),
    ],
)
def test_what_a_parameter_stands_for(parameter: str, name: str) -> None:
    assert VOCABULARY.resolve(parameter).name == name


@pytest.mark.parametrize("parameter", ["height", "prev_prev_torso_height", "prev_", "", "native_reward"])
def test_what_no_parameter_stands_for(parameter: str) -> None:
    assert VOCABULARY.find(parameter) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "init_torso_hight",
            "unknown observable 'init_torso_hight'; did you mean 'init_torso_height' (N,) m or "
            "'init_torso_linvel' (N, 3) m/s or 'init_prev_action' (N, 2)?",
        ),
        (
            "left_hand_pos",
            "unknown observable 'left_hand_pos'; did you mean 'left_hand_geom_pos' (N, 3) m "
            "(no body or site 'left_hand', but a geom)?",
        ),
        ("xyzzy", "unknown observable 'xyzzy'"),
    ],
)
def test_the_nearest_names_with_shape_and_unit(name: str, message: str) -> None:
    with pytest.raises(UnknownName) as unknown:
        VOCABULARY.resolve(name)
    assert str(unknown.value) == message


def test_hidden_names_are_found_only_where_allowed_and_never_proposed() -> None:
    assert VOCABULARY.resolve("prev_native_reward", hidden=True).name == "native_reward"
    with pytest.raises(UnknownName) as unknown:
        VOCABULARY.resolve("native_rewards")
    assert "did you mean" not in str(unknown.value)
