"""New weights in an old text."""

from __future__ import annotations

import ast
import math

import pytest

from eureka_loop.errors import BadInput, Refused, UnknownName
from eureka_loop.reward.weights import number, with_weights

SOURCE = '''\
# Größe
def compute_reward(forward_velocity, action, *, speed=1.0, effort: float = 1e-3,  # keep me
                   turn=2 * np.pi, back=-0.5):
    """Run."""
    return {"speed": speed * forward_velocity, "effort": -effort * np.square(action).sum(axis=1)}
'''


def test_only_the_default_changes() -> None:
    assert with_weights(SOURCE, {"speed": 2.5}) == SOURCE.replace("speed=1.0", "speed=2.5")


def test_several_at_once() -> None:
    changed = with_weights(SOURCE, {"back": 3.0, "effort": 0.01, "turn": 1.0})
    expected = SOURCE.replace("1e-3", "0.01").replace("2 * np.pi", "1.0").replace("-0.5", "3.0")
    assert changed == expected


def test_what_keeps_its_value_keeps_its_spelling() -> None:
    assert with_weights(SOURCE, {"effort": 0.001, "turn": 2 * math.pi, "back": -0.5}) == SOURCE


def test_no_weights_no_change() -> None:
    assert with_weights(SOURCE, {}) == SOURCE


def test_letters_of_several_bytes_before_a_weight() -> None:
    source = 'def compute_reward(action, *, größe=1.0, μ=2.0):\n    return {"a": größe * action[:, 0]}\n'
    assert with_weights(source, {"μ": 4.0}) == source.replace("2.0", "4.0")


def test_windows_line_ends() -> None:
    source = SOURCE.replace("\n", "\r\n")
    assert with_weights(source, {"back": 1.0}) == source.replace("-0.5", "1.0")


def test_a_new_weight_reads_back_exactly() -> None:
    value = 0.1 + 0.2
    assert repr(value) in with_weights(SOURCE, {"speed": value})


def test_fitness_has_weights_too() -> None:
    source = "def fitness(time, *, late=1.0):\n    return late * time[-1]\n"
    assert with_weights(source, {"late": 2.0}) == source.replace("1.0", "2.0")


def test_an_unknown_weight() -> None:
    with pytest.raises(UnknownName, match="unknown weight 'sped'; did you mean 'speed'"):
        with_weights(SOURCE, {"sped": 1.0})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_is_finite(value: float) -> None:
    with pytest.raises(BadInput, match="must be a finite number"):
        with_weights(SOURCE, {"speed": value})


def test_a_text_without_an_entry_point() -> None:
    with pytest.raises(BadInput, match="defines none of compute_reward, fitness, success"):
        with_weights("def other():\n    pass\n", {})


def test_a_text_that_is_no_program() -> None:
    with pytest.raises(Refused):
        with_weights("def compute_reward(", {"speed": 1.0})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1e-3", -1e-3),
        ("2 * np.pi / 3", 2 * math.pi / 3),
        ("10 ** -3", 1e-3),
        ("1 / 0", None),
        ("1e999", None),
        ("9 ** 999", None),
        ("10 ** 400", None),
        ("True", None),
        ("'1'", None),
        ("w", None),
        ("os.pi", None),
        ("(1, 2)", None),
        ("1" + "0" * 400, None),
    ],
)
def test_numbers_in_a_text(text: str, value: float | None) -> None:
    assert number(ast.parse(text, mode="eval").body) == (value if value is None else pytest.approx(value))
