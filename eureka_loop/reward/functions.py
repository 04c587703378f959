"""The shaping functions, and all that a program finds in its namespace.

They work on whole batches: x is (N,) or (N, k), float64; the leading axis is the batch, and no function mixes
its rows. A fixed vector, (k,), may stand where every row shares it.
"""

from __future__ import annotations

import builtins
import inspect
import math
import sys
from collections.abc import Callable, Iterable
from types import FunctionType, SimpleNamespace

import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.allowed import BUILTINS, MATH, MATH_VALUES, MODULES, NUMPY, NUMPY_VALUES
from eureka_loop.reward.episode import EPISODE
from eureka_loop.reward.parsing import CONSTANT

MAX_RANGE = 1_000
_IMMUTABLE = bool | int | float | str | None | np.number | np.bool_ | type | FunctionType
_WITH_ZERO = ("cosine", "linear", "quadratic")  # sigmoids that reach 0, so value_at_margin may be 0


def tolerance(
    x: Array,
    bounds: tuple[float | Array, float | Array] = (0.0, 0.0),
    margin: float = 0.0,
    sigmoid: str = "gaussian",
    value_at_margin: float = 0.1,
) -> Array:
    """1 where lower <= x <= upper, falling towards 0 with the distance from the nearer bound.

    As dm_control's (Tassa et al. 2018, "DeepMind Control Suite", section 4.1; `dm_control/utils/rewards.py`);
    beyond it, a bound may be an array that broadcasts with x.

    Args:
        x: any shape.
        bounds: (lower, upper), inclusive, in x's unit; either may be infinite.
        margin: distance, in x's unit, at which the value is `value_at_margin`; 0: no slope, 0 outside.
        sigmoid: gaussian, hyperbolic, long_tail, reciprocal, cosine, linear, quadratic or tanh_squared.

    Returns:
        x's shape, in [0, 1].

    Raises:
        ValueError: lower > upper, a negative margin, an unknown sigmoid, `value_at_margin` outside (0, 1).
    """
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise ValueError("tolerance: bounds are a pair, `bounds=(lower, upper)`")
    if np.ndim(margin):
        raise ValueError(f"tolerance: margin is one number for all rows, not {np.shape(margin)}")
    lower, upper = bounds
    if np.any(np.greater(lower, upper)):
        raise ValueError(f"tolerance: lower bound {lower} is above upper bound {upper}")
    if margin < 0:
        raise ValueError(f"tolerance: margin {margin} is negative")
    if sigmoid not in SIGMOIDS:
        raise ValueError(f"tolerance: no sigmoid {sigmoid!r}; there are {', '.join(SIGMOIDS)}")
    if not (0 < value_at_margin < 1 or (value_at_margin == 0 and sigmoid in _WITH_ZERO)):
        raise ValueError(f"tolerance: value_at_margin {value_at_margin} is not between 0 and 1")
    outside: Array = np.maximum(np.maximum(np.subtract(lower, x), np.subtract(x, upper)), 0.0)
    if margin == 0:
        return np.where(outside == 0, 1.0, 0.0)
    return SIGMOIDS[sigmoid](outside / margin, value_at_margin)


# Each maps a distance >= 0, in margins, to (0, 1]: 1 at 0, the value `v` at 1.
SIGMOIDS: dict[str, Callable[[Array, float], Array]] = {
    "gaussian": lambda x, v: np.exp(np.log(v) * np.square(x)),
    # Beyond 700, cosh overflows.
    "hyperbolic": lambda x, v: 1.0 / np.cosh(np.minimum(x * np.arccosh(1.0 / v), 700.0)),
    "long_tail": lambda x, v: 1.0 / (np.square(x) * (1.0 / v - 1.0) + 1.0),
    "reciprocal": lambda x, v: 1.0 / (x * (1.0 / v - 1.0) + 1.0),
    "cosine": lambda x, v: (
        (1.0 + np.cos(np.pi * np.minimum(x * np.arccos(2.0 * v - 1.0) / np.pi, 1.0))) / 2.0
    ),
    "linear": lambda x, v: np.maximum(1.0 - x * (1.0 - v), 0.0),
    "quadratic": lambda x, v: np.maximum(1.0 - np.square(x) * (1.0 - v), 0.0),
    "tanh_squared": lambda x, v: 1.0 - np.square(np.tanh(x * np.arctanh(np.sqrt(1.0 - v)))),
}


def ramp(x: Array, low: float | Array, high: float | Array) -> Array:
    """0 at `low` and before, 1 at `high` and beyond, linear between; `low` above `high` makes it fall.

    Args:
        x: any shape; `low` and `high` in its unit.

    Returns:
        x's shape, in [0, 1].

    Raises:
        ValueError: `low` equals `high`.
    """
    width = np.subtract(high, low)
    if np.any(width == 0):
        raise ValueError(f"ramp: low and high are both {low}")
    return np.clip((x - low) / width, 0.0, 1.0)


def wrap(angle: Array) -> Array:
    """The same angle in [-pi, pi); any shape, rad."""
    return np.mod(np.add(angle, np.pi), 2.0 * np.pi) - np.pi


def dot(a: Array, b: Array) -> Array:
    """Scalar product row by row: (N, k) and (N, k) or (k,) → (N,).

    Raises:
        ValueError: neither has a row axis and a component axis.
    """
    if max(np.ndim(a), np.ndim(b)) < 2:
        raise ValueError(f"dot takes (N, k), not {np.shape(a)} and {np.shape(b)}; of (N,) write `a * b`")
    return np.asarray(np.sum(np.multiply(a, b), axis=-1))


def norm(x: Array) -> Array:
    """Euclidean length row by row: (N, k) → (N,), in x's unit.

    Raises:
        ValueError: x has no component axis.
    """
    if np.ndim(x) < 2:
        raise ValueError(f"norm takes (N, k), not {np.shape(x)}; of (N,) write `np.abs(x)`")
    return np.asarray(np.sqrt(np.sum(np.square(x), axis=-1)))


def rotate(quat: Array, vector: Array, inverse: bool = False) -> Array:
    """A vector of the body's frame, in the world's: (N, 4) and (N, 3) or (3,) → (N, 3).

    v + 2 w (u x v) + 2 u x (u x v) for the quaternion (w, u), of length 1 (Rodrigues' formula).

    Args:
        quat: w, x, y, z, as in MuJoCo; normalised here.
        vector: any unit.
        inverse: from the world's frame to the body's.

    Raises:
        ValueError: other shapes.
    """
    if np.shape(quat)[-1:] != (4,) or np.shape(vector)[-1:] != (3,):
        raise ValueError(
            f"rotate takes (N, 4) and (N, 3) or (3,), not {np.shape(quat)} and {np.shape(vector)}"
        )
    unit = np.divide(quat, np.sqrt(np.sum(np.square(quat), axis=-1, keepdims=True)))
    w, u = unit[..., :1], unit[..., 1:]
    turned = 2.0 * np.cross(-u if inverse else u, vector)
    return np.asarray(vector + w * turned + np.cross(-u if inverse else u, turned))


def heading(orientation: Array) -> Array:
    """Compass direction of a body: the angle of its x axis, seen from above.

    Args:
        orientation: quaternion (N, 4), w, x, y, z, or forward axis (N, 3).

    Returns:
        (N,), rad in [-pi, pi]: 0 along the world's +x, pi/2 along +y.
    """
    if np.shape(orientation)[-1] == 3:
        return np.arctan2(orientation[..., 1], orientation[..., 0])
    w, x, y, z = (orientation[..., index] for index in range(4))
    return np.arctan2(2.0 * (w * z + x * y), w * w + x * x - y * y - z * z)


_SHAPING: tuple[Callable[..., Array], ...] = (tolerance, ramp, wrap, dot, norm, rotate, heading)
SHAPING = {function.__name__: function for function in _SHAPING}
SHAPING_KEYWORDS = frozenset(name for each in _SHAPING for name in inspect.signature(each).parameters)


def namespace() -> dict[str, object]:
    """The globals of one program, fresh: the allowed part of `np` and `math`, shaping functions, builtins.

    Run in it what `parsing.compiled` makes of the source.
    """
    plain = [name for name in NUMPY | NUMPY_VALUES if "." not in name]
    linalg = [name.removeprefix("linalg.") for name in NUMPY if name.startswith("linalg.")]
    arrays, numbers = _only(plain, np), _only(MATH | MATH_VALUES, math)
    arrays.linalg = _only(linalg, np.linalg)
    safe: dict[str, object] = {name: getattr(builtins, name) for name in BUILTINS}
    return {
        "__name__": "program",
        "__builtins__": {**safe, "range": short_range, "__import__": _import_loaded},
        **SHAPING,
        **EPISODE,  # the gate refuses them in rewards
        **{name: numbers if module == "math" else arrays for name, module in MODULES.items()},
        CONSTANT: frozen,
    }


def _import_loaded(name: str, *_: object) -> None:
    """`__import__` for numpy's C code, which ignores its result; an `import` statement gets None.

    Raises:
        ImportError: the module isn't loaded, and can't be in a locked process.
    """
    if name not in sys.modules:
        raise ImportError(f"{name!r} can't be imported; `np` and `math` are there")


def short_range(*limits: int) -> range:
    """Python's `range`, at most `MAX_RANGE` long; raises ValueError beyond."""
    numbers = range(*limits)
    if len(numbers) > MAX_RANGE:
        raise ValueError(f"range of {len(numbers)} numbers; {MAX_RANGE} are allowed")
    return numbers


def frozen(constant: object) -> object:
    """A module constant with its arrays made read-only.

    Raises:
        TypeError: it could change all the same, and so would be memory.
    """
    if isinstance(constant, np.ndarray) and not constant.dtype.hasobject:
        constant.setflags(write=False)
    elif isinstance(constant, tuple):
        for part in constant:
            frozen(part)
    elif not isinstance(constant, _IMMUTABLE):
        text = "which may change: write a function, or a number, text, a tuple or an array of numbers"
        raise TypeError(f"a constant can't hold {type(constant).__name__}, {text}")
    return constant


def _only(names: Iterable[str], module: object) -> SimpleNamespace:
    return SimpleNamespace(**{name: getattr(module, name) for name in names})
