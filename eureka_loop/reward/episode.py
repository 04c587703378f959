"""Words for time: functions of a whole episode, for fitness, success and progress programs.

A condition holds at a step where it is not 0: (T,). Results are (T,) float64, one number a step, and 0 at the
steps where there is none, so that they can be combined step by step and reduced with `.max()`, `.sum()`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

Flags = npt.NDArray[np.bool_]


def begins(condition: Array) -> Array:
    """1 at each step where a condition begins to hold; one that holds from the first step on didn't begin."""
    holds = _holds("begins", condition)
    return np.append(False, holds[1:] & ~holds[:-1]).astype(np.float64)


def once(condition: Array) -> Array:
    """1 from the first step on where a condition holds, whether it still does or not."""
    return np.maximum.accumulate(_holds("once", condition).astype(np.float64))


def held(condition: Array, dt: Array | float) -> Array:
    """Seconds for which a condition has held without a break, up to each step; 0 where it doesn't hold."""
    holds, steps = _holds("held", condition), np.arange(len(condition))
    broken = np.maximum.accumulate(np.where(holds, -1, steps))
    return np.asarray((steps - broken) * _seconds(dt))


def within(condition: Array, seconds: float, after: Array, dt: Array | float) -> Array:
    """1 where a condition holds, and `after` held at that step or at most so many seconds before it."""
    holds, steps = _holds("within", condition), np.arange(len(condition))
    last = np.maximum.accumulate(np.where(_holds("within", after), steps, -np.inf))
    return (holds & ((steps - last) * _seconds(dt) <= seconds + 1e-9)).astype(np.float64)


def first(values: Array, condition: Array, never: float = 0.0) -> float:
    """The value at the first step where a condition holds, one number; `never` where it never does."""
    at, values = np.flatnonzero(_holds("first", condition)), _of_step("first", values, condition)
    return float(values[at[0]]) if len(at) else never


def last(values: Array, condition: Array, never: float = 0.0) -> float:
    """The value at the last step where a condition holds, one number; `never` where it never does."""
    at, values = np.flatnonzero(_holds("last", condition)), _of_step("last", values, condition)
    return float(values[at[-1]]) if len(at) else never


def per_phase(values: Array, condition: Array, how: str = "max") -> Array:
    """At every step of a phase, in which a condition holds without a break, one number of the whole phase:
    max, min, mean, sum, first, last, or change (the last value less the one before the phase).

    Raises:
        ValueError: no such number.
    """
    if how not in _HOW:
        raise ValueError(f"per_phase: no {how!r}; there are {', '.join(_HOW)}")
    holds, found = _holds("per_phase", condition), np.zeros(len(condition))
    values = _of_step("per_phase", values, condition)
    edges = np.flatnonzero(np.diff(holds, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2).tolist():
        found[begin:end] = _HOW[how](values[begin:end], values[max(begin - 1, 0)])
    return found


_HOW: dict[str, Callable[[Array, float], float]] = {
    "max": lambda phase, _: phase.max(),
    "min": lambda phase, _: phase.min(),
    "mean": lambda phase, _: phase.mean(),
    "sum": lambda phase, _: phase.sum(),
    "first": lambda phase, _: phase[0],
    "last": lambda phase, _: phase[-1],
    "change": lambda phase, before: phase[-1] - before,
}


def alternates(a: Array, b: Array) -> Array:
    """1 at each step where one of two conditions begins to hold and the other was the last that began."""
    ours, theirs = begins(a) > 0, begins(b) > 0
    sign = np.where(ours == theirs, 0, np.where(ours, 1, -1))  # of both together: none is the last
    found, at = np.zeros(len(sign)), np.flatnonzero(ours | theirs)
    found[at[1:]] = sign[at[1:]] * sign[at[:-1]] < 0
    return found


_EPISODE: tuple[Callable[..., object], ...] = (
    begins, once, held, within, first, last, per_phase, alternates,
)  # fmt: skip
EPISODE = {function.__name__: function for function in _EPISODE}
EPISODE_KEYWORDS = frozenset(name for each in _EPISODE for name in inspect.signature(each).parameters)


def _holds(name: str, condition: Array) -> Flags:
    """
    Raises:
        ValueError: it is no condition of every step.
    """
    if np.ndim(condition) != 1:
        raise ValueError(f"{name} takes a condition of every step, (T,), not {np.shape(condition)}")
    return np.not_equal(condition, 0.0)


def _of_step(name: str, values: Array, condition: Array) -> Array:
    """
    Raises:
        ValueError: the values aren't one a step.
    """
    if np.shape(values) != np.shape(condition):
        raise ValueError(f"{name} takes one value a step, {np.shape(condition)}, not {np.shape(values)}")
    return np.asarray(values, np.float64)


def _seconds(dt: Array | float) -> float:
    """Of a step, from the observable `dt` or a number."""
    return float(np.ravel(dt)[0])
