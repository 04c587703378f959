"""Learning curves of the report as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eureka_loop.errors import RunError
from eureka_loop.records import Array
from eureka_loop.results import Trained

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito's, safe for colour-blind readers


def draw_curves(path: Path, curves: Sequence[tuple[str, Sequence[Trained]]], title: str) -> bool:
    """Fitness over training steps: a thin line a seed, a thick one their mean. False where there is nothing.

    Args:
        curves: label and trainings of each reward.

    Raises:
        RunError: the picture can't be written.
    """
    from matplotlib.figure import Figure  # a second to import: only where a report is made

    drawn = [(label, lines) for label, trained in curves if (lines := fitness_curves(trained))]
    if not drawn:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for colour, (label, lines) in zip(COLOURS, drawn, strict=False):
        for steps, fitness in lines:
            axes.plot(steps, fitness, color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(*mean_curve(lines), color=colour, linewidth=2.2, label=f"{label} (n={len(lines)})")
    axes.set_title(title, parse_math=False)
    axes.set(xlabel="environment steps", ylabel="fitness of training episodes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        figure.savefig(partial, format="png", dpi=120)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"can't write {path}: {error.strerror}; free some space") from error
    return True


def fitness_curves(trained: Sequence[Trained]) -> list[tuple[Array, Array]]:
    """Steps and fitness of each training; points at which no episode had finished are left out."""
    lines = []
    for each in trained:
        points = [
            (float(point.step), point.fitness) for point in each.checkpoints if point.fitness is not None
        ]
        if points:
            table = np.array(points)
            lines.append((table[:, 0], table[:, 1]))
    return lines


def mean_curve(lines: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The seeds' mean, over the steps that all of them have."""
    grid = np.unique(np.concatenate([steps for steps, _ in lines]))
    first, last = max(steps[0] for steps, _ in lines), min(steps[-1] for steps, _ in lines)
    grid = grid[(grid >= first) & (grid <= last)]
    return grid, np.mean([np.interp(grid, steps, fitness) for steps, fitness in lines], axis=0)
