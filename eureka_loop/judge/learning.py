"""Learning curves of several runs: mean height, steps to a level, bootstrap bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eureka_loop.judge.statistics import iqm, resampled
from eureka_loop.records import Array
from eureka_loop.results import Trained


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Fitness of training episodes, exploration included."""

    steps: Array  # (P,) environment steps, rising
    fitness: Array  # (runs, P)
    begun: Array  # (runs,) the step of each run's first finished episodes; before it, their value stands in


def curves(sides: Sequence[Sequence[Trained]]) -> list[Curves | None]:
    """Each side's curves, interpolated between checkpoints; None where no episode finished.

    The steps are common: every one at which some run's checkpoint had finished episodes. Before a run's first
    finished episode, and after its last, the nearest value stands in.
    """
    lines = [[line for run in side if (line := _line(run)).size] for side in sides]
    steps = np.unique(np.concatenate([np.zeros(0), *(line[:, 0] for side in lines for line in side)]))
    fitness = [np.array([np.interp(steps, *line.T) for line in side]) for side in lines]
    begun = [np.array([line[0, 0] for line in side]) for side in lines]
    return [Curves(steps, *each) if each[0].size else None for each in zip(fitness, begun, strict=True)]


def _line(run: Trained) -> Array:
    """(points, 2): step and fitness, where episodes had finished."""
    return np.array([(at.step, at.fitness) for at in run.checkpoints if at.fitness is not None], dtype=float)


def band(found: Curves, rng: np.random.Generator, repeats: int = 2_000) -> tuple[Array, Array, Array]:
    """Interquartile mean over runs at each step, and its 95% bootstrap interval: value, low, high, (P,)."""
    draws = iqm(resampled(found.fitness, repeats, rng).transpose(0, 2, 1))  # (repeats, P)
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
