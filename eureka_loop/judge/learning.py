"""Learning curves of several runs: mean height, steps to a level, bootstrap bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.statistics import iqm
from eureka_loop.records import Array
from eureka_loop.results import Trained


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Fitness of training episodes, exploration included.

    Attributes:
        steps: (P,) environment steps, rising.
        fitness: (runs, P).
        begun: (runs,) the step of each run's first finished episodes; before it, their value stands in.
    """

    steps: Array
    fitness: Array
    begun: Array


def common_steps(results: Sequence[Trained]) -> Array:
    """(P,): every step at which some run's checkpoint had finished episodes.

    Not only where all had: a single run with a late first episode would cut off the others' beginning.
    """
    return np.unique(np.concatenate([np.zeros(0), *(line[:, 0] for line in _lines(results))]))


def curves(results: Sequence[Trained], steps: Array) -> Curves | None:
    """The runs' curves at these steps, interpolated between checkpoints; None where no episode finished.

    Before a run's first finished episode, and after its last, the nearest value stands in.
    """
    lines = _lines(results)
    if not lines or not steps.size:
        return None
    fitness = np.array([np.interp(steps, line[:, 0], line[:, 1]) for line in lines])
    return Curves(steps, fitness, np.array([line[0, 0] for line in lines]))


def band(found: Curves, rng: np.random.Generator, repeats: int = 2_000) -> tuple[Array, Array, Array]:
    """Interquartile mean over runs at each step with its 95% bootstrap interval: value, low, high, (P,).

    Whole runs are drawn; the interval holds at each step on its own, not for the curve as a whole.
    """
    runs = len(found.fitness)
    chosen = rng.integers(runs, size=(repeats, runs))
    draws = iqm(found.fitness[chosen].transpose(0, 2, 1))  # (repeats, P)
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return iqm(found.fitness.T), low, high


def mean_heights(found: Curves) -> Array:
    """(runs,): the area under each curve divided by its length, in units of fitness."""
    steps = found.steps
    if steps.size < 2:
        return np.asarray(found.fitness[:, 0])
    return np.asarray(np.trapezoid(found.fitness, steps, axis=1) / (steps[-1] - steps[0]))


def steps_to_reach(found: Curves, level: float) -> Array:
    """(runs,): the step at which each curve first reaches a level, not before it begins; inf: never."""
    reached = np.full(len(found.fitness), np.inf)
    for run, fitness in enumerate(found.fitness):
        if (above := np.flatnonzero(fitness >= level)).size:
            pair = slice(max(above[0] - 1, 0), above[0] + 1)
            reached[run] = np.interp(level, fitness[pair], found.steps[pair])
    return np.asarray(np.maximum(reached, found.begun))


def _lines(results: Sequence[Trained]) -> list[Array]:
    """One array (points, 2) of step and fitness a run that had finished episodes."""
    points = [
        [(at.step, at.fitness) for at in each.checkpoints if at.fitness is not None] for each in results
    ]
    return [np.array(each, dtype=np.float64) for each in points if each]
