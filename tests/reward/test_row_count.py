"""The number of rows may give an array its shape, and nothing else."""

from __future__ import annotations

import ast

import pytest

from eureka_loop.reward.row_count import computed_with

SHAPES = [
    "n = len(x); y = np.zeros(n)",
    "y = np.zeros((len(x), 3))",
    "y = np.ones(x.shape[0])",
    "y = np.ones(x.shape)",
    "n, k = v.shape; y = np.zeros((n, k * 2))",
    "y = v.reshape(len(v), -1)",
    "y = [0.0] * len(x)",
    "y = np.arange(len(x))",
    "y = np.full(len(v) * 3, 2.0)",
    "s = v.shape; y = np.ones(s[0])",
    "y = np.broadcast_to(GAINS, (len(x), 3))",
    "y = 1.0 if v.shape[1] > 2 and x.ndim == 1 and len(v.shape) == 2 else 0.0",
    "parts = [x, v[:, 0]]; y = (x + v[:, 0]) / len(parts) + x / len(GAINS)",
    "y = zeros(x)",
]
VALUES = [
    ("if len(x) > 300:\n        y = x", "len(x) > 300"),
    ("y = x * (x.shape[0] > 300)", "x.shape[0] > 300"),
    ("n = len(x); y = x if n > 300 else 0.0 * x", "n > 300"),
    ("n, k = v.shape; y = np.where(n > 3, x, 0.0)", "n > 3"),
    ("y = x / len(x)", "x / len(x)"),
    ("n = len(x); m = n - 300; y = x * m", "x * m"),
    ("y = np.clip(len(x) - 300, 0, 1)", "np.clip(len(x) - 300, 0, 1)"),
    ("y = min(v.size, 300)", "min(v.size, 300)"),
    ("s = v.shape; y = s[0] > 300", "s[0] > 300"),
    ("z = 2.0 * v[:, 0]; y = len(np.abs(z)) > 3", "len(np.abs(z)) > 3"),
    ("y = x[len(x) // 2]", "x[len(x) // 2]"),
    ("return {'a': x, '_n': len(x)}", "{'a': x, '_n': len(x)}"),
    ("y = many(x)", "len(q) > 3"),
]


def problems(lines: str) -> list[str]:
    helpers = "def zeros(q):\n    return np.zeros(len(q))\ndef many(q):\n    return len(q) > 3\n"
    helpers = helpers if "many(" in lines else helpers.partition("def many")[0]
    source = f"{helpers}def compute_reward(x, v):\n    {lines}\n"
    return [str(each) for each in computed_with(ast.parse(source), ["x", "v"])]


@pytest.mark.parametrize("lines", SHAPES)
def test_it_may_give_a_shape(lines: str) -> None:
    assert problems(lines) == []


@pytest.mark.parametrize(("lines", "named"), VALUES)
def test_it_is_no_value_to_compute_with(lines: str, named: str) -> None:
    (problem,) = problems(lines)
    assert f"`{named}`: the number of rows is no value" in problem
