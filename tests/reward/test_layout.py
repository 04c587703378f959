"""What may stand outside the functions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
ENTRY = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X = [0, 1]", "constant `X` is a list, which can change: write a tuple, `X = (0, 1)`"),
        ("X = [0]", "constant `X` is a list, which can change: write a tuple, `X = (0,)`"),
        ("X = {'a': 1.0}", "constant `X` can change: write one constant a value, or weights after `*`"),
        ("X = ((1, [2]),)", "constant `X` is a list, which can change: write a tuple, `(2,)`"),
        ("f = lambda x: x * 2", "constant `f` is a function: write `def f(x): return x * 2`"),
        (
            "X = dict(a=1)",
            "constant `X` is made of numbers, text, tuples and arrays of numbers, not of `dict(a=1)`",
        ),
        ("X = 1\nX = 2", "`X` is set twice: a constant keeps its value"),
        ("X, Y = 1, 2", "`X, Y = (1, 2)` stands outside a function: only constants and functions may"),
        ("print(1)", "`print(1)` stands outside a function: only constants and functions may"),
        ("X = 1\nX += 1", "`X += 1` stands outside a function: only constants and functions may"),
        (
            "if True:\n    X = 1",
            "`if True: X = 1` stands outside a function: only constants and functions may",
        ),
        ("X = Y", "unknown name `Y`"),
        (
            "X = np.array([1.0])\nX[0] = 2.0",
            "`X[0] = 2.0` stands outside a function: only constants and functions may",
        ),
        ("def f():\n    return 1\ndef f():\n    return 2", "`f` is defined twice: leave one out"),
    ],
)
def test_what_may_not_stand_there(problems: Check, line: str, message: str) -> None:
    found = [problem.partition(": ")[2] for problem in problems(f"{line}\n{ENTRY}")]
    assert message in found


@pytest.mark.parametrize(
    "line",
    [
        '"""A docstring."""',
        "X = 1.0",
        "X = -0.5 * np.pi",
        "X: float = 3.0",
        "X = (0, (1.0, 'a'), None)",
        "X = 2.0\nY = X / 3",
        "X = np.array([[0.0, 1.0], [1.0, 0.0]])",
        "X = np.deg2rad(30.0)",
        "X = math.radians(30)",
        "X = (np.array([1.0]), np.array([2.0]))",
        "X = np.linspace(0, 1, 5)",
        "import numpy as np\nimport math\nfrom typing import Dict",
    ],
)
def test_what_may_stand_there(problems: Check, line: str) -> None:
    assert problems(f"{line}\n{ENTRY}") == []


def test_constants_cant_be_written_into(problems: Check) -> None:
    source = 'X = np.zeros(3)\ndef compute_reward(action):\n    X[0] = X[0] + 1.0\n    return {"a": action[:, 0]}\n'
    assert problems(source) == ["Line 3: `X[0]` changes the constant `X`: a program has no memory"]


def test_a_constants_shadow_is_the_functions_own(problems: Check) -> None:
    source = 'X = 3.0\ndef compute_reward(action):\n    X = action.copy()\n    X[:, 0] = 0.0\n    return {"a": X[:, 1]}\n'
    assert problems(source) == []


def test_another_name_for_the_entry_point(problems: Check) -> None:
    assert problems(ENTRY.replace("compute_reward", "reward_fn")) == [
        "Line 1: there is no function `compute_reward`: rename `reward_fn`"
    ]


def test_no_function_at_all(problems: Check) -> None:
    assert problems("") == ["Line 1: there is no function `compute_reward`: write `def compute_reward(...):`"]


def test_fitness_has_an_entry_point_of_its_own(problems: Check) -> None:
    assert problems(ENTRY, kind="fitness") == [
        "Line 1: there is no function `fitness`: rename `compute_reward`"
    ]
