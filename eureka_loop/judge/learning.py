"""Learning curves of several runs: how high on average, how soon at a level, and how sure one may be."""

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
        begun: (runs,) the step at which each run's first episodes had ended; before, their value stands in.
    """

    steps: Array
    fitness: Array
    begun: Array


def curves(results: Sequence[Trained], steps: Array) -> Curves | None:
    """The runs' curves at these steps, read off between checkpoints; None where no episode finished.

    Before a run's first finished episode, and after its last, the nearest value stands in.
    """
    lines = [line for line in map(_line, results) if line.size]
    if not lines or not steps.size:
        return None
    fitness = np.array([np.interp(steps, line[:, 0], line[:, 1]) for line in lines])
    return Curves(steps, fitness, np.array([line[0, 0] for line in lines]))


def common_steps(results: Sequence[Trained]) -> Array:
    """(P,): every step at which some run's checkpoint saw finished episodes.

    Not only where all did: a single run whose first episode ends late would cut off everyone's beginning.
    """
    lines = [line for line in map(_line, results) if line.size]
    return np.unique(np.concatenate([line[:, 0] for line in lines])) if lines else np.zeros(0)


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
    """(runs,): the area under each curve divided by its length, so in units of fitness."""
    steps = found.steps
    if steps.size < 2:
        return np.asarray(found.fitness[:, 0])
    return np.asarray(np.trapezoid(found.fitness, steps, axis=1) / (steps[-1] - steps[0]))


def steps_to_reach(found: Curves, level: float) -> Array:
    """(runs,): the step at which each curve first reaches a level, not before it begins; inf: never."""
    reached = np.array([_first(found.steps, fitness, level) for fitness in found.fitness])
    return np.asarray(np.maximum(reached, found.begun))


def _first(steps: Array, fitness: Array, level: float) -> float:
    reached = np.flatnonzero(fitness >= level)
    if not reached.size:
        return np.inf
    after = reached[0]
    if after == 0:
        return float(steps[0])
    rise = (level - fitness[after - 1]) / (fitness[after] - fitness[after - 1])
    return float(steps[after - 1] + rise * (steps[after] - steps[after - 1]))


def profile(scores: Array, levels: Array) -> Array:
    """Share of runs that reach each level, (..., levels), in [0, 1].

    A performance profile (Agarwal et al. 2021, section 4.2, with >= in place of >, so that a run reaches its
    own score).

    Args:
        scores: (..., runs).
    """
    return np.asarray((scores[..., None, :] >= levels[:, None]).mean(axis=-1))


def _line(result: Trained) -> Array:
    """(points, 2): step and fitness, where episodes had finished."""
    points = [(float(at.step), at.fitness) for at in result.checkpoints if at.fitness is not None]
    return np.array(points).reshape(-1, 2)
