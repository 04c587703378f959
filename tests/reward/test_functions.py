"""The shaping functions against their formulas; a program's namespace."""

from __future__ import annotations

import types
from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward import allowed
from eureka_loop.reward.functions import (
    SHAPING,
    SIGMOIDS,
    dot,
    frozen,
    heading,
    namespace,
    norm,
    ramp,
    rotate,
    short_range,
    tolerance,
    wrap,
)

X = np.linspace(-4.0, 6.0, 41)
HALF = np.sqrt(0.5)


# dm_control's values (dm_control/utils/rewards.py) at 0.5, 1 and 2 margins from the bound, for 0.1 at the margin.
DM_CONTROL = {
    "gaussian": (0.56234133, 0.1, 0.0001),
    "hyperbolic": (0.42640143, 0.1, 0.0050251256),
    "long_tail": (0.30769231, 0.1, 0.027027027),
    "reciprocal": (0.18181818, 0.1, 0.052631579),
    "cosine": (0.65811388, 0.1, 0),
    "linear": (0.55, 0.1, 0),
    "quadratic": (0.775, 0.1, 0),
    "tanh_squared": (0.48050615, 0.1, 0.0027700831),
}


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_tolerance_is_dm_controls(sigmoid: str) -> None:
    x = np.array([0.0, 0.5, 1.25, 2.0, 3.5])
    assert list(tolerance(x, (-1.0, 0.5), 1.5, sigmoid)) == pytest.approx([1.0, 1.0, *DM_CONTROL[sigmoid]])
    assert list(tolerance(-0.5 - x, (-1.0, 0.5), 1.5, sigmoid))[1:] == pytest.approx(
        [1.0, *DM_CONTROL[sigmoid]]
    )
    assert tolerance(np.array([2.0]), (-1.0, 0.5), 1.5, sigmoid, 0.6) == pytest.approx(0.6)


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_tolerance_far_away_is_finite_and_silent(sigmoid: str) -> None:
    value = tolerance(np.array([1e6, -np.inf]), (0.0, np.inf), 1e-3, sigmoid)
    assert value[0] == 1.0
    assert 0.0 <= value[1] < 1e-3


def test_tolerance_without_margin_and_with_bounds_that_differ_by_row() -> None:
    assert list(tolerance(np.array([-0.1, 0.0, 1.0, 1.1]), (0.0, 1.0))) == [0.0, 1.0, 1.0, 0.0]
    centre = np.array([0.0, 5.0])
    assert list(tolerance(np.array([0.0, 0.0]), (centre - 1.0, centre + 1.0))) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (tolerance, {"x": X, "bounds": (1.0, 0.0)}, "lower bound 1.0 is above upper bound 0.0"),
        (tolerance, {"x": X, "bounds": 1.0}, r"bounds are a pair, `bounds=\(lower, upper\)`"),
        (tolerance, {"x": X, "margin": -1.0}, "margin -1.0 is negative"),
        (tolerance, {"x": X, "margin": X}, "margin is one number for all rows"),
        (tolerance, {"x": X, "margin": 1.0, "sigmoid": "bell"}, "no sigmoid 'bell'; there are gaussian"),
        (tolerance, {"x": X, "margin": 1.0, "value_at_margin": 0.0}, "0.0 is not between 0 and 1"),
        (ramp, {"x": X, "low": 1.0, "high": 1.0}, "low and high are both"),
        (dot, {"a": X, "b": X}, r"dot takes \(N, k\), not \(41,\) and \(41,\)"),
        (norm, {"x": X}, r"norm takes \(N, k\), not \(41,\); of \(N,\) write `np.abs\(x\)`"),
        (rotate, {"quat": X, "vector": X}, r"rotate takes \(N, 4\) and \(N, 3\) or \(3,\)"),
    ],
)
def test_arguments_that_are_refused(
    function: Callable[..., Array], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(**arguments)


def test_ramp_rises_and_falls_where_low_is_above_high() -> None:
    assert list(ramp(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0)) == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert list(ramp(np.array([0.0, 0.25, 1.0]), 1.0, 0.0)) == [1.0, 0.75, 0.0]


def test_wrap() -> None:
    angles = np.array([0.0, np.pi + 0.1, -np.pi - 0.1, 5 * np.pi, 2 * np.pi])
    np.testing.assert_allclose(wrap(angles), [0.0, -np.pi + 0.1, np.pi - 0.1, -np.pi, 0.0], atol=1e-12)


def test_dot_and_norm_row_by_row() -> None:
    assert list(dot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]))) == [17.0, 39.0]
    assert list(norm(np.array([[3.0, 4.0], [0.0, 2.0]]))) == [5.0, 2.0]


def test_rotate_about_z_and_back() -> None:
    quarter = np.array([[HALF, 0.0, 0.0, HALF], [1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(rotate(quarter, np.array([1.0, 0.0, 0.0])), [[0, 1, 0], [1, 0, 0]], atol=1e-15)
    random = np.random.default_rng(0)
    quat, vector = random.normal(size=(5, 4)), random.normal(size=(5, 3))
    np.testing.assert_allclose(rotate(quat, rotate(quat, vector), inverse=True), vector)


def test_heading_of_a_quaternion_is_that_of_its_forward_axis() -> None:
    quat = np.random.default_rng(0).normal(size=(9, 4))
    forward = rotate(quat, np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(heading(quat), heading(forward), atol=1e-12)
    assert heading(np.array([[0.0, 1.0, 0.0]])) == pytest.approx([np.pi / 2])


def test_the_namespace_holds_what_is_allowed_and_nothing_else() -> None:
    scope = namespace()
    np_, builtins = scope["np"], scope["__builtins__"]
    assert isinstance(np_, types.SimpleNamespace)
    assert isinstance(builtins, dict)
    assert set(vars(np_)) == {name.partition(".")[0] for name in (*allowed.NUMPY, *allowed.NUMPY_VALUES)}
    assert set(vars(np_.linalg)) == {"norm", "det", "inv"}
    assert set(builtins) == {*allowed.BUILTINS, "__import__"}
    assert set(SHAPING) <= set(scope)


def test_a_range_is_short() -> None:
    with pytest.raises(ValueError, match="range of 1001 numbers; 1000 are allowed"):
        short_range(1001)


def test_constants_are_frozen() -> None:
    array = np.zeros(3)
    assert frozen((1.0, "a", None, np.float64, (array,))) == (1.0, "a", None, np.float64, (array,))
    assert not array.flags.writeable


@pytest.mark.parametrize(
    "constant",
    [[0, 1], {}, np.array([np.zeros(1), None], dtype=object), np.zeros(1, [("a", float)])[0], iter(())],
)
def test_what_may_change_is_no_constant(constant: object) -> None:
    with pytest.raises(TypeError, match=r"a constant can't hold \w+, which may change: write a function, or"):
        frozen((1.0, constant))
