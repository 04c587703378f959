"""The vocabulary as text: complete, and short where patterns repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eureka_loop.propose.llm.table import HEADER, vocabulary_text
from eureka_loop.reward.vocabulary import Observable, Vocabulary

SUFFIXES = {"pos": (3,), "quat": (4,), "up": (3,), "linvel": (3,), "angvel": (3,), "air_time": ()}


def body(word: str, **ranges: Any) -> list[Observable]:
    return [
        Observable(f"{word}_{suffix}", shape, "m", "world", f"{suffix} of body {word}", word, **ranges)
        for suffix, shape in SUFFIXES.items()
    ]


def joint(word: str) -> list[Observable]:
    sign = "positive: moves what it carries toward +x (right-handed about +y in the starting pose)"
    angle = Observable(f"{word}_angle", (), "rad", "joint", f"angle of joint {word}; {sign}", "joints hand")
    speed = Observable(f"{word}_velocity", (), "rad/s", "joint", f"velocity of {word}; {sign}", "joints hand")
    return [
        replace(angle, start=(0.1,), low=(-1.0,), high=(1.0,)),
        replace(speed, start=(0.0,), low=(-9.0,), high=(9.0,)),
    ]


def text(*observables: Observable, constants: dict[str, str] | None = None) -> str:
    return vocabulary_text(Vocabulary("Any-v0", observables, constants or {}))


def rows(*observables: Observable) -> list[str]:
    return [line for line in text(*observables).splitlines() if line and not line.startswith("##")][1:]


def test_a_hand_stays_readable() -> None:
    fingers = [f"finger{n}" for n in range(24)]
    observables = [row for word in fingers for row in [*body(f"{word}_link"), *joint(word)]]
    limits = {f"joint {word!r}": "0.00 to 1.57 rad" for word in fingers}
    told = text(*observables, constants=limits)
    assert len(observables) == 192
    assert len(told.splitlines()) == 1 + 2 + len(SUFFIXES) + 2 + 24
    assert told.count("limits 0.00 to 1.57 rad") == 24
    assert "## constants" not in told
    assert all(f"{word}_angle" in told and f"{word}_velocity" in told for word in fingers)
    assert all(f"{word}_link" in told for word in fingers)


def test_a_joint_s_line() -> None:
    assert rows(*joint("hip")) == [
        "hip_angle rad: start 0.1, random -1..1; hip_velocity rad/s: random -9..9; "
        "positive: moves what it carries toward +x (right-handed about +y)"
    ]


def test_bodies_are_folded_and_exceptions_named() -> None:
    touch = Observable("b_touch", (), "N", "world", "touch of body b", "b")
    told = text(*body("a"), *body("b"), touch, *body("c"))
    assert "## bodies: * is one of a, b, c" in told
    assert "*_up | (N, 3) | m, world | up of body * | - | -" in told
    assert "*_touch | (N,) | N, world | touch of body * (only for b) | - | -" in told


def test_ranges_are_those_of_all_members() -> None:
    one = Observable(
        "a_pos", (2,), "m", "", "position of site a", "sites", (0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)
    )
    other = Observable(
        "b_pos", (2,), "m", "", "position of site b", "sites", (3.0, 1.0), (0.0, 0.5), (4.0, 1.0)
    )
    assert rows(one, other) == [
        "*_pos | (N, 2) | m | position of site * | a (0, 1); b (3, 1) | (-1..4, 0.5..1)"
    ]


def test_sensors_fold_by_their_kind() -> None:
    gyro = [Observable(f"sensor_{n}", (3,), "", "", f"the model's gyro sensor {n}", "sensors") for n in "ab"]
    touch = Observable("sensor_c", (), "", "", "the model's touch sensor c", "sensors")
    assert rows(*gyro, touch) == [
        "sensor_* | (N, 3) | - | the model's gyro sensor * (not for c) | - | -",
        "sensor_* | (N,) | - | the model's touch sensor * (only for c) | - | -",
    ]


def test_hidden_ones_are_never_told() -> None:
    hidden = Observable("native_reward", (), hidden=True, group="native")
    assert "native" not in text(hidden, Observable("x", ()))
    assert text(hidden) == HEADER


@pytest.mark.parametrize(
    ("start", "low", "high", "told"),
    [
        ((0.0,), (-1.834,), (2.28,), "0 | -1.8..2.3"),
        ((0.001,), (-0.6,), (0.7,), "0 | -0.6..0.7"),
        ((0.001,), (0.0005,), (0.0015,), "0.001 | 0.0005..0.0015"),
        ((50.0,), (48.5,), (49.95,), "50 | 48..50"),
        ((0.0,), (0.0,), (0.0,), "0 | 0"),
        ((0.0,), (-1e7,), (1.2345e7,), "0 | -1e+07..1.234e+07"),
        ((0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), "(0, 1) | (-1..1, 1)"),
        ((0.0, 0.0), (-1.0, -1.0), (1.0, 1.0), "(0, 0) | -1..1"),
        ((0.0,) * 5, (-2.0,) * 5, (3.0,) * 5, "- | -2..3 in all"),
        (None, None, None, "- | -"),
        ((0.0,), (float("-inf"),), (1.0,), "0.0 | -inf..1.0"),
    ],
)  # fmt: skip
def test_numbers(start: Any, low: Any, high: Any, told: str) -> None:
    shape = () if start is None or len(start) == 1 else (len(start),)
    (line,) = rows(Observable("x", shape, start=start, low=low, high=high))
    assert line.split(" | ", 4)[4] == told
