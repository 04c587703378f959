"""Weights of a program's text, and the text with others."""

from __future__ import annotations

import pytest

from eureka_loop.reward.weights import weights, with_weights

PROGRAM = '''# Größe ✓
LIMIT = 2.0
def compute_reward(
    speed, height, action, *, fast=1, höhe = 2 * np.pi,  # rad
    effort: float = -1e-3, near=0.5,
    still=0, power=2.0, share=4.0,
):
    """speed=7.0, fast=1"""
    near_it = height > near
    return {
        "speed": fast * speed - 0.5 * höhe * near_it,
        "effort": -effort * np.square(action).sum(axis=1),
        "still": still * np.abs(speed) ** power / share,
    }
'''


def test_weights_are_the_numbers_of_the_signature() -> None:
    found = weights(PROGRAM)
    values = {name: round(each.value, 3) for name, each in found.items()}
    assert values == {
        "fast": 1.0, "höhe": 6.283, "effort": -0.001, "near": 0.5, "still": 0.0, "power": 2.0, "share": 4.0
    }  # fmt: skip
    assert [name for name, each in found.items() if each.scales] == ["fast", "höhe", "effort", "still"]


def test_other_weights_leave_all_else_byte_for_byte() -> None:
    changed = with_weights(PROGRAM, {"fast": 2.5, "höhe": 0.1, "effort": -4e-5, "power": 3.0})
    expected = PROGRAM.replace("*, fast=1,", "*, fast=2.5,").replace("2 * np.pi", "0.1")
    assert changed == expected.replace("-1e-3", "-4e-05").replace("power=2.0", "power=3.0")
    assert with_weights(PROGRAM, {}) == PROGRAM


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def compute_reward(height):\n    return {'up': height}\n", []),
        ("def compute_reward(height, *, up=1.0):\n    return {'up': height\n", []),  # no Python
        ("def other(x, *, up=1.0):\n    return x\n", []),
        ("def compute_reward(h, *, a=1.0, b=h, c):\n    return {'up': a * h}\n", ["a"]),
    ],
)
def test_a_text_without_weights_has_none(source: str, found: list[str]) -> None:
    assert [*weights(source)] == found
