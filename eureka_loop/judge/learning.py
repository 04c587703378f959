"""Learning curves of several runs: mean height, steps to a level, bootstrap bands, performance profile."""

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
    lines = _lines(results)
    return np.unique(np.concatenate([line[:, 0] for line in lines])) if lines else np.zeros(0)


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
    reached = np.array([_first_step(found.steps, fitness, level) for fitness in found.fitness])
    return np.asarray(np.maximum(reached, found.begun))


def profile(scores: Array, levels: Array) -> Array:
    """Share of runs (..., runs) that reach each level, (..., levels), in [0, 1].

    A performance profile (Agarwal et al. 2021, section 4.2, with >= in place of >, so that a run reaches its
    own score).
    """
    return np.asarray((scores[..., None, :] >= levels[:, None]).mean(axis=-1))


def _first_step(steps: Array, fitness: Array, level: float) -> float:
    reached = np.flatnonzero(fitness >= level)
    if not reached.size:
        return np.inf
    after = int(reached[0])
    if after == 0:
        return float(steps[0])
    pair = slice(after - 1, after + 1)
    return float(np.interp(level, fitness[pair], steps[pair]))


def _lines(results: Sequence[Trained]) -> list[Array]:
    """One array (points, 2) of step and fitness a run that had finished episodes."""
    points = [
        [(float(at.step), at.fitness) for at in result.checkpoints if at.fitness is not None]
        for result in results
    ]
    return [np.array(each) for each in points if each]
