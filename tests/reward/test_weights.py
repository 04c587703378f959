"""A program's weights: which defaults are numbers, and as they are written."""

from __future__ import annotations

import ast
import math

import pytest

from eureka_loop.errors import BadInput
from eureka_loop.reward.parsing import defaults, number


def test_defaults_as_they_are_written() -> None:
    source = (
        "def compute_reward(action, *, speed=1.0, effort: float = 1e-3, turn=2 * np.pi):\n    return {}\n"
    )
    written = {name: ast.unparse(node) for name, node in defaults(source).items()}
    assert written == {"speed": "1.0", "effort": "0.001", "turn": "2 * np.pi"}


def test_a_text_without_an_entry_point() -> None:
    with pytest.raises(BadInput, match="defines none of compute_reward, fitness, success"):
        defaults("def other():\n    pass\n")


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
